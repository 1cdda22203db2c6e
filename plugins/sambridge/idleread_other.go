//go:build !unix

package sambridge

import "net"

// An idleReader reads from a client into chunks.
type idleReader struct{ waitingReader }

func newIdleReader(nc net.Conn) *idleReader { return &idleReader{waitingReader{nc: nc}} }
