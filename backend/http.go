package backend

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/onelease/onelease/i2p"
)

const (
	// headerTimeout is how long the header of a request may take. A stream's
	// first packets may be lost and sent again after 9 s and more.
	headerTimeout = time.Minute
	// keepAlive is how long a connection may be idle between two requests. Java
	// I2P's HTTP proxy keeps one for 120 s (I2PTunnelHTTPClient.java,
	// BROWSER_KEEPALIVE_TIMEOUT) and should be the first to let go, so its server
	// too waits for 10 s more.
	keepAlive = 130 * time.Second
	// bodyPause is how long a request's body may stand still. It is what a stream
	// gets that has to change its router.
	bodyPause = 3 * time.Minute
	// maxHeader is the size of a request's header in bytes at most, as in Java I2P
	// (I2PTunnelHTTPServer.java, MAX_TOTAL_HEADER_SIZE).
	maxHeader = 32 << 10
)

// HTTP is a Service that answers HTTP requests to a port with h. Port 80 is the
// one that browsers connect to; 0 is all that nobody else has opened.
//
// A request's RemoteAddr is the remote's "b32:port", and RemoteOf has its whole
// address. Connections are kept alive. Headers and bodies that take too long end
// the connection; how long a response may take is h's to say, since it may be
// a download.
//
// There is no Date in responses, unless h sets one: I2P hides where a host is, and
// a clock that is off tells which services are on the same one.
//
// When ctx ends, no new connections are accepted, idle ones are closed, and
// requests in flight have TimeToEnd, 30 s mostly. What h has hijacked gets its context
// cancelled then, and must end by itself.
func HTTP(port uint16, h http.Handler) Service { return &httpService{port, h} }

type httpService struct {
	port    uint16
	handler http.Handler
}

// An httpServer is one that serves.
type httpServer struct {
	http.Server
	first firstRequests
}

// Serve implements Service.
func (s *httpService) Serve(ctx context.Context, node Node) error {
	ln, err := node.Listen(s.port)
	if err != nil {
		return err
	}
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	server := s.server(requests, node.Logger())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(ln) }()
	select {
	case err := <-ended:
		server.Close()
		return fmt.Errorf("HTTP on port %d: %w", s.port, err)
	case <-ctx.Done():
	}
	ln.Close()
	<-ended // what has been accepted is known to server
	server.first.wait()
	limit := TimeToEnd(ctx)
	patience, stop := context.WithTimeout(requests, limit)
	defer stop()
	if err := server.Shutdown(patience); err != nil {
		cancel()
		server.Close()
		return fmt.Errorf("HTTP on port %d: requests are cut off that took over %v to end: %w", s.port, limit, err)
	}
	return nil
}

func (s *httpService) server(requests context.Context, log *slog.Logger) *httpServer {
	server := new(httpServer)
	server.Server = http.Server{
		Handler:           guard{s.handler, log, &server.first},
		ReadHeaderTimeout: headerTimeout,
		IdleTimeout:       keepAlive,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return requests },
		ConnContext:       server.first.await,
		ConnState:         server.first.note,
		// What it logs names remotes.
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	return server
}

// A guard is around a handler.
type guard struct {
	handler http.Handler
	log     *slog.Logger
	first   *firstRequests
}

// ServeHTTP implements http.Handler.
func (g guard) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	defer g.logPanic()
	g.first.came(r.Context())
	w.Header()["Date"] = nil
	if r.Body != http.NoBody {
		body := &patientBody{ReadCloser: r.Body, control: http.NewResponseController(w)}
		body.wait() // net/http reads what the handler does not
		r.Body = body
	}
	g.handler.ServeHTTP(w, r)
}

// logPanic logs a panic without the remote's name, which net/http would add.
func (g guard) logPanic() {
	switch v := recover(); v {
	case nil:
		return
	case http.ErrAbortHandler:
	default:
		g.log.Error("HTTP handler panicked, the connection is closed; this is a bug in the handler",
			"panic", v, "stack", string(debug.Stack()))
	}
	panic(http.ErrAbortHandler)
}

// A patientBody is a request's body that may take long, but not stand still.
type patientBody struct {
	io.ReadCloser
	control *http.ResponseController
	ended   bool
}

func (b *patientBody) wait() { _ = b.control.SetReadDeadline(time.Now().Add(bodyPause)) }

func (b *patientBody) Read(p []byte) (int, error) {
	if !b.ended { // afterwards net/http waits for the connection's end
		b.wait()
	}
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err != nil
	return n, err
}

type remoteKey struct{}

func withRemote(ctx context.Context, conn net.Conn) context.Context {
	remote, ok := conn.RemoteAddr().(*i2p.Addr)
	if !ok {
		return ctx
	}
	return context.WithValue(ctx, remoteKey{}, remote)
}

// RemoteOf is who sent the request with that context, or nil if it did not come
// by HTTP.
func RemoteOf(ctx context.Context) *i2p.Addr {
	remote, _ := ctx.Value(remoteKey{}).(*i2p.Addr)
	return remote
}

var (
	_ Service      = (*httpService)(nil)
	_ http.Handler = guard{}
	_ io.Reader    = (*patientBody)(nil)
)
