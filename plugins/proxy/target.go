package proxy

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// dialTimeout is how long a target, which is near, may take to take a connection.
const dialTimeout = 10 * time.Second

// A target is where a Service passes on to.
type target struct {
	http             bool
	network, address string // as for net.Dial
}

var errTarget = errors.New("want http://HOST:PORT, unix:/PATH or tcp://HOST:PORT, such as http://127.0.0.1:8080")

func parseTarget(text string) (target, error) {
	if text == "" {
		return target{}, fmt.Errorf("it is empty: %w", errTarget)
	}
	if path, ok := strings.CutPrefix(text, "unix:"); ok {
		path = strings.TrimPrefix(path, "//")
		if !filepath.IsAbs(path) {
			return target{}, fmt.Errorf("%q is no path from the root: %w", path, errTarget)
		}
		return target{http: true, network: "unix", address: path}, nil
	}
	u, err := url.Parse(text)
	switch {
	case err != nil || u.Hostname() == "":
		return target{}, fmt.Errorf("%q cannot be read: %w", text, errTarget)
	case u.Scheme != "http" && u.Scheme != "tcp":
		return target{}, fmt.Errorf("%q: %w", u.Scheme, errTarget)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Path != "" && u.Path != "/":
		return target{}, fmt.Errorf("%q has more than a host and a port: %w", u.Redacted(), errTarget)
	}
	port := u.Port()
	if port == "" && u.Scheme == "http" {
		port = "80"
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return target{}, fmt.Errorf("%q has no port from 1 to 65535: %w", text, errTarget)
	}
	return target{http: u.Scheme == "http", network: "tcp", address: net.JoinHostPort(u.Hostname(), port)}, nil
}

func (t target) dial(ctx context.Context) (net.Conn, error) {
	dialer := net.Dialer{Timeout: dialTimeout}
	return dialer.DialContext(ctx, t.network, t.address)
}

// health says in the log when the target fails and when it works again, but not for
// each visitor.
type health struct {
	log    *slog.Logger
	failed atomic.Bool
}

func (h *health) fails(err error) {
	level := slog.LevelError
	if h.failed.Swap(true) {
		level = slog.LevelDebug
	}
	h.log.Log(context.Background(), level, "the target does not answer: start it, or set target to where it is", "error", err)
}

func (h *health) works() {
	if h.failed.Load() && h.failed.Swap(false) {
		h.log.Info("the target answers again")
	}
}
