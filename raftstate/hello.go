package raftstate

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/onelease/onelease/raftstate/ledger"
)

// Every connection between nodes begins with a hello of the node that dials,
// and the answer, which is one as well:
//
//	13 bytes "onelease-raft", 1 byte protocol, 2 bytes length, then of that length
//	node ID, cluster, refusal: each 1 byte length and text
//	4 bytes: highest version of commands and snapshots that the node reads
//	1 byte: 1 if the node has state, 0 if not
//
// Integers are big-endian. The first line stays as it is in every protocol, so
// that a node can say what it does not understand. What follows is
// skipped: a later protocol may add to it.
const (
	helloMagic    = "onelease-raft"
	helloProtocol = 1
	helloHead     = len(helloMagic) + 3
	maxHelloBody  = 1024
	maxRefusal    = 255
)

// errHello: what came is no hello.
var errHello = errors.New("not a node of an onelease cluster")

// A hello is what a node says first on a connection.
type hello struct {
	ID      string
	Cluster string
	// Refusal is why the node goes no further, empty if it does.
	Refusal string
	// MaxVersion is the highest version that it reads.
	MaxVersion uint32
	// HasState is whether it is, or was, a member of some cluster.
	HasState bool
}

// encode cuts a refusal that is too long.
func (h hello) encode() []byte {
	var body []byte
	for _, text := range []string{h.ID, h.Cluster, cut(h.Refusal, maxRefusal)} {
		body = append(body, byte(len(text)))
		body = append(body, text...)
	}
	body = append(binary.BigEndian.AppendUint32(body, h.MaxVersion), 0)
	if h.HasState {
		body[len(body)-1] = 1
	}
	head := append([]byte(helloMagic), helloProtocol)
	return append(binary.BigEndian.AppendUint16(head, uint16(len(body))), body...)
}

func cut(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(s, "?")
}

// readHello reads no byte more than the hello has. Its errors are the reader's,
// errHello, and ErrVersion if a later protocol is spoken.
func readHello(r io.Reader) (hello, error) {
	head := make([]byte, helloHead)
	if _, err := io.ReadFull(r, head); err != nil {
		return hello{}, err
	}
	if !bytes.HasPrefix(head, []byte(helloMagic)) {
		return hello{}, fmt.Errorf("it says %.13q: %w", head, errHello)
	}
	size := int(binary.BigEndian.Uint16(head[helloHead-2:]))
	if size > maxHelloBody {
		return hello{}, fmt.Errorf("hello of %d bytes, want up to %d: %w", size, maxHelloBody, errHello)
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return hello{}, err
	}
	if v := head[len(helloMagic)]; v != helloProtocol {
		return hello{}, fmt.Errorf("it speaks protocol %d, this node %d; run the same program on both: %w", v, helloProtocol, ledger.ErrVersion)
	}
	return parseHello(body)
}

func parseHello(body []byte) (hello, error) {
	var h hello
	for _, to := range []*string{&h.ID, &h.Cluster, &h.Refusal} {
		if len(body) < 1 || len(body) < 1+int(body[0]) {
			return hello{}, fmt.Errorf("hello is short: %w", errHello)
		}
		n := 1 + int(body[0])
		*to, body = string(body[1:n]), body[n:]
	}
	if len(body) < 5 {
		return hello{}, fmt.Errorf("hello is short: %w", errHello)
	}
	h.MaxVersion, h.HasState = binary.BigEndian.Uint32(body), body[4] == 1
	return h, h.check()
}

// check holds what will be logged and compared to the rules for names.
func (h hello) check() error {
	if err := cmp.Or(ledger.ValidName("node", h.ID), validCluster(h.Cluster)); err != nil {
		return fmt.Errorf("%w: %w", err, errHello)
	}
	if h.MaxVersion == 0 || !utf8.ValidString(h.Refusal) {
		return fmt.Errorf("hello of version %d: %w", h.MaxVersion, errHello)
	}
	return nil
}

// validCluster lets the ID of a cluster be empty, for those that have none.
func validCluster(id string) error {
	if id == "" {
		return nil
	}
	return ledger.ValidName("cluster", id)
}
