package sambridge

import (
	"cmp"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd/samclient"
)

// TestCrossing has a client try everything on the sessions of another user, and of nobody's:
// they are not there for it. What they receive meanwhile is nothing.
func TestCrossing(t *testing.T) {
	w := startWorld(t, processConfig{Users: [][2]string{{"alice", "a"}, {"bob", "b"}}})
	alice := w.victim(t, "USER=alice PASSWORD=a")
	nobody := w.victim(t, "")
	for _, intruder := range []struct {
		name, who string
		victim    *victim
	}{
		{"bob on alice's", "USER=bob PASSWORD=b", alice},
		{"nobody on alice's", "", alice},
		{"bob on nobody's", "USER=bob PASSWORD=b", nobody},
	} {
		t.Run(intruder.name, func(t *testing.T) { w.intrude(t, intruder.who, intruder.victim) })
	}
	t.Run("by UDP on alice's", func(t *testing.T) { w.intrudeByUDP(t, alice) })
	alice.checkQuiet(t)
	nobody.checkQuiet(t)
}

// A victim is a user's control connections with a session of each style, and a PRIMARY one
// with a subsession of each.
type victim struct {
	user     string
	sessions map[string]*dialogue // by ID
	subs     []string
}

// ids are the sessions' IDs, for whoever guesses them.
func (v *victim) ids() []string {
	ids := append([]string(nil), v.subs...)
	for id := range v.sessions {
		ids = append(ids, id)
	}
	return ids
}

func (w *world) victim(t *testing.T, who string) *victim {
	t.Helper()
	name := cmp.Or(strings.TrimPrefix(strings.Split(who, " ")[0], "USER="), "nobody")
	v := &victim{user: who, sessions: map[string]*dialogue{}}
	for _, style := range []string{"STREAM", "DATAGRAM", "RAW", "PRIMARY"} {
		id := name + "-" + style
		c := w.mustDialogue(t, who)
		c.expect(t, fmt.Sprintf("SESSION CREATE STYLE=%s ID=%s DESTINATION=TRANSIENT SIGNATURE_TYPE=7 inbound.quantity=1 outbound.quantity=1", style, id), "RESULT=OK")
		v.sessions[id] = c
	}
	primary := v.sessions[name+"-PRIMARY"]
	for i, style := range []string{"STREAM", "DATAGRAM PORT=9", "RAW PORT=9"} { // where nobody listens
		id := fmt.Sprintf("%s-sub-%d", name, i)
		primary.expect(t, fmt.Sprintf("SESSION ADD STYLE=%s ID=%s FROM_PORT=%d", style, id, 100+i), "RESULT=OK")
		v.subs = append(v.subs, id)
	}
	return v
}

// mustDialogue begins a dialogue that ends with the test.
func (w *world) mustDialogue(t *testing.T, who string) *dialogue {
	t.Helper()
	c, err := w.dialogueAs(t.Context(), who)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// expect asks and wants an answer with that in it.
func (c *dialogue) expect(t *testing.T, line, want string) string {
	t.Helper()
	answer, err := c.ask(line)
	if err != nil || !strings.Contains(answer, want) {
		t.Fatalf("%.60q was answered %.100q, %v; want %q", line, answer, err, want)
	}
	return answer
}

// intrude tries all commands that name a session, each on a connection of its own, since
// some end theirs.
func (w *world) intrude(t *testing.T, who string, v *victim) {
	to := newDestination()
	for _, id := range v.ids() {
		for _, line := range []string{
			"STREAM CONNECT ID=" + id + " DESTINATION=" + to,
			"STREAM ACCEPT ID=" + id,
			"STREAM FORWARD ID=" + id + " PORT=9",
		} {
			w.mustDialogue(t, who).expect(t, line, "RESULT=INVALID_ID")
		}
		answer, err := w.mustDialogue(t, who).ask("SESSION REMOVE ID=" + id)
		if err == nil && strings.Contains(answer, "RESULT=OK") {
			t.Errorf("SESSION REMOVE of %s was answered %q", id, answer)
		}
	}
	w.intrudeFromOwn(t, who, v)
}

// intrudeFromOwn tries from a PRIMARY session of its own: what it removes or adds are its
// own subsessions, whatever they are called.
func (w *world) intrudeFromOwn(t *testing.T, who string, v *victim) {
	own := w.mustDialogue(t, who)
	own.expect(t, "SESSION CREATE STYLE=PRIMARY ID=intruder DESTINATION=TRANSIENT SIGNATURE_TYPE=7 inbound.quantity=1 outbound.quantity=1", "RESULT=OK")
	for _, id := range v.ids() {
		if answer, err := own.ask("SESSION REMOVE ID=" + id); err != nil || strings.Contains(answer, "RESULT=OK") {
			t.Errorf("SESSION REMOVE of %s was answered %q, %v", id, answer, err)
		}
	}
	for i, id := range v.subs {
		own.expect(t, fmt.Sprintf("SESSION ADD STYLE=STREAM ID=%s FROM_PORT=%d", id, 200+i), "RESULT=OK")
		own.expect(t, "SESSION REMOVE ID="+id, "RESULT=OK")
	}
	own.Close()
}

// intrudeByUDP sends in alice's name to a session of nobody, who must not get it.
func (w *world) intrudeByUDP(t *testing.T, alice *victim) {
	listening, err := samclient.Open(t.Context(), w.addrs.SAM, samclient.Options{UDPAddr: w.addrs.UDP})
	if err != nil {
		t.Fatal(err)
	}
	defer listening.Close()
	control := w.mustDialogue(t, "")
	control.expect(t, "SESSION CREATE STYLE=DATAGRAM ID=honest DESTINATION=TRANSIENT SIGNATURE_TYPE=7 inbound.quantity=1 outbound.quantity=1", "RESULT=OK")
	udp, err := net.Dial("udp", w.addrs.UDP)
	if err != nil {
		t.Fatal(err)
	}
	defer udp.Close()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); {
		for _, id := range alice.ids() {
			fmt.Fprintf(udp, "3.3 %s %s\nforged", id, listening.Destination())
		}
		fmt.Fprintf(udp, "3.3 honest %s\nhonest", listening.Destination())
		select {
		case d := <-listening.Datagrams():
			if string(d.Payload) != "honest" {
				t.Errorf("got %q", d.Payload)
			}
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
	t.Error("what was sent in one's own name never came")
}

// checkQuiet asks each session's connection something: the answer is the first line that
// has come since.
func (v *victim) checkQuiet(t *testing.T) {
	t.Helper()
	for id, c := range v.sessions {
		if answer, err := c.ask("PING " + id); err != nil || answer != "PONG "+id {
			t.Errorf("%s heard %.60q, %v", id, answer, err)
		}
	}
}
