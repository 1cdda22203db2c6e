package backend

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"
)

// newPatience is how long a connection that was accepted before the end may take to
// bring its first request.
const newPatience = 5 * time.Second

// firstRequests are the connections of an http.Server whose first request has not come
// to the handler yet. Shutdown drops those without an answer, also if the request is
// there: net/http looks for the end once more after it has read one. So they are waited
// for before.
type firstRequests struct {
	mu      sync.Mutex
	awaited map[net.Conn]struct{}
	none    chan struct{} // closed, once there is one, when none is awaited
}

type connKey struct{}

// await is the server's ConnContext.
func (f *firstRequests) await(ctx context.Context, conn net.Conn) context.Context {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.awaited == nil {
		f.awaited = make(map[net.Conn]struct{})
	}
	f.awaited[conn] = struct{}{}
	return context.WithValue(withRemote(ctx, conn), connKey{}, conn)
}

// came is called for each request by the handler.
func (f *firstRequests) came(ctx context.Context) {
	if conn, ok := ctx.Value(connKey{}).(net.Conn); ok {
		f.forget(conn)
	}
}

// note is the server's ConnState.
func (f *firstRequests) note(conn net.Conn, state http.ConnState) {
	if state == http.StateClosed || state == http.StateHijacked {
		f.forget(conn)
	}
}

func (f *firstRequests) forget(conn net.Conn) {
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.awaited, conn)
	if len(f.awaited) == 0 && f.none != nil {
		close(f.none)
		f.none = nil
	}
}

// wait waits until no connection is awaited, or newPatience has passed. There must be
// no new ones any more.
func (f *firstRequests) wait() {
	f.mu.Lock()
	if len(f.awaited) == 0 {
		f.mu.Unlock()
		return
	}
	none := make(chan struct{})
	f.none = none
	f.mu.Unlock()
	select {
	case <-none:
	case <-time.After(newPatience):
	}
}
