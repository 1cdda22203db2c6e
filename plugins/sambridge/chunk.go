package sambridge

import (
	"net"
	"sync"
)

// chunkSize is how much is copied at a time, in bytes.
const chunkSize = 32 << 10

// chunks are borrowed while there is something to copy: an idle stream has none.
var chunks = sync.Pool{New: func() any { return new([chunkSize]byte) }}

// A waitingReader reads from what does not tell that there is something to be read, as TLS.
// It waits with a small buffer, and takes a chunk when that was filled.
type waitingReader struct {
	nc    net.Conn
	chunk *[chunkSize]byte // nil: not borrowed
	small []byte
	more  bool // likely there is more to be had at once
}

// smallSize is what an idle stream has to wait with, in bytes.
const smallSize = 512

// read returns what came, which is valid until done is called.
func (r *waitingReader) read() ([]byte, error) {
	if r.small == nil {
		r.small = make([]byte, smallSize)
	}
	into := r.small
	if r.more {
		r.borrow()
		into = r.chunk[:]
	}
	n, err := r.nc.Read(into)
	r.more = n >= smallSize
	return into[:n], err
}

func (r *waitingReader) borrow() {
	if r.chunk == nil {
		r.chunk = chunks.Get().(*[chunkSize]byte)
	}
}

// done gives a chunk back.
func (r *waitingReader) done() {
	if r.chunk != nil {
		chunks.Put(r.chunk)
		r.chunk = nil
	}
}
