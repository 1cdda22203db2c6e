package embedded_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

var hello = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, "hello ", backend.RemoteOf(r.Context()) != nil)
})

// serve runs a Destination on the network until what it returns is called.
func serve(t *testing.T, network *embedded.Network) (b32 string, stop func()) {
	t.Helper()
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- onelease.Run(ctx, onelease.Config{
			Keys: keys, Routers: network.Routers(), Service: backend.HTTP(80, hello), Logger: slog.New(slog.DiscardHandler),
		})
	}()
	return keys.Destination.Base32(), func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

// fetch asks by a connection of its own.
func fetch(remote *embedded.Remote, b32 string) error {
	client := http.Client{Transport: &http.Transport{DialContext: remote.DialContext, DisableKeepAlives: true}}
	response, err := client.Get("http://" + b32 + "/")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && string(body) != "hello true" {
		err = fmt.Errorf("answered %s %q", response.Status, body)
	}
	return err
}

// In a program: the first request is answered in a second or two.
func TestFetch(t *testing.T) {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	b32, stop := serve(t, network)
	defer stop()
	began := time.Now()
	if err := fetch(network.Remote(), b32); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 10*time.Second {
		t.Errorf("the first request took %v", took)
	} else {
		t.Logf("the first request took %v", took)
	}
}

// A host name leads to a site, on whatever port; another name to nothing.
func TestNames(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := embedded.Start(embedded.Config{Names: []string{"zzz.i2p", "idk.i2p"}})
		defer network.Close()
		client := network.Remote().Client()
		defer client.CloseIdleConnections()
		for _, host := range []string{"zzz.i2p", "idk.i2p:8080"} {
			response, err := client.Get("http://" + host + "/a<b")
			if err != nil {
				t.Fatal(err)
			}
			body, err := io.ReadAll(response.Body)
			response.Body.Close()
			if name, _, _ := strings.Cut(host, ":"); err != nil || !strings.Contains(string(body), name) || !strings.Contains(string(body), "/a&lt;b") {
				t.Errorf("%s: %q, %v", host, body, err)
			}
		}
		if _, err := client.Get("http://nobody.i2p/"); !errors.Is(err, i2p.ErrInvalid) {
			t.Errorf("a name that nobody has: %v", err)
		}
	})
}

// In a bubble: by each make of router, and as slow as those are.
func TestInBubble(t *testing.T) {
	for _, profile := range []simnet.Profile{simnet.I2PD245, simnet.I2PD258, simnet.JavaI2P} {
		for _, slow := range []bool{false, true} {
			t.Run(fmt.Sprint(profile.Name, " slow ", slow), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					network := embedded.Start(embedded.Config{Profile: profile, Slow: slow, Members: 4})
					defer network.Close()
					b32, stop := serve(t, network)
					defer stop()
					began := time.Now()
					remote := network.Remote()
					if err := fetch(remote, b32); err != nil {
						t.Fatal(err)
					}
					t.Logf("the first request took %v", time.Since(began))
					if took := time.Since(began); slow != (took > 10*time.Second) {
						t.Errorf("the first request took %v", took)
					}
				})
			})
		}
	}
}
