package backend

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// A request that is still on its way when the service is told to end, by a connection
// that was accepted before, is answered.
func TestHTTPAnswersWhoWasAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newStreamRig(t, 1, nil)
		defer r.stop()
		stop := r.serve(HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })))
		conn := r.dial(r.net.NewRemote(0, false), 80)
		defer conn.Close()
		fmt.Fprint(conn, "GET / HTTP/1.1\r\n")
		synctest.Wait()
		time.Sleep(time.Second)
		ended := make(chan error, 1)
		go func() { ended <- stop() }()
		time.Sleep(time.Second)
		fmt.Fprint(conn, "Host: x\r\n\r\n")
		response, err := io.ReadAll(conn)
		if err != nil || !strings.HasSuffix(string(response), "hello") {
			t.Errorf("%q, %v", response, err)
		}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}
