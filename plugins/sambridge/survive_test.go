package sambridge

import (
	"io"
	"net"
	"testing"
	"time"
)

// A stream of the bridge goes on when a router that it may be carried by is killed,
// whoever began it; its client says and sees nothing.
func TestSurvival(t *testing.T) {
	for _, killed := range []string{"member-1", "member-2"} {
		for begins, begin := range map[string]func(*world) io.ReadWriter{"the client": clientBegins, "the remote": remoteBegins} {
			t.Run(begins+" loses "+killed, func(t *testing.T) {
				inWorld(t, nil, func(w *world) {
					w.survives(begin(w), killed)
				})
			})
		}
	}
}

func clientBegins(w *world) io.ReadWriter {
	remote := w.network.Remote()
	w.t.Cleanup(remote.Close)
	ln, err := remote.Stack().Listen(0)
	if err != nil {
		w.t.Fatal(err)
	}
	go func() {
		if nc, err := ln.Accept(); err == nil {
			io.Copy(nc, nc)
		}
	}()
	w.session("STYLE=STREAM ID=a")
	return w.stream("a", remote.Destination().Base64())
}

func remoteBegins(w *world) io.ReadWriter {
	remote := w.network.Remote()
	w.t.Cleanup(remote.Close)
	w.session("STYLE=STREAM ID=a")
	in := w.accept("a")
	nc, err := remote.DialContext(w.t.Context(), "", w.bridge.sessions.find("", "a").Hosted.Keys().Destination.Base32())
	if err != nil {
		w.t.Fatal(err)
	}
	in.line()
	go io.Copy(in, in.r)
	return struct{ net.Conn }{nc}
}

// survives asks over an echoing stream before and after the loss of a router.
func (w *world) survives(echo io.ReadWriter, killed string) {
	w.t.Helper()
	ask := func(text string) time.Duration {
		w.t.Helper()
		began, got := time.Now(), make([]byte, len(text))
		io.WriteString(echo, text)
		if _, err := io.ReadFull(echo, got); err != nil || string(got) != text {
			w.t.Fatalf("%s: %q, %v", text, got, err)
		}
		return time.Since(began)
	}
	// Stock routers keep to a session for its first two minutes: see docs/limits.md.
	for range 15 {
		ask("still there")
		time.Sleep(10 * time.Second)
	}
	w.network.Router(killed).Kill()
	if took := ask("after the loss"); took > 10*time.Second {
		w.t.Errorf("it went on after %v", took)
	} else {
		w.t.Logf("it went on after %v", took.Round(time.Millisecond))
	}
	ask("later")
}
