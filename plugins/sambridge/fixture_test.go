package sambridge

import (
	"bufio"
	"context"
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
	"github.com/onelease/onelease/internal/logtest"
	"github.com/onelease/onelease/internal/memconn"
	"github.com/onelease/onelease/test/embedded"
)

// A world is a bridge on an embedded network.
type world struct {
	profile simnet.Profile // of all routers
	t       testing.TB
	network *embedded.Network
	hosting *onelease.Hosting
	bridge  *Bridge
	dial    func() (net.Conn, error)
	ended   chan error // Run has returned

	log  logtest.Buffer // which names nobody
	mu   sync.Mutex
	made []i2p.Destination // by session
}

// newWorld has clients connect by TCP, for what is different there.
func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, dial: func() (net.Conn, error) { return net.Dial("tcp", ln.Addr().String()) }}
	w.start(ln, change)
	t.Cleanup(w.run())
	return w
}

// inWorld runs test in a bubble: clients connect through memory, and a minute takes no
// time. Nothing may be left when it ends.
func inWorld(t *testing.T, change func(*Config), test func(w *world)) {
	t.Helper()
	inWorldOf(t, simnet.Profile{}, change, test)
}

// inWorldOf is inWorld with other routers than the usual ones.
func inWorldOf(t *testing.T, profile simnet.Profile, change func(*Config), test func(w *world)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		ln := memconn.Listen("bridge")
		w := &world{t: t, profile: profile, dial: func() (net.Conn, error) { return ln.Dial(t.Context()) }}
		w.start(ln, change)
		stop := w.run()
		defer stop()
		test(w)
	})
}

// start makes the network and the bridge; change may change its Config.
func (w *world) start(ln net.Listener, change func(*Config)) {
	w.t.Helper()
	log := slog.New(slog.NewTextHandler(&w.log, nil))
	w.network = embedded.Start(embedded.Config{Profile: w.profile})
	var err error
	if w.hosting, err = onelease.NewHosting(onelease.HostingConfig{Routers: w.network.Routers(), Logger: log}); err != nil {
		w.t.Fatal(err)
	}
	cfg := Config{Hosting: w.hosting, Listeners: []net.Listener{ln}, Logger: log}
	if change != nil {
		change(&cfg)
	}
	if w.bridge, err = New(cfg); err != nil {
		w.t.Fatal(err)
	}
}

// run runs the bridge until it is stopped.
func (w *world) run() (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	w.ended = make(chan error, 1)
	go func() { w.ended <- w.bridge.Run(ctx) }()
	return func() {
		cancel()
		if err := <-w.ended; err != nil {
			w.t.Error(err)
		}
		w.hosting.Close()
		w.network.Close()
		w.log.KeepsQuiet(w.t, w.made...)
	}
}

// A client is a connection to the bridge, or one that it has forwarded.
type client struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

func newClient(t testing.TB, nc net.Conn) *client {
	return &client{t: t, Conn: nc, r: bufio.NewReader(nc)}
}

// connect connects without a HELLO.
func (w *world) connect() *client {
	w.t.Helper()
	nc, err := w.dial()
	if err != nil {
		w.t.Fatal(err)
	}
	nc.SetDeadline(time.Now().Add(time.Hour))
	c := newClient(w.t, nc)
	w.t.Cleanup(func() { nc.Close() })
	return c
}

// hello connects as a client of SAM 3.3.
func (w *world) hello() *client {
	w.t.Helper()
	c := w.connect()
	c.talk("HELLO VERSION MIN=3.0 MAX=3.3", "HELLO REPLY RESULT=OK VERSION=3.3")
	return c
}

// session begins a session with those words, such as "STYLE=STREAM ID=a".
func (w *world) session(words string) *client {
	w.t.Helper()
	c := w.hello()
	keys, err := i2p.Base64.DecodeString(strings.TrimSpace(c.session(words)))
	if err == nil {
		var d i2p.Destination
		if d, _, err = i2p.ParseDestination(keys); err == nil {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.made = append(w.made, d)
		}
	}
	if err != nil {
		w.t.Fatalf("keys of a session: %v", err)
	}
	return c
}

// session returns the private key.
func (c *client) session(words string) string {
	c.t.Helper()
	if !strings.Contains(words, "DESTINATION=") {
		words += " DESTINATION=TRANSIENT"
	}
	const ok = "SESSION STATUS RESULT=OK DESTINATION="
	return strings.TrimPrefix(c.talk("SESSION CREATE "+words, ok+"*"), ok)
}

// accept has a new connection wait for a stream of session id.
func (w *world) accept(id string) *client {
	w.t.Helper()
	c := w.hello()
	c.talk("STREAM ACCEPT ID="+id, "STREAM STATUS RESULT=OK")
	return c
}

// stream begins one from session id.
func (w *world) stream(id, to string) *client {
	w.t.Helper()
	c := w.hello()
	c.talk("STREAM CONNECT ID="+id+" DESTINATION="+to, "STREAM STATUS RESULT=OK")
	return c
}

func (c *client) say(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c, line+"\n"); err != nil {
		c.t.Fatalf("say %.60q: %v", line, err)
	}
}

func (c *client) line() string {
	c.t.Helper()
	line, err := c.r.ReadString('\n')
	if err != nil {
		c.t.Fatalf("got %q, %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// talk says a line and wants another, in which a "*" at the end is whatever it is.
func (c *client) talk(say, want string) string {
	c.t.Helper()
	c.say(say)
	got := c.line()
	if !matches(got, want) {
		c.t.Fatalf("said %.100q\ngot  %.200q\nwant %q", say, got, want)
	}
	return got
}

func matches(got, want string) bool {
	if head, open := strings.CutSuffix(want, "*"); open {
		return strings.HasPrefix(got, head)
	}
	return got == want
}

// hears wants those bytes.
func (c *client) hears(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		c.t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// ends wants the bridge to end its side.
func (c *client) ends() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("want the end, got %.100q, %v", rest, err)
	}
}

// breaks wants an error in place of an end.
func (c *client) breaks() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err == nil {
		c.t.Fatalf("want a reset, got %.100q and an end", rest)
	}
}

// CloseWrite ends the client's side.
func (c *client) CloseWrite() { c.Conn.(interface{ CloseWrite() error }).CloseWrite() }

// echoes says something on c and wants it at other.
func (c *client) reaches(other *client, text string) {
	c.t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		c.t.Fatal(err)
	}
	other.hears(text)
}

// of is a session's Destination in base64.
func (w *world) of(id string) string {
	w.t.Helper()
	s := w.bridge.sessions.find("", id)
	if s == nil {
		w.t.Fatalf("there is no session %s", id)
	}
	return s.Hosted.Keys().Destination.Base64()
}

type doorState struct {
	shut  bool
	waits int // pending ACCEPTs
}

func (w *world) doorOf(id string) doorState {
	w.t.Helper()
	s := w.bridge.sessions.find("", id)
	if s == nil {
		w.t.Fatalf("there is no session %s", id)
	}
	s.door.mu.Lock()
	defer s.door.mu.Unlock()
	return doorState{shut: s.door.ln == nil, waits: len(s.door.waiting)}
}

// until waits for something that nobody tells.
func (w *world) until(what string, is func() bool) {
	w.t.Helper()
	for range 6000 {
		if is() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	w.t.Fatalf("not %s within a minute", what)
}
