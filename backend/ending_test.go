package backend

import (
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestTimeToEnd: who runs a service says how long its requests in flight may take.
func TestTimeToEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		begun := make(chan bool)
		service := HTTP(80, http.HandlerFunc(func(_ http.ResponseWriter, req *http.Request) {
			close(begun)
			<-req.Context().Done()
		}))
		ctx, end := context.WithCancelCause(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- Services(service).Serve(ctx, r.host) }()
		synctest.Wait()
		conn := r.dial(r.net.NewRemote(0, false), 80)
		io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		<-begun
		told := time.Now()
		end(&Ending{Limit: 5 * time.Minute})
		if err := <-ended; err == nil || time.Since(told) != 5*time.Minute {
			t.Errorf("ended after %v: %v", time.Since(told), err)
		}
	})
}
