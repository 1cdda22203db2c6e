package sambridge

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd/samclient"
)

const (
	// payloadSize is about what a program sends in a datagram, in bytes.
	payloadSize = 1024
	// window is how many datagrams are under way, batch how many are sent in a turn.
	window = 64
	batch  = 2000
	// lostAfter is after how long without an answer what is under way counts as lost.
	lostAfter = time.Second
)

// A datagramWay is how a program sends and receives datagrams.
type datagramWay struct {
	name string
	raw  bool
	udp  bool // by UDP, else over the control connection
}

var datagramWays = []datagramWay{
	{"Datagram", false, false}, {"DatagramUDP", false, true}, {"Raw", true, false}, {"RawUDP", true, true},
}

// A messenger is a session for datagrams.
type messenger interface {
	Send(destination string, payload []byte) error
	Datagrams() <-chan samclient.Datagram
	Destination() string
	Close() error
}

var (
	_ messenger = (*samclient.Remote)(nil)
	_ messenger = (*samclient.Direct)(nil)
)

// open opens a session that ends with the benchmark.
func (w datagramWay) open(b *testing.B, bridge, udp string) (messenger, error) {
	ctx, cancel := context.WithTimeout(b.Context(), 90*time.Second)
	defer cancel()
	o := samclient.Options{Raw: w.raw, UDPAddr: udp, Params: sessionParams}
	if w.udp {
		m, err := samclient.Open(ctx, bridge, o)
		return closing(b, m, err)
	}
	m, err := samclient.OpenDirect(ctx, bridge, o)
	return closing(b, m, err)
}

func closing(b *testing.B, m messenger, err error) (messenger, error) {
	if err == nil {
		b.Cleanup(func() { m.Close() })
	}
	return m, err
}

// benchDatagrams sends datagrams to the far end, which returns each, with a window of
// them under way. What is lost is reported, and costs time.
func (s sides) benchDatagrams(b *testing.B, f *far, w datagramWay) {
	returns := &returning{to: map[byte]string{}}
	far, err := datagramWay{raw: w.raw, udp: true}.open(b, f.routers.Router(farRouter).SAMAddr(), f.routers.Router(farRouter).SAMUDPAddr())
	if err != nil {
		b.Fatal(err)
	}
	go returns.run(far)
	var mu sync.Mutex
	talks := map[*side]*talk{}
	s.each(b, func(side *side) error {
		m, err := w.open(b, side.bridge, side.udp)
		if err != nil {
			return err
		}
		t := &talk{messenger: m, to: far.Destination()}
		mu.Lock()
		talks[side] = t
		t.index = returns.add(m.Destination())
		mu.Unlock()
		return samclient.Until(b.Context(), 2*time.Minute, t.once)
	})
	s.compare(b, "answers/s", false, func(side *side) (float64, error) { return talks[side].batch() })
	for _, side := range s {
		b.ReportMetric(float64(talks[side].lost), side.name+"-lost")
	}
}

// A returning end sends datagrams back: to whom, is in their ninth byte.
type returning struct {
	mu sync.Mutex
	to map[byte]string
}

func (r *returning) add(destination string) byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	index := byte(len(r.to))
	r.to[index] = destination
	return index
}

func (r *returning) run(m messenger) {
	for d := range m.Datagrams() {
		if len(d.Payload) != payloadSize {
			continue
		}
		r.mu.Lock()
		to := r.to[d.Payload[8]]
		r.mu.Unlock()
		_ = m.Send(to, d.Payload) // what is not sent is counted as lost
	}
}

// A talk is a session that talks to a returning end.
type talk struct {
	messenger
	to     string
	index  byte
	number uint64 // of the last datagram
	lost   int
}

func (t *talk) send() error {
	t.number++
	payload := make([]byte, payloadSize)
	binary.BigEndian.PutUint64(payload, t.number)
	payload[8] = t.index
	return t.Send(t.to, payload)
}

// receive returns the number of the next datagram that comes back, 0 if none does in time.
func (t *talk) receive(timer *time.Timer) uint64 {
	timer.Reset(lostAfter)
	select {
	case d := <-t.Datagrams():
		if len(d.Payload) == payloadSize {
			return binary.BigEndian.Uint64(d.Payload)
		}
	case <-timer.C:
	}
	return 0
}

var errUnanswered = errors.New("a datagram was not answered")

// once sends one datagram and waits for it.
func (t *talk) once() error {
	if err := t.send(); err != nil {
		return err
	}
	if t.receive(time.NewTimer(0)) == 0 {
		return errUnanswered
	}
	return nil
}

// batch sends a batch, and returns how many were answered in a second.
func (t *talk) batch() (float64, error) {
	begun, timer, answered := time.Now(), time.NewTimer(0), 0
	first := t.number + 1
	for settled, sent := 0, 0; settled < batch; {
		if sent < batch && sent-settled < window {
			if err := t.send(); err != nil {
				return 0, err
			}
			sent++
			continue
		}
		switch got := t.receive(timer); {
		case got == 0:
			t.lost += sent - settled
			settled, first = sent, t.number+1
		case got >= first:
			settled++
			answered++
		}
	}
	return float64(answered) / time.Since(begun).Seconds(), nil
}
