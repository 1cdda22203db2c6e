package sambridge

import (
	"io"
	"strings"
	"testing"
)

// Two sessions of a bridge, and a stream between them.
func TestStream(t *testing.T) {
	w := newWorld(t, nil)
	b := w.session("STYLE=STREAM ID=b")
	w.session("STYLE=STREAM ID=a")
	to := destinationOf(b, w, "b")
	in := w.hello()
	in.talk("STREAM ACCEPT ID=b", "STREAM STATUS RESULT=OK")
	out := w.hello()
	out.talk("STREAM CONNECT ID=a DESTINATION="+to+" FROM_PORT=5 TO_PORT=6", "STREAM STATUS RESULT=OK")
	line := in.line()
	if len(strings.Fields(line)[0]) < 516 || !strings.HasSuffix(line, " FROM_PORT=5 TO_PORT=6") {
		t.Errorf("ACCEPT got %q", line)
	}
	io.WriteString(out, "question")
	in.hears("question")
	io.WriteString(in, "answer")
	in.CloseWrite()
	out.hears("answer")
	out.ends()
	io.WriteString(out, "more")
	out.CloseWrite()
	in.hears("more")
	in.ends()
}
