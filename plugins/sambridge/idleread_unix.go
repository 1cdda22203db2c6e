//go:build unix

package sambridge

import (
	"io"
	"net"
	"syscall"
)

// An idleReader reads from a client into chunks that it borrows only when there is
// something to be read.
type idleReader struct {
	nc  net.Conn
	raw syscall.RawConn // nil: nc is not a socket, and a chunk waits with it

	try   func(fd uintptr) bool
	chunk *[chunkSize]byte
	n     int
	err   error
}

func newIdleReader(nc net.Conn) *idleReader {
	r := &idleReader{nc: nc}
	if tcp, ok := nc.(*net.TCPConn); ok {
		r.raw, _ = tcp.SyscallConn()
	}
	r.try = r.tryRead // made once, so that reading allocates nothing
	return r
}

// read returns a chunk, of which n bytes were read. It is the caller's to put back,
// also with an error, unless it is nil. io.EOF is the end.
func (r *idleReader) read() (chunk *[chunkSize]byte, n int, err error) {
	if r.raw == nil {
		return readWaiting(r.nc)
	}
	r.chunk, r.n, r.err = nil, 0, nil
	if err := r.raw.Read(r.try); err != nil {
		return nil, 0, err
	}
	if r.n == 0 && r.err == nil {
		r.err = io.EOF
	}
	return r.chunk, r.n, r.err
}

// tryRead returns false if there is nothing to be read yet.
func (r *idleReader) tryRead(fd uintptr) bool {
	chunk := chunks.Get().(*[chunkSize]byte)
	for {
		n, err := syscall.Read(int(fd), chunk[:])
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			chunks.Put(chunk)
			return false
		}
		r.chunk, r.n, r.err = chunk, max(n, 0), err
		return true
	}
}
