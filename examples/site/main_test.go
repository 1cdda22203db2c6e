package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/plugins/site"
)

func newKeys(t *testing.T) *i2p.Keys {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}

func TestSite(t *testing.T) {
	root := t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "page.html"), []byte("<p>hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		keys := newKeys(t)
		f := backendtest.NewFrontend(keys.Destination)
		defer f.Close()
		host, err := backend.NewHost(backend.Config{
			Destination: keys.Destination,
			Frontends:   []backend.Frontend{{Name: "f", Dial: f.Dial}},
			Signer:      keys,
			Logger:      slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- backend.Run(ctx, host, &site.Service{Root: root}) }()
		network := backendtest.NewNet(t, []*backendtest.Frontend{f})
		defer network.Close()
		synctest.Wait()

		remote := network.NewRemote(0, false)
		browser := &http.Client{Transport: &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return remote.Stack.Dial(ctx, streaming.NewRemote(keys.Destination), 0, 80)
			},
		}}
		answer, err := browser.Get("http://site.i2p/page.html")
		if err != nil {
			t.Fatal(err)
		}
		if page, err := io.ReadAll(answer.Body); err != nil || string(page) != "<p>hello" {
			t.Errorf("page %q, %v", page, err)
		}
		answer.Body.Close()
		time.Sleep(time.Minute)
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestWrongUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys.dat")
	if err := i2p.WriteKeyFile(file, newKeys(t), i2p.KeyBinary); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args []string
		says string
	}{
		{nil, "usage"},
		{[]string{file, "."}, "usage"},
		{[]string{"none.dat", ".", "127.0.0.1:1"}, "none.dat"},
		{[]string{file, "none", "127.0.0.1:1"}, "no directory"},
	} {
		if err := run(t.Context(), test.args); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%q: %v, want %q", test.args, err, test.says)
		}
	}
}
