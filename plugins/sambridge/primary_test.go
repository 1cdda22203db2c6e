package sambridge

import (
	"strings"
	"testing"
)

// Streams go to the subsession that listens to their port, or to the one for all.
func TestPrimary(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		p := w.session("STYLE=MASTER ID=p")
		for _, d := range []struct{ say, want string }{
			{"STYLE=STREAM ID=web FROM_PORT=80", "OK ID=web MESSAGE=\"ADD web\""},
			{"STYLE=STREAM ID=all FROM_PORT=7 LISTEN_PORT=0", "OK ID=all MESSAGE=\"ADD all\""},
			{"STYLE=STREAM ID=again FROM_PORT=80", "I2P_ERROR ID=again MESSAGE=*"},
			{"STYLE=STREAM ID=again", "I2P_ERROR ID=again MESSAGE=*"},
			{"STYLE=STREAM ID=again FROM_PORT=81 LISTEN_PORT=82", "I2P_ERROR ID=again MESSAGE=*"},
			{"STYLE=STREAM ID=again PORT=81", "I2P_ERROR ID=again MESSAGE=*"},
			{"STYLE=STREAM ID=web FROM_PORT=81", "DUPLICATED_ID ID=web MESSAGE=*"},
			{"STYLE=STREAM ID=p FROM_PORT=81", "DUPLICATED_ID ID=p MESSAGE=*"},
			{"STYLE=STREAM ID=again FROM_PORT=81 DESTINATION=TRANSIENT", "I2P_ERROR ID=again MESSAGE=*"},
			{"STYLE=PRIMARY ID=again", "I2P_ERROR ID=again MESSAGE=*"},
			{"STYLE=RAW ID=again PORT=5 LISTEN_PROTOCOL=6", "I2P_ERROR ID=again MESSAGE=*"},
			{"STYLE=RAW ID=again PORT=5 HOST=127.0.0.1 LISTEN_PORT=70000", "I2P_ERROR ID=again MESSAGE=*"},
		} {
			p.talk("SESSION ADD "+d.say, "SESSION STATUS RESULT="+d.want)
		}
		w.session("STYLE=STREAM ID=a")
		to := w.of("web")
		web, all := w.accept("web"), w.accept("all")
		out := w.hello()
		out.talk("STREAM CONNECT ID=a TO_PORT=9 DESTINATION="+to, "STREAM STATUS RESULT=OK")
		if line := all.line(); !strings.HasSuffix(line, " FROM_PORT=0 TO_PORT=9") {
			t.Errorf("got %q", line)
		}
		out2 := w.hello()
		out2.talk("STREAM CONNECT ID=a TO_PORT=80 DESTINATION="+to, "STREAM STATUS RESULT=OK")
		if line := web.line(); !strings.HasSuffix(line, " FROM_PORT=0 TO_PORT=80") {
			t.Errorf("got %q", line)
		}
		out.reaches(all, "nine")
		out2.reaches(web, "eighty")

		pending := w.accept("web")
		w.session("STYLE=STREAM ID=c")
		other := w.accept("c")
		w.stream("all", w.of("c"))
		if line := other.line(); !strings.HasSuffix(line, " FROM_PORT=7 TO_PORT=0") {
			t.Errorf("got %q", line)
		}
		p.talk("SESSION REMOVE ID=web", "SESSION STATUS RESULT=OK ID=web MESSAGE=\"REMOVE web\"")
		p.talk("SESSION REMOVE ID=web", "SESSION STATUS RESULT=INVALID_ID ID=web MESSAGE=*")
		pending.ends()
		web.breaks()
		out.reaches(all, "still nine")
		p.talk("SESSION ADD STYLE=STREAM ID=web FROM_PORT=80", "SESSION STATUS RESULT=OK*")
		p.Close()
		all.breaks()
		w.until("gone", func() bool { return w.bridge.sessions.find("", "web") == nil })
		w.hello().talk("STREAM ACCEPT ID=web", "STREAM STATUS RESULT=INVALID_ID*")
	})
}

// Only a PRIMARY session, on its own connection, has subsessions.
func TestPrimaryOnly(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		w.session("STYLE=PRIMARY ID=p")
		s := w.session("STYLE=STREAM ID=s")
		for _, c := range []*client{s, w.hello()} {
			c.talk("SESSION ADD STYLE=STREAM ID=x", "SESSION STATUS RESULT=I2P_ERROR ID=x MESSAGE=\"Not a PRIMARY*")
			c.talk("SESSION REMOVE ID=x", "SESSION STATUS RESULT=I2P_ERROR ID=x MESSAGE=\"Not a PRIMARY*")
		}
	})
}
