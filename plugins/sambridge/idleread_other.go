//go:build !unix

package sambridge

import "net"

// An idleReader reads from a client into chunks.
type idleReader struct{ nc net.Conn }

func newIdleReader(nc net.Conn) *idleReader { return &idleReader{nc} }

func (r *idleReader) read() (chunk *[chunkSize]byte, n int, err error) { return readWaiting(r.nc) }
