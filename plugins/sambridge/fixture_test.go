package sambridge

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/test/embedded"
)

// A world is a bridge on an embedded network.
type world struct {
	t       *testing.T
	network *embedded.Network
	hosting *onelease.Hosting
	bridge  *Bridge
	addr    string
}

// newWorld starts one; change may change its Config.
func newWorld(t *testing.T, change func(*Config)) *world {
	t.Helper()
	w := &world{t: t, network: embedded.Start(embedded.Config{})}
	quiet := slog.New(slog.DiscardHandler)
	var err error
	if w.hosting, err = onelease.NewHosting(onelease.HostingConfig{Routers: w.network.Routers(), Logger: quiet}); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w.addr = ln.Addr().String()
	cfg := Config{Hosting: w.hosting, Listeners: []net.Listener{ln}, Logger: quiet}
	if change != nil {
		change(&cfg)
	}
	if w.bridge, err = New(cfg); err != nil {
		t.Fatal(err)
	}
	w.run()
	return w
}

// run runs the bridge until the test ends.
func (w *world) run() {
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- w.bridge.Run(ctx) }()
	w.t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
		w.hosting.Close()
		w.network.Close()
	})
}

// A client is a connection to the bridge.
type client struct {
	t *testing.T
	*net.TCPConn
	r *bufio.Reader
}

// connect connects without a HELLO.
func (w *world) connect() *client {
	w.t.Helper()
	nc, err := net.Dial("tcp", w.addr)
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { nc.Close() })
	nc.SetDeadline(time.Now().Add(time.Minute))
	return &client{t: w.t, TCPConn: nc.(*net.TCPConn), r: bufio.NewReader(nc)}
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
	if !strings.Contains(words, "DESTINATION=") {
		words += " DESTINATION=TRANSIENT"
	}
	c.talk("SESSION CREATE "+words, "SESSION STATUS RESULT=OK DESTINATION=*")
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

// ends wants the bridge to close the connection.
func (c *client) ends() {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Fatalf("want the end, got %.100q, %v", rest, err)
	}
}

// hears reads as many bytes as want has.
func (c *client) hears(want string) {
	c.t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c.r, got); err != nil || string(got) != want {
		c.t.Fatalf("got %q, %v, want %q", got, err, want)
	}
}

// me is the session's public Destination in base64.
func destinationOf(c *client, w *world, id string) string {
	c.t.Helper()
	s := w.bridge.sessions.find("", id)
	if s == nil {
		c.t.Fatalf("there is no session %s", id)
	}
	return s.Hosted.Keys().Destination.Base64()
}
