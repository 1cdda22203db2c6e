package way

import (
	"context"
	"crypto/tls"
	"net"
	"testing"
)

func TestNothingCrossesANetworkInTheClear(t *testing.T) {
	dial := func(context.Context, string) (net.Conn, error) { return nil, nil }
	for _, c := range []struct {
		addr string
		way  Way
		want bool
	}{
		{"127.0.0.1:1", Way{}, true},
		{"[::1]:1", Way{}, true},
		{"localhost:1", Way{}, true},
		{"10.0.0.1:1", Way{}, false},
		{"localhost.example:1", Way{}, false},
		{"127.0.0.1", Way{}, false},
		{"10.0.0.1:1", Way{TLS: &tls.Config{}}, true},
		{"b1", Way{Dial: dial}, true},
	} {
		if got := c.way.Reaches(c.addr); got != c.want {
			t.Errorf("%q: %v, want %v", c.addr, got, c.want)
		}
	}
}
