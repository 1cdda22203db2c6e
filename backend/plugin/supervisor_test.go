package plugin

import (
	"io"
	"testing"
	"time"
)

func TestStreamsGoThroughAPlugin(t *testing.T) {
	for _, kind := range []string{"good-1.0", "served-1.0"} {
		t.Run(kind, func(t *testing.T) { testStreams(t, kind) })
	}
}

func testStreams(t *testing.T, kind string) {
	r := start(t, Config{Path: program(t, kind)})
	c := r.node.await(t, echoPort)
	echo(t, c, "hello")
	big := make([]byte, 3<<20)
	go c.Write(big)
	if n, err := io.CopyN(io.Discard, c, int64(len(big))); err != nil {
		t.Fatalf("%d of %d bytes, %v", n, len(big), err)
	}
	c.(memStream).CloseWrite()
	if rest, err := io.ReadAll(c); err != nil || len(rest) != 0 {
		t.Errorf("at the end: %q, %v", rest, err)
	}
	s := r.sup.Stats()
	if len(s.Instances) != 1 || s.Instances[0].Version != "1.0" || s.Streams != 1 || s.BytesIn != 3<<20+5 || s.BytesOut != 3<<20+5 || s.Broken != 0 {
		t.Errorf("%+v", s)
	}
	r.stop()
	if s := r.sup.Stats(); len(s.Instances) != 0 || s.StreamsOpen != 0 || s.Streams != 1 {
		t.Errorf("at the end %+v", s)
	}
}

func TestKilledPluginIsBackWithinASecond(t *testing.T) {
	r := start(t, Config{Path: program(t, "good")}, fast)
	open := r.node.await(t, echoPort)
	echo(t, open, "hello")
	began := time.Now()
	r.sup.killAll()
	if _, err := io.ReadAll(open); err == nil {
		t.Error("its stream ended as if it were whole")
	}
	c := r.node.await(t, echoPort)
	echo(t, c, "again")
	c.Close()
	took := time.Since(began)
	t.Logf("it took %v", took)
	if took > time.Second && !raceEnabled { // certificates take ten times as long with -race
		t.Error("that is over a second")
	}
}

func (s *Supervisor) killAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.instances {
		i.killProcess()
	}
}
