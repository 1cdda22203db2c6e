package sambridge

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// inFlight is how many datagrams a benchmark has under way: enough for 50 ms each way.
const inFlight = 1000

// BenchmarkDatagrams is what one session sends to another, of 1 KiB each: by the control
// connection or by UDP, through an embedded network.
func BenchmarkDatagrams(b *testing.B) {
	for _, style := range []string{"DATAGRAM", "DATAGRAM3", "RAW"} {
		for _, way := range []string{"control", "UDP"} {
			b.Run(style+"/"+way, func(b *testing.B) { benchDatagrams(b, style, way == "UDP") })
		}
	}
}

func benchDatagrams(b *testing.B, style string, byUDP bool) {
	w := newWorld(b, withPackets)
	box, sender := w.mailbox(), w.mailbox()
	box.SetReadBuffer(4 << 20)
	clients := w.sessions("STYLE="+style+" ID=a", fmt.Sprint("STYLE=", style, " ID=b PORT=", box.port()))
	w.acquaint([2]string{"a", "b"})
	payload := strings.Repeat("x", 1024)
	line := fmt.Sprintf("%.3s SEND SIZE=%d DESTINATION=%s\n%s", style, len(payload), w.of("b"), payload)
	if style != "RAW" {
		line = fmt.Sprintf("DATAGRAM SEND SIZE=%d DESTINATION=%s\n%s", len(payload), w.of("b"), payload)
	}
	send := func() error { _, err := clients["a"].Write([]byte(line)); return err }
	if byUDP {
		datagram := []byte("3.3 a " + w.of("b") + "\n" + payload)
		send = func() error { _, err := sender.WriteTo(datagram, sender.bridge); return err }
	}
	b.SetBytes(int64(len(payload)))
	b.ResetTimer()
	b.ReportMetric(float64(pump(b, box, send)), "lost")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "datagrams/s")
}

// pump sends b.N datagrams, inFlight at a time, and returns how many did not come.
func pump(b *testing.B, box *mailbox, send func() error) (lost int) {
	places := make(chan struct{}, inFlight)
	go func() {
		for range b.N {
			places <- struct{}{}
			if err := send(); err != nil {
				b.Error(err)
				return
			}
		}
	}()
	buffer := make([]byte, 1<<16)
	for came := range b.N {
		box.SetReadDeadline(time.Now().Add(2 * time.Second))
		if _, _, err := box.ReadFrom(buffer); err != nil {
			return b.N - came
		}
		<-places
	}
	return 0
}
