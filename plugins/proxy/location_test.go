package proxy

import (
	"net"
	"net/http"
	"testing"
)

func TestLocations(t *testing.T) {
	tcp, unix := "http://127.0.0.1:8080", "unix:/run/app.sock"
	for _, test := range []struct{ target, spoof, from, to string }{
		{tcp, "", "http://127.0.0.1:8080/login?a=b#c", "/login?a=b#c"},
		{tcp, "", "http://localhost:8080", "/"},
		{tcp, "", "https://LocalHost/x", "/x"},
		{tcp, "", "//[::1]:8080/a%2Fb", "/a%2Fb"},
		{tcp, "", "http://0.0.0.0:8080/", "/"},
		{tcp, "", "http://127.0.0.1:8080//evil.com/", "/evil.com/"},
		{tcp, "", `http://127.0.0.1:8080/\evil.com`, "/%5Cevil.com"},
		{tcp, "", "http://127.0.0.1:7657/console", "http://127.0.0.1:7657/console"},
		{tcp, "", "http://other.i2p/", "http://other.i2p/"},
		{tcp, "", "/x", "/x"},
		{tcp, "", "x/../y", "x/../y"},
		{tcp, "", "://", "://"},
		{tcp, "shop.local", "http://shop.local/x", "/x"},
		{tcp, "shop.local:81", "http://SHOP.local:81/x", "/x"},
		{tcp, "shop.i2p", "http://shop.i2p/x", "http://shop.i2p/x"},
		{"http://10.0.0.5:8080", "", "http://10.0.0.5/x", "/x"},
		{"http://10.0.0.5:8080", "", "http://localhost:8080/x", "http://localhost:8080/x"},
		{unix, "", "http://localhost/x", "/x"},
		{unix, "", "http://localhost:7657/x", "http://localhost:7657/x"},
	} {
		parsed, err := parseTarget(test.target)
		if err != nil {
			t.Fatal(err)
		}
		p := &proxy{Service: Service{SpoofHost: test.spoof}, target: parsed}
		if got := p.relative(test.from); got != test.to {
			t.Errorf("%s %s: %q becomes %q, want %q", test.target, test.spoof, test.from, got, test.to)
		}
	}
	target := startTarget(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "http://"+r.Context().Value(http.LocalAddrContextKey).(net.Addr).String()+"/next", http.StatusFound)
	})
	if answer, _ := newWorld(t, &Service{Target: target.URL}).get("/"); answer.Header.Get("Location") != "/next" {
		t.Errorf("Location %q", answer.Header.Get("Location"))
	}
}
