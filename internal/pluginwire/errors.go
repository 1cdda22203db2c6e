package pluginwire

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// Errors of a backend that cross. Package backend has them under the same names,
// which is where to take them from.
var (
	ErrConfig     = errors.New("backend configuration")
	ErrNoFrontend = errors.New("no frontend is connected")
	ErrNoSigner   = errors.New("no signer")
)

var (
	// ErrProtocol says that the other end does not keep to the protocol.
	ErrProtocol = errors.New("not the plugin protocol")
	// ErrBroken says that a connection ended without END or RESET, as when the
	// process at the other end dies. It is streaming.ErrReset too.
	ErrBroken = fmt.Errorf("the connection to the data socket broke: %w", streaming.ErrReset)
)

// A Code tells errors apart that a caller would act upon. Its values are those of
// ErrorCode in plugin.proto.
type Code uint8

// The codes.
const (
	CodeNone Code = iota
	CodeOther
	CodePortInUse
	CodeNoFrontend
	CodeNoSigner
	CodeUnreachable
	CodeRefused
	CodeTimeout
	CodeReset
	CodeInvalid
	CodeClosed
	CodeConfig
)

// codes are what errors become. The first of a code is what it is made of again;
// the first that fits is taken.
var codes = []struct {
	code Code
	err  error
}{
	{CodePortInUse, streaming.ErrPortInUse},
	{CodeNoSigner, ErrNoSigner},
	{CodeNoFrontend, ErrNoFrontend},
	{CodeUnreachable, sam.ResultKeyNotFound},
	{CodeUnreachable, sam.ResultCantReachPeer},
	{CodeUnreachable, sam.ResultPeerNotFound},
	{CodeRefused, streaming.ErrRefused},
	{CodeTimeout, streaming.ErrTimeout},
	{CodeTimeout, context.DeadlineExceeded},
	{CodeTimeout, sam.ResultTimeout},
	{CodeReset, streaming.ErrReset},
	{CodeInvalid, i2p.ErrInvalid},
	{CodeInvalid, sam.ResultInvalidKey},
	{CodeInvalid, i2p.ErrUnsupported},
	{CodeInvalid, i2p.ErrTruncated},
	{CodeClosed, net.ErrClosed},
	{CodeConfig, ErrConfig},
}

// CodeOf is err's code: CodeNone of nil, CodeOther of what has none.
func CodeOf(err error) Code {
	if err == nil {
		return CodeNone
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	for _, c := range codes {
		if errors.Is(err, c.err) {
			return c.code
		}
	}
	return CodeOther
}

// An Error is one that crossed. It is the error that its Code stands for, as
// errors.Is has it.
type Error struct {
	Code Code
	Text string
}

// Of is err as it crosses, or nil of nil. The net.OpError around it is left to the
// other end, which makes one of its own.
func Of(err error) *Error {
	if err == nil {
		return nil
	}
	code := CodeOf(err)
	if op, ok := err.(*net.OpError); ok {
		err = op.Err
	}
	return &Error{code, err.Error()}
}

// Error is the text, or what the code says.
func (e *Error) Error() string {
	if is := e.Unwrap(); e.Text == "" && is != nil {
		return is.Error()
	}
	return e.Text
}

// Unwrap is the error that the code stands for, or nil.
func (e *Error) Unwrap() error {
	for _, c := range codes {
		if c.code == e.Code {
			return c.err
		}
	}
	return nil
}

// Is knows the other errors of its code, any of which it may have been: a bad name is
// i2p.ErrInvalid or sam.ResultInvalidKey, depending on who saw it.
func (e *Error) Is(target error) bool {
	for _, c := range codes {
		if c.code == e.Code && c.err == target {
			return true
		}
	}
	return false
}

// Timeout makes it a net.Error.
func (e *Error) Timeout() bool { return e.Code == CodeTimeout }

// Temporary is as a stream's errors have it.
func (e *Error) Temporary() bool { return false }

// maxError is the most bytes of an error: its code and its text.
const maxError = 1024

// AppendTo appends the code and as much of the text as fits.
func (e *Error) AppendTo(b []byte) []byte {
	text := e.Text
	if len(text) >= maxError {
		text = text[:maxError-1]
	}
	return append(append(b, byte(e.Code)), strings.ToValidUTF8(text, "")...)
}

// ParseError reads an error.
func ParseError(b []byte) (*Error, error) {
	if len(b) == 0 || len(b) > maxError {
		return nil, fmt.Errorf("error of %d bytes: %w", len(b), ErrProtocol)
	}
	return &Error{Code(b[0]), strings.ToValidUTF8(string(b[1:]), "?")}, nil
}

var _ net.Error = (*Error)(nil)
