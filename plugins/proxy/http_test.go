package proxy

import (
	"fmt"
	"net"
	"net/http"
	"path/filepath"
	"testing"
)

func TestUnixTarget(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "app.sock")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Host, r.URL.Path) })}
	go server.Serve(ln)
	defer server.Close()
	if _, body := newWorld(t, &Service{Target: "unix:" + socket}).get("/x"); body != "site.i2p/x" {
		t.Errorf("got %q", body)
	}
}
