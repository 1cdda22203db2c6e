package upd

import (
	"context"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/internal/daemon"
)

// When services are told to end and are done at once, what they have written still has the
// time that the Node gives: it is told before they are said to have ended.
func TestServicesEndAfterNodeIsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &Site{set: &daemon.Set{}, log: slog.New(slog.DiscardHandler), begin: make(chan context.Context, 1), ended: make(chan struct{})}
		serving, end := context.WithCancel(t.Context())
		node, tell := context.WithCancel(t.Context())
		defer tell()
		s.begin <- serving
		end()
		ended := make(chan error, 1)
		go func() { ended <- s.serve(node, nil) }()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Errorf("it ended before the Node was told to: %v", err)
		default:
		}
		tell()
		synctest.Wait()
		select {
		case err := <-ended:
			if err != nil {
				t.Error(err)
			}
		default:
			t.Error("it has not ended")
		}
	})
}
