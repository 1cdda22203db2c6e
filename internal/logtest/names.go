package logtest

import (
	"encoding/hex"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// Names are the ways in which a log could name a Destination: its address, its base64, and its
// hash, whole or shortened as slog shows it.
func Names(d i2p.Destination) []string {
	hash := d.Hash()
	return []string{
		strings.TrimSuffix(hash.Base32(), ".b32.i2p"), i2p.Base64.EncodeToString(d.Bytes())[:64],
		hash.String(), i2p.Base64.EncodeToString(hash[:])[:40], hex.EncodeToString(hash[:]),
	}
}

// Naming returns the lines that have one of the names. With loud it leaves out those at
// debug level. The log is that of a slog.TextHandler, a line for each record.
func (l *Buffer) Naming(loud bool, names ...string) (lines []string) {
	for line := range strings.Lines(l.String()) {
		if loud && strings.Contains(line, " level=DEBUG ") {
			continue
		}
		for _, name := range names {
			if hasWord(line, name) {
				lines = append(lines, line)
				break
			}
		}
	}
	return lines
}

// shortest is the length of a name that must stand by itself: letters of base64 could have
// it within others by chance.
const shortest = 6

func hasWord(line, name string) bool {
	for at := strings.Index(line, name); at >= 0; {
		end := at + len(name)
		if len(name) > shortest || !isBase64(line, at-1) && !isBase64(line, end) {
			return true
		}
		next := strings.Index(line[end:], name)
		if next < 0 {
			return false
		}
		at = end + next
	}
	return false
}

// isBase64 reports whether text has one of those letters at i.
func isBase64(text string, i int) bool {
	return i >= 0 && i < len(text) && strings.IndexByte(alphabet, text[i]) >= 0
}

// alphabet is I2P's base64.
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~"

// KeepsQuiet fails the test if the log names one of the Destinations above debug level:
// whom somebody talks to is not for an operator's log.
func (l *Buffer) KeepsQuiet(t testing.TB, destinations ...i2p.Destination) {
	t.Helper()
	for _, d := range destinations {
		for _, line := range l.Naming(true, Names(d)...) {
			t.Errorf("the log names a remote: %s", line)
		}
	}
}
