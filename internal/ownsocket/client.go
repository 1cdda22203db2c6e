package ownsocket

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
)

// Transport is for one request of HTTP to who listens on the socket, whatever host its URL
// names. The errors are ErrLongPath, and those that NobodyListens tells from others.
func Transport(path string) *http.Transport {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		if len(path) > maxSocket {
			return nil, fmt.Errorf("socket %s: %w", path, ErrLongPath)
		}
		return new(net.Dialer).DialContext(ctx, "unix", path)
	}
	return &http.Transport{DisableKeepAlives: true, DialContext: dial}
}

// NobodyListens reports whether a request failed for want of a connection: no socket is
// there, its process is gone, or it is another user's.
func NobodyListens(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}
