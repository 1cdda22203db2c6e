package i2cp

import (
	"context"
	"errors"
	"testing"
	"time"
)

// A router that is flooded answers late, but reads; one that hangs does not.
func TestFloodedRouterIsKept(t *testing.T) {
	bubble(t, nil, func(r *rig) {
		end := r.establish()
		reading, stop := context.WithTimeout(r.Context(), 10*time.Second)
		defer stop()
		go func() {
			for data := make([]byte, 60000); reading.Err() == nil; time.Sleep(time.Millisecond) {
				r.Send(testKeys.Destination, 1, 2, ProtocolRaw, data, SendOptions{})
			}
		}()
		for b := make([]byte, 4096); reading.Err() == nil; time.Sleep(20 * time.Millisecond) {
			if _, err := end.conn.Read(b); err != nil {
				r.Fatalf("a router that reads was left: %v", err)
			}
		}
		hangs := time.Now()
		if err := next[down](r).err; !errors.Is(err, ErrUnresponsive) {
			r.Errorf("down with %v", err)
		}
		if took := time.Since(hangs); took > 2*time.Second {
			r.Errorf("noticed after %v", took)
		}
	})
}
