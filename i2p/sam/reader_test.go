package sam

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"
)

// What a connection costs follows what it says.
func TestReaderGrows(t *testing.T) {
	packet := "RAW SEND SIZE=1000\n" + strings.Repeat("p", 1000)
	for _, test := range []struct {
		name, input string
		payload     int
		want        int
	}{
		{"short lines", strings.Repeat("PING\n", 5000), 0, firstBuffer},
		{"a long line", strings.Repeat("x", MaxLine-2) + "\n", 0, MaxLine},
		{"a long line is read no further", strings.Repeat("x", 1<<20), 0, MaxLine},
		{"a payload that does not come", "RAW SEND SIZE=65536\n1234", MaxPayload, firstBuffer},
		{"packets", strings.Repeat(packet, 2000), 1000, maxBuffer},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := NewReader(strings.NewReader(test.input))
			var err error
			for err == nil {
				if _, err = r.Line(); err == nil && test.payload > 0 {
					_, err = r.Payload(test.payload)
				}
			}
			if len(r.buf) != test.want {
				t.Errorf("buffer of %d bytes, want %d (%v)", len(r.buf), test.want, err)
			}
		})
	}
}

// However the bytes arrive, lines and payloads come out whole.
func TestReaderPieces(t *testing.T) {
	var input bytes.Buffer
	for size := 1; size <= MaxPayload; size = size*3 + 1 {
		fmt.Fprintf(&input, "SIZE=%d\n%s", size, strings.Repeat("p", size))
	}
	for name, wrap := range map[string]func(io.Reader) io.Reader{
		"whole": func(r io.Reader) io.Reader { return r }, "bytes": iotest.OneByteReader,
		"halves": iotest.HalfReader, "error with data": iotest.DataErrReader,
	} {
		r := NewReader(wrap(bytes.NewReader(input.Bytes())))
		for size := 1; size <= MaxPayload; size = size*3 + 1 {
			line, err := r.Line()
			if err != nil || string(line) != fmt.Sprintf("SIZE=%d", size) {
				t.Fatalf("%s: %q, %v", name, line, err)
			}
			if b, err := r.Payload(size); err != nil || len(b) != size || bytes.Trim(b, "p") != nil {
				t.Fatalf("%s: payload of %d: %v", name, len(b), err)
			}
		}
		if _, err := r.Line(); err != io.EOF {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReaderDetach(t *testing.T) {
	src := strings.NewReader("STREAM CONNECT ID=a\nGET / HTTP/1.0\r\n\r\n")
	r := NewReader(src)
	line, err := r.Line()
	if err != nil {
		t.Fatal(err)
	}
	if rest := r.Detach(); string(rest) != "GET / HTTP/1.0\r\n\r\n" || string(line) != "STREAM CONNECT ID=a" {
		t.Errorf("%q after %q", rest, line)
	}
	if rest := r.Detach(); rest != nil || r.buf != nil {
		t.Errorf("again %q, buffer of %d", rest, len(r.buf))
	}
}

// A line goes on where a deadline has cut it.
func TestReaderDeadline(t *testing.T) {
	r := NewReader(io.MultiReader(strings.NewReader("PI"), &once{err: os.ErrDeadlineExceeded}, strings.NewReader("NG\n")))
	if _, err := r.Line(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal(err)
	}
	if line, err := r.Line(); string(line) != "PING" {
		t.Errorf("%q, %v", line, err)
	}
}

// A once fails once, and then is at its end.
type once struct{ err error }

func (o *once) Read([]byte) (int, error) {
	err := o.err
	o.err = io.EOF
	return 0, err
}
