package sambridge

import (
	"bufio"
	"context"
	"crypto/rand"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// The one user that the bridge under abuse has. Nobody has to say who he is on the
// loopback.
const (
	goodUser     = "good"
	goodPassword = "correct horse"
)

// newDestination is one that nobody serves, in I2P base64.
func newDestination() string {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		panic(err)
	}
	return keys.Destination.Base64()
}

// A dialogue is a control connection, after HELLO.
type dialogue struct {
	net.Conn
	lines *bufio.Reader
}

// dialogue begins one without a user, whose reads and writes end after a minute.
func (w *world) dialogue(ctx context.Context) (*dialogue, error) {
	return w.dialogueAs(ctx, "")
}

// dialogueAs begins one with "USER=... PASSWORD=...".
func (w *world) dialogueAs(ctx context.Context, who string) (*dialogue, error) {
	conn, err := w.knock(ctx)
	if err != nil {
		return nil, err
	}
	_ = conn.SetDeadline(time.Now().Add(time.Minute))
	c := &dialogue{conn, bufio.NewReader(conn)}
	answer, err := c.ask("HELLO VERSION MIN=3.1 MAX=3.3 " + who)
	if err == nil && !strings.Contains(answer, "RESULT=OK") {
		err = fmt.Errorf("HELLO was answered %q", answer)
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return c, nil
}

func (c *dialogue) line() (string, error) {
	line, err := c.lines.ReadString('\n')
	return strings.TrimSpace(line), err
}

// ask sends a line and returns the next.
func (c *dialogue) ask(line string) (string, error) {
	if _, err := fmt.Fprintln(c, line); err != nil {
		return "", err
	}
	return c.line()
}

// A goodClient uses the bridge as it is meant to be used.
type goodClient struct {
	w      *world
	peer   string
	stream net.Conn
}

// startGood opens its session and a stream.
func (w *world) startGood(t *testing.T) *goodClient {
	t.Helper()
	g := &goodClient{w: w, peer: w.addPeer()}
	g.stream = w.dialAll(t.Context(), w.openAll(t.Context(), 1), []string{g.peer}, 1)[0]
	return g
}

// use has it use its stream, and new connections, until ctx ends; it returns how often,
// and the longest that something took.
func (g *goodClient) use(ctx context.Context, t *testing.T) (times int, slowest time.Duration) {
	pause := time.NewTicker(50 * time.Millisecond)
	defer pause.Stop()
	for ctx.Err() == nil {
		for what, do := range map[string]func() error{"echo on the stream": g.echo, "new connection": g.ping} {
			began := time.Now()
			if err := do(); err != nil {
				t.Errorf("the good client's %s: %v", what, err)
				return times, slowest
			}
			slowest = max(slowest, time.Since(began))
			times++
		}
		<-pause.C
	}
	return times, slowest
}

func (g *goodClient) echo() error { return echoes(g.stream, time.Minute) }

// ping says PING on a connection of its own.
func (g *goodClient) ping() error {
	c, err := g.w.dialogue(context.Background())
	if err != nil {
		return err
	}
	defer c.Close()
	word := rand.Text()
	answer, err := c.ask("PING " + word)
	if err == nil && answer != "PONG "+word {
		err = fmt.Errorf("PING was answered %.40q", answer)
	}
	return err
}
