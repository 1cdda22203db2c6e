package sambridge

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/internal/memconn"
)

// FuzzConversation says anything to a bridge whose router is away. Whatever it is, the connection
// ends when the client has, nothing is left, and no other user's session is touched.
func FuzzConversation(f *testing.F) {
	for _, d := range dialogues {
		var said strings.Builder
		for line := range strings.SplitSeq(d.text, "\n") {
			if text, ok := strings.CutPrefix(line, ">"); ok {
				said.WriteString(strings.TrimPrefix(text, " ") + "\n")
			}
		}
		f.Add([]byte(said.String()))
	}
	for _, line := range []string{
		"SESSION CREATE STYLE=STREAM ID=a DESTINATION=TRANSIENT i2cp.accessList=x,y i2cp.enableAccessList=true inbound.quantity=2",
		"SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT PORT=7 HOST=::1 HEADER=true PROTOCOL=18",
		"STREAM FORWARD ID=theirs PORT=80 HOST=10.0.0.1 SSL=true", "DATAGRAM SEND DESTINATION=x.i2p SIZE=3\nabc",
		"RAW SEND DESTINATION=x.i2p SIZE=70000 PROTOCOL=6", "NAMING LOOKUP NAME=ME", "DEST GENERATE SIGNATURE_TYPE=11",
	} {
		f.Add([]byte("HELLO VERSION\n" + line + "\n"))
	}
	f.Fuzz(func(t *testing.T, said []byte) {
		b := awayBridge(t)
		theirs := &session{b: b, ID: "theirs", User: "somebody"}
		theirs.ready.Store(true)
		if err := b.sessions.add(theirs); err != nil {
			t.Fatal(err)
		}
		ours, their := memconn.Pair("bridge")
		ended := make(chan struct{})
		go func() {
			b.serve(their, true)
			close(ended)
		}()
		go io.Copy(io.Discard, ours)
		ours.Write(said)
		ours.CloseWrite()
		select {
		case <-ended:
		case <-time.After(time.Minute):
			t.Fatal("the connection does not end")
		}
		ours.Close()
		if all := b.sessions.all(); len(all) != 1 || all[0] != theirs || len(b.sessions.byKey) != 1 || b.crowd.len() != 0 {
			t.Fatalf("%d sessions and %d connections are left", len(b.sessions.byKey), b.crowd.len())
		}
	})
}

// awayBridge is one whose router cannot be reached.
func awayBridge(t *testing.T) *Bridge {
	away := func(context.Context) (net.Conn, error) { return nil, errors.New("the router is away") }
	quiet := slog.New(slog.DiscardHandler)
	hosting, err := onelease.NewHosting(onelease.HostingConfig{
		Routers: []onelease.Router{{Name: "r", Dial: away, Member: true, Publisher: true, Embedded: true}}, Logger: quiet,
	})
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(Config{
		Hosting: hosting, Listeners: []net.Listener{memconn.Listen("bridge")}, Logger: quiet,
		Limits: Limits{OpenTime: time.Millisecond},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		b.cancel()
		hosting.Close()
	})
	return b
}
