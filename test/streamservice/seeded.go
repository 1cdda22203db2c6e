package streamservice

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"
)

// chunk is how much is sent or checked at a time, in bytes.
const chunk = 16 << 10

// ErrBytes says that what arrived is not what was sent.
var ErrBytes = errors.New("wrong bytes")

// A Transfer is bytes to move.
type Transfer struct {
	Size int64 // bytes
	Seed uint64
	Rate int64 // bytes in a second at most; 0: as many as the connection takes
}

// source returns the endless bytes of a seed.
func source(seed uint64) io.Reader {
	var key [32]byte
	binary.BigEndian.PutUint64(key[:], seed)
	return rand.NewChaCha8(key)
}

// send writes the bytes to w.
func (t Transfer) send(w io.Writer) error {
	from, buf, begun := source(t.Seed), make([]byte, chunk), time.Now()
	if t.Rate > 0 { // at least 20 writes in a second, so that the pace is even
		buf = buf[:max(1, min(chunk, t.Rate/20))]
	}
	for sent := int64(0); sent < t.Size; {
		part := buf[:min(int64(len(buf)), t.Size-sent)]
		_, _ = from.Read(part) // never fails
		if _, err := w.Write(part); err != nil {
			return fmt.Errorf("after %d of %d bytes sent: %w", sent, t.Size, err)
		}
		sent += int64(len(part))
		if t.Rate > 0 {
			time.Sleep(time.Until(begun.Add(time.Duration(float64(sent) / float64(t.Rate) * float64(time.Second)))))
		}
	}
	return nil
}

// receive reads the bytes from r and compares each.
func (t Transfer) receive(r io.Reader, m *Meter) error {
	from, buf, want := source(t.Seed), make([]byte, chunk), make([]byte, chunk)
	for got := int64(0); got < t.Size; {
		n, err := r.Read(buf[:min(chunk, t.Size-got)])
		m.add(n)
		_, _ = from.Read(want[:n]) // never fails
		if !bytes.Equal(buf[:n], want[:n]) {
			return fmt.Errorf("%w: between %d and %d", ErrBytes, got, got+int64(n))
		}
		got += int64(n)
		if err != nil && got < t.Size {
			return fmt.Errorf("after %d of %d bytes received: %w", got, t.Size, err)
		}
	}
	return nil
}
