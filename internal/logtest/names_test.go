package logtest

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// However a Destination is written, it is found, and at debug level it may be.
func TestNaming(t *testing.T) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	other, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	d := keys.Destination
	hash := d.Hash()
	for _, said := range []any{
		hash, fmt.Errorf("remote %s is gone", hash), hash.Base32(), "dial " + hash.Base32() + ":80: refused", fmt.Errorf("to %s", i2p.Base64.EncodeToString(d.Bytes())),
		hex.EncodeToString(hash[:]), i2p.Base64.EncodeToString(hash[:]),
	} {
		var l Buffer
		log := slog.New(slog.NewTextHandler(&l, &slog.HandlerOptions{Level: slog.LevelDebug}))
		log.Debug("said", "remote", said)
		if quiet, all := l.Naming(true, Names(d)...), l.Naming(false, Names(d)...); len(quiet) != 0 || len(all) != 1 {
			t.Errorf("%v at debug level: %q, %q", said, quiet, all)
		}
		log.Warn("said", "remote", said)
		if lines := l.Naming(true, Names(d)...); len(lines) != 1 {
			t.Errorf("%v is not seen: %q", said, lines)
		}
		l.KeepsQuiet(t, other.Destination)
	}
	if hasWord("xabcdef abcdefx abcdef-", "abcdef") || !hasWord("xabcdef (abcdef)", "abcdef") {
		t.Error("six letters within others are no name")
	}
}
