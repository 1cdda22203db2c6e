package guest

import (
	"io"
	"net"
	"os"
	"time"

	"github.com/hashicorp/yamux"
)

const (
	// aliveEvery is how often each end of a connection asks whether the other lives,
	// and aliveWithin how long that may take. Who serves a Destination notices in 2 s, by
	// SAM's and the control link's own beats; this is for the connection itself, which
	// then is made again.
	aliveEvery  = 2 * time.Second
	aliveWithin = 10 * time.Second
	// shakeTime is for TLS, a header or a reply.
	shakeTime = 10 * time.Second
	// lingerTime is how long the other end of a stream may take to end it too.
	lingerTime = 10 * time.Second
)

// muxConfig is for both ends. A stream's window, 256 KiB, is the least that
// yamux has; its buffer is as large as what waits to be read.
func muxConfig() *yamux.Config {
	c := yamux.DefaultConfig()
	c.KeepAliveInterval, c.ConnectionWriteTimeout = aliveEvery, aliveWithin
	c.StreamOpenTimeout, c.StreamCloseTimeout = 3*aliveWithin, lingerTime
	c.LogOutput = io.Discard // what goes wrong is in the errors
	return c
}

// A stream is a net.Conn whose Close unblocks its readers, as it is with others.
type stream struct{ *yamux.Stream }

// Close ends both directions.
func (s stream) Close() error {
	err := s.Stream.Close()
	s.Stream.SetReadDeadline(time.Unix(1, 0))
	return err
}

// Read fails with os.ErrDeadlineExceeded where yamux has an error of its own.
func (s stream) Read(b []byte) (int, error) {
	n, err := s.Stream.Read(b)
	if err == yamux.ErrTimeout {
		err = os.ErrDeadlineExceeded
	}
	return n, err
}

var _ net.Conn = stream{}
