package backend

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// TestSlowResponseArrives: a response that its remote reads slowly arrives to the end, also
// if nothing but the stream knows of it any more when Run is told to end.
func TestSlowResponseArrives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := makeRig(t, 1, nil).withNet()
		defer r.stop()
		want := seeded(3 << 20) // more than both ends buffer
		written := make(chan bool)
		service := HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Write(want)
			close(written)
		}))
		ctx, end := context.WithCancelCause(t.Context())
		done := make(chan error, 1)
		go func() { done <- Run(ctx, r.host, service) }()
		synctest.Wait()
		conn := r.dial(r.net.NewRemote(0, false), 80)
		io.WriteString(conn, "GET / HTTP/1.0\r\n\r\n")
		go func() {
			<-written
			end(&Ending{Limit: 5 * time.Minute})
		}()
		var got []byte
		var err error
		for part := make([]byte, 64<<10); err == nil; time.Sleep(time.Second) {
			var n int
			n, err = conn.Read(part)
			got = append(got, part[:n]...)
		}
		if err != io.EOF || !bytes.HasSuffix(got, want) {
			t.Errorf("%d bytes, with the header, of %d: %v", len(got), len(want), err)
		}
		conn.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

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
