package streaming

import (
	"errors"
	"syscall"
)

// Errors of streams, beside net.ErrClosed and os.ErrDeadlineExceeded.
var (
	// ErrConfig says that a Config cannot work; the message names the field.
	ErrConfig = errors.New("streaming configuration")
	// ErrRefused says that the remote did not take the stream: it reset the
	// stream before it answered. It is syscall.ECONNREFUSED too.
	ErrRefused error = &streamError{text: "stream refused", is: syscall.ECONNREFUSED}
	// ErrReset says that the remote ended the stream at once; what was sent may
	// be lost. It is syscall.ECONNRESET too.
	ErrReset error = &streamError{text: "stream reset by the remote", is: syscall.ECONNRESET}
	// ErrTimeout says that the remote was silent for too long. Its Timeout
	// method returns true.
	ErrTimeout error = &streamError{text: "stream timed out", timeout: true}
	// ErrPortInUse says that there is a Listener on that port.
	ErrPortInUse = errors.New("port is in use")

	errNoID      = errors.New("all stream IDs are in use")
	errExhausted = errors.New("stream has used up its sequence numbers")
)

// A streamError is a net.Error, which may be one of the system's too.
type streamError struct {
	text    string
	is      error
	timeout bool
}

func (e *streamError) Error() string   { return e.text }
func (e *streamError) Unwrap() error   { return e.is }
func (e *streamError) Timeout() bool   { return e.timeout }
func (e *streamError) Temporary() bool { return false }
