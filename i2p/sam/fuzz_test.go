package sam

import (
	"bytes"
	"io"
	"testing"
	"testing/iotest"
	"unicode/utf8"
)

// realLines are as programs and libraries send them.
var realLines = []string{
	// sam3 and goSam (Go)
	"HELLO VERSION MIN=3.0 MAX=3.1 ",
	"SESSION CREATE STYLE=STREAM FROM_PORT=0 TO_PORT=0 ID=x DESTINATION=TRANSIENT SIGNATURE_TYPE=EdDSA_SHA512_Ed25519 inbound.length=1 i2cp.leaseSetEncType=4,0",
	"SESSION ADD STYLE=DATAGRAM ID=sub FROM_PORT=0 TO_PORT=0 PORT=9000 HOST=127.0.0.1",
	"STREAM CONNECT ID=x FROM_PORT=0 TO_PORT=0 DESTINATION=AAAA SILENT=false",
	"STREAM ACCEPT ID=x SILENT=false",
	"NAMING LOOKUP NAME=zzz.i2p\r",
	"DEST GENERATE SIGNATURE_TYPE=7",
	// i2psam, i2pd's own tools, Bitcoin Core (C++)
	"SESSION CREATE STYLE=STREAM ID=0123456789 DESTINATION=TRANSIENT inbound.nickname=app SIGNATURE_TYPE=7 ",
	"SESSION CREATE STYLE=STREAM ID=5f5e1a2b3c DESTINATION=AAAA i2cp.leaseSetEncType=4,0 inbound.quantity=1 outbound.quantity=1",
	"STREAM CONNECT ID=5f5e1a2b3c DESTINATION=AAAA SILENT=false",
	// libtorrent (C++)
	"HELLO VERSION MIN=3.1 MAX=3.1",
	"SESSION CREATE STYLE=STREAM ID=lt-1 DESTINATION=TRANSIENT SIGNATURE_TYPE=7 i2cp.leaseSetEncType=4,0 inbound.quantity=3 outbound.quantity=3 inbound.length=3 outbound.length=3",
	// txi2p (Python)
	"SESSION CREATE STYLE=STREAM ID=txi2p DESTINATION=TRANSIENT inbound.nickname=txi2p",
	"STREAM FORWARD ID=txi2p PORT=12345 SILENT=false",
	// i2p-sam (Node)
	"SESSION CREATE ID=abc DESTINATION=AAAA STYLE=RAW PORT=9001 HOST=127.0.0.1",
	// by hand, and what bridges say
	"hello version", "quit", "help session", "PING 1234 \"x", "AUTH ADD USER=\"foo\" PASSWORD=\"b\\\"ar\"",
	"NAMING REPLY RESULT=OK NAME=a.i2p VALUE=AAAA OPTION:_smtp._tcp=\"1 86400 0 0 25 x.b32.i2p\"",
	"DATAGRAM RECEIVED DESTINATION=AAAA SIZE=12 FROM_PORT=0 TO_PORT=0",
	"RAW SEND DESTINATION=AAAA SIZE=12 FROM_PORT=1 TO_PORT=2 PROTOCOL=6 ID=3",
	`SESSION CREATE STYLE=RAW ID="a \"b" X`,
}

// All of them parse, and are lines of the table.
func TestRealLines(t *testing.T) {
	for _, line := range realLines {
		var c Command
		if err := c.Parse(bytes.TrimSuffix([]byte(line), []byte{'\r'})); err != nil || c.Kind == KindUnknown {
			t.Errorf("%s: %v, %v", line, c.Kind, err)
		}
	}
}

// printAgain is c as the printer writes it.
func printAgain(c *Command) []byte {
	printed := append([]byte(c.Verb), ' ')
	printed = append(printed, c.Action...)
	if c.Text != nil {
		printed = append(printed, c.Text...)
	}
	for _, o := range c.options {
		printed = AppendOption(printed, string(o.key), string(o.value))
	}
	return printed
}

// A line that parses, printed and parsed again, is the same.
func FuzzParse(f *testing.F) {
	for _, seed := range realLines {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		var c, again Command
		if c.Parse(bytes.Clone(line)) != nil || bytes.ContainsAny(line, "\n\r") {
			return
		}
		if err := again.Parse(printAgain(&c)); err != nil || show(&again) != show(&c) {
			t.Fatalf("%q: %v\n%s\n%s", line, err, show(&c), show(&again))
		}
	})
}

// A datagram's header gives its three parts, which are of it, and its options are
// printed and read again.
func FuzzParseDatagram(f *testing.F) {
	for _, seed := range []string{
		"3.0 x AAAA\npayload", "3.3 x b.i2p FROM_PORT=1 TO_PORT=2 PROTOCOL=18 SEND_TAGS=3 SEND_LEASESET=false\r\n\n",
		"3.1 x \n\n", "2.0 x AAAA\np",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var c, again Command
		id, destination, payload, err := c.ParseDatagram(bytes.Clone(b))
		if err != nil {
			return
		}
		if len(payload) == 0 || !bytes.HasSuffix(b, payload) || len(id)+len(destination)+len(payload) > len(b) {
			t.Fatalf("%q: ID %q, destination %q, payload %q", b, id, destination, payload)
		}
		if bytes.ContainsAny(b[:len(b)-len(payload)-1], "\r") || !utf8.Valid(b) {
			return
		}
		header := append([]byte("3.0 "+string(id)+" "+string(destination)), printAgain(&Command{options: c.options})[1:]...)
		if _, _, _, err := again.ParseDatagram(append(header, "\np"...)); err != nil || show(&again) != show(&c) {
			t.Fatalf("%q: %v\n%s\n%s", header, err, show(&c), show(&again))
		}
	})
}

// However a connection's bytes arrive, what a Reader makes of them is the same, and
// together it is all of them.
func FuzzReader(f *testing.F) {
	f.Add([]byte("HELLO VERSION\r\nRAW SEND SIZE=4\n1234\nPING"), uint16(4))
	f.Fuzz(func(t *testing.T, input []byte, size uint16) {
		read := func(src io.Reader) (lines [][]byte, rest []byte) {
			r := NewReader(src)
			for {
				line, err := r.Line()
				if err != nil {
					return lines, r.Detach()
				}
				lines = append(lines, bytes.Clone(line))
				if bytes.HasSuffix(line, []byte("4")) {
					b, err := r.Payload(int(size))
					if err != nil {
						return lines, r.Detach()
					}
					lines = append(lines, bytes.Clone(b))
				}
			}
		}
		whole, rest := read(bytes.NewReader(input))
		pieces, restOfPieces := read(iotest.OneByteReader(bytes.NewReader(input)))
		total := len(rest)
		for i := range whole {
			total += len(whole[i])
			if i >= len(pieces) || !bytes.Equal(whole[i], pieces[i]) {
				t.Fatalf("line %d differs", i)
			}
		}
		if len(whole) != len(pieces) || !bytes.HasPrefix(rest, restOfPieces) || total > len(input) {
			t.Fatalf("%d lines and %d, rests of %d and %d bytes, of %d", len(whole), len(pieces), len(rest), len(restOfPieces), len(input))
		}
	})
}
