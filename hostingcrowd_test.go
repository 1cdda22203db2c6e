package onelease_test

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/test/embedded"
)

// Many Destinations dial one remote in the same moment, and lose their router in the
// same moment: all get through to it, though it takes in one new session in 200 ms.
func TestHostingCrowd(t *testing.T) {
	inHosting(t, embedded.Config{}, onelease.HostingConfig{}, func(w *hostingWorld) {
		remote := w.network.Remote()
		defer remote.Close()
		ln, err := remote.Stack().Listen(7)
		if err != nil {
			w.t.Fatal(err)
		}
		go echoOn(ln)
		var all []*onelease.Hosted
		for range 8 {
			all = append(all, w.open(onelease.Opening{}))
		}
		time.Sleep(20 * time.Second) // the remote is in the netDB
		streams := make([]net.Conn, len(all))
		took := together(len(all), func(i int) error {
			ctx, cancel := context.WithTimeout(w.t.Context(), time.Minute)
			defer cancel()
			var err error
			if streams[i], err = all[i].Host().DialContext(ctx, "i2p", fmt.Sprintf("%s:7", remote.Destination().Base32())); err != nil {
				return err
			}
			return ask(streams[i], "hello\n")
		}, w.t)
		if w.t.Failed() {
			return
		}
		if most := slices.Max(took); most > 5*time.Second {
			w.t.Errorf("dials took %v", took)
		}
		time.Sleep(130 * time.Second) // sessions that are younger cannot be taken over
		for _, c := range streams {
			defer c.Close()
			if err := ask(c, "before\n"); err != nil {
				w.t.Fatal(err)
			}
		}
		w.network.Router("member-1").Kill()
		took = together(len(all), func(i int) error { return ask(streams[i], "after\n") }, w.t)
		if most := slices.Max(took); most > 8*time.Second {
			w.t.Errorf("after the loss it took %v", took)
		}
	})
}

// together has n do something at once, and returns how long each took.
func together(n int, do func(i int) error, t *testing.T) []time.Duration {
	t.Helper()
	took, began := make([]time.Duration, n), time.Now()
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() {
			if err := do(i); err != nil {
				t.Errorf("%d: %v after %v", i, err, time.Since(began))
			}
			took[i] = time.Since(began).Round(time.Millisecond)
		})
	}
	group.Wait()
	return took
}
