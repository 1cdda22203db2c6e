package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

// open runs the room on a network that loses some of what is sent.
func open(t *testing.T, test func(ctx context.Context, network *embedded.Network, address string, closeRoom func())) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		network := embedded.Start(embedded.Config{Link: simnet.Link{Loss: 0.03, Jitter: 20 * time.Millisecond}})
		defer network.Close()
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() {
			ended <- onelease.Run(ctx, onelease.Config{
				Keys: keys, Routers: network.Routers(), Service: newRoom(), Logger: slog.New(slog.DiscardHandler),
			})
		}()
		closeRoom := sync.OnceFunc(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Error(err)
			}
		})
		defer closeRoom()
		test(t.Context(), network, fmt.Sprintf("%s:%d", keys.Destination.Base32(), port), closeRoom)
	})
}

// Of five remotes that talk at once, each hears all that the others say, in the
// order in which they say it.
func TestTalk(t *testing.T) {
	const callers, lines = 5, 20
	open(t, func(ctx context.Context, network *embedded.Network, address string, _ func()) {
		var all []*caller
		for i := range callers {
			c, greeting, err := call(ctx, network.Remote(), address)
			if err != nil || greeting != fmt.Sprintf("you are guest-%d, of %d here\n", i+1, i+1) {
				t.Fatalf("caller %d was told %q, %v", i+1, greeting, err)
			}
			defer c.conn.Close()
			all = append(all, c)
		}
		var talking sync.WaitGroup
		for i, c := range all {
			talking.Go(func() {
				for n := range lines {
					if err := c.say(fmt.Sprint(n)); err != nil {
						t.Error(err)
					}
				}
			})
			talking.Go(func() { c.checkHears(t, i+1, callers, lines) })
		}
		talking.Wait()
	})
}

// checkHears reads what all others say.
func (c *caller) checkHears(t *testing.T, self, callers, lines int) {
	next := map[string]int{}
	for left := (callers - 1) * lines; left > 0; {
		line, err := c.hear()
		if err != nil {
			t.Errorf("guest %d: %v, with %d lines to come", self, err, left)
			return
		}
		name, text, said := strings.Cut(strings.TrimSpace(line), ": ")
		if !said {
			continue // somebody has come
		}
		if text != fmt.Sprint(next[name]) || name == fmt.Sprintf("guest-%d", self) {
			t.Errorf("guest %d heard %q, want line %d of another", self, line, next[name])
			return
		}
		next[name]++
		left--
	}
}

// Who goes is seen to go; when the room closes, all are told so, and then it is
// the end.
func TestEnds(t *testing.T) {
	open(t, func(ctx context.Context, network *embedded.Network, address string, closeRoom func()) {
		first, _, err := call(ctx, network.Remote(), address)
		if err != nil {
			t.Fatal(err)
		}
		second, _, err := call(ctx, network.Remote(), address)
		if err != nil {
			t.Fatal(err)
		}
		second.conn.Close()
		for _, want := range []string{"guest-2 has come\n", "guest-2 has gone\n"} {
			if line, err := first.hear(); line != want {
				t.Errorf("heard %q, %v, want %q", line, err, want)
			}
		}
		closeRoom()
		if line, err := first.hear(); line != "the room closes\n" {
			t.Errorf("heard %q, %v", line, err)
		}
		if line, err := first.hear(); !errors.Is(err, io.EOF) {
			t.Errorf("heard %q, %v, want the end", line, err)
		}
	})
}

// One who does not read goes, and holds nobody up. What is no text is not passed on.
func TestDeafVisitor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &room{visitors: map[*visitor]bool{}}
		deaf, far := net.Pipe()
		var visits sync.WaitGroup
		visits.Go(func() { r.host(t.Context(), far) })
		synctest.Wait()
		for range 2 * backlog {
			r.say(nil, printable("\x1b[2J\u0085hello"))
		}
		if len(r.visitors) != 0 {
			t.Errorf("it is still there")
		}
		for _, want := range []string{"you are guest-1, of 1 here\n", "?[2J?hello\n"} {
			got := make([]byte, len(want))
			if _, err := io.ReadFull(deaf, got); err != nil || string(got) != want {
				t.Errorf("read %q, %v, want %q", got, err, want)
			}
		}
		deaf.Close()
		visits.Wait()
	})
}

// The program as a user runs it.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		if err := run(t.Context(), nil, &out); err != nil {
			t.Fatal(err)
		}
		if want := "  guest-1 hears: guest-3: hello from the third\n"; !strings.HasSuffix(out.String(), want) {
			t.Errorf("it showed %q, want %q at the end", out.String(), want)
		}
	})
	err := run(t.Context(), []string{"--member", "127.0.0.1:1", "--publisher", "127.0.0.1:2"}, nil)
	if !errors.Is(err, onelease.ErrConfig) || !strings.Contains(err.Error(), "Dir") {
		t.Errorf("real routers without a directory: %v", err)
	}
}
