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
	waitingReader
	raw syscall.RawConn // nil: the connection is no socket

	try func(fd uintptr) bool
	n   int
	err error
}

func newIdleReader(nc net.Conn) *idleReader {
	r := &idleReader{waitingReader: waitingReader{nc: nc}}
	if tcp, ok := nc.(*net.TCPConn); ok {
		r.raw, _ = tcp.SyscallConn()
		r.try = r.tryRead // made once, so that reading allocates nothing
	}
	return r
}

// read returns what came, which is valid until done is called. io.EOF is the end.
func (r *idleReader) read() ([]byte, error) {
	if r.raw == nil {
		return r.waitingReader.read()
	}
	r.n, r.err = 0, nil
	if err := r.raw.Read(r.try); err != nil {
		return nil, err
	}
	if r.n == 0 && r.err == nil {
		r.err = io.EOF
	}
	return r.chunk[:r.n], r.err
}

// tryRead returns false if there is nothing to be read yet.
func (r *idleReader) tryRead(fd uintptr) bool {
	r.borrow()
	for {
		n, err := syscall.Read(int(fd), r.chunk[:])
		switch err {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			r.done()
			return false
		}
		r.n, r.err = max(n, 0), err
		return true
	}
}
