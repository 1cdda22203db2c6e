package simproxy

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func TestProxy(t *testing.T) {
	site := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, r.Host+r.URL.Path)
	}))
	defer site.Close()
	asked := ""
	proxy := httptest.NewServer(New(func(ctx context.Context, _, address string) (net.Conn, error) {
		if asked = address; strings.HasPrefix(address, "gone") {
			return nil, errors.New("no such Destination")
		}
		return new(net.Dialer).DialContext(ctx, "tcp", site.Listener.Addr().String())
	}))
	defer proxy.Close()
	at, _ := url.Parse(proxy.URL)
	client := http.Client{Transport: &http.Transport{Proxy: http.ProxyURL(at)}}
	for ask, want := range map[string]string{
		"http://site.b32.i2p/page": "200 site.b32.i2p/page",
		"http://gone.b32.i2p/":     "502 not reached: no such Destination",
		"http://example.org/":      "400 this is a proxy",
	} {
		response, err := client.Get(ask)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if got := response.Status[:4] + string(body); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", ask, got, want)
		}
	}
	if _, err := client.Get("https://site.b32.i2p/"); err == nil || !strings.Contains(err.Error(), "Method Not Allowed") {
		t.Errorf("CONNECT: %v", err)
	}
	if !strings.HasSuffix(asked, ":80") {
		t.Errorf("dialled %s", asked)
	}
}
