package demo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/i2p/streaming"
)

// downloadRate is in bytes per second.
const downloadRate = chunk * int64(time.Second/chunkEvery)

// A download is a stream of one remote, which lasts as long as the demo has
// remotes send, and how it fared.
type download struct {
	remote *simnet.Remote
	target i2p.Destination
	seed   uint64
	size   int64

	mu     sync.Mutex
	opened bool
	bytes  int64
	last   time.Time // when bytes came
	wrong  bool
	err    error // why it ended before its end
	done   bool
	// struck is whether its member was lost, lostWay whether no stock router
	// leaves a way on from there.
	struck, lostWay bool
	// backendLost is whether the backend that served it was killed.
	backendLost bool
}

// run downloads, once its remote is served, until all has come, the stream
// breaks or ctx ends.
func (d *download) run(ctx context.Context, served <-chan struct{}) {
	select {
	case <-ctx.Done():
	case <-served:
	}
	err := d.try(ctx)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.done, d.err = err == nil, err
}

func (d *download) try(ctx context.Context) error {
	conn, err := d.remote.Stack().Dial(ctx, streaming.NewRemote(d.target), 0, downloadPort)
	if err != nil {
		return fmt.Errorf("dial: %w", err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	d.note(nil, nil)
	request := binary.BigEndian.AppendUint64(nil, d.seed)
	request = binary.BigEndian.AppendUint64(request, uint64(d.size))
	if _, err := conn.Write(request); err != nil {
		return err
	}
	return d.read(conn)
}

// read compares what comes with what is to come.
func (d *download) read(conn net.Conn) error {
	expected := seeded(d.seed)
	got, want := make([]byte, chunk), make([]byte, chunk)
	for left := d.size; left > 0; {
		n, err := conn.Read(got[:min(left, chunk)])
		expected.Read(want[:n])
		d.note(got[:n], want[:n])
		left -= int64(n)
		if err != nil && left > 0 {
			return fmt.Errorf("%d bytes before the end: %w", left, err)
		}
	}
	return mustEnd(conn)
}

// mustEnd wants nothing more to come.
func mustEnd(conn net.Conn) error {
	n, err := conn.Read(make([]byte, 1))
	switch {
	case n > 0:
		return errors.New("more came than was asked for")
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("at its end: %w", err)
	}
	return nil
}

func (d *download) note(got, want []byte) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.opened, d.last = true, time.Now()
	d.bytes += int64(len(got))
	d.wrong = d.wrong || !bytes.Equal(got, want)
}

// strike notes that the member that serves it is lost.
func (d *download) strike(lostWay bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.opened && !d.done && d.err == nil {
		d.struck, d.lostWay = true, d.lostWay || lostWay
	}
}

// loseBackend notes that the backend that serves it is lost, and the stream with it.
func (d *download) loseBackend() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.backendLost = d.backendLost || d.opened && !d.done && d.err == nil
}

// waits says whether nothing has come for a while that should have.
func (d *download) waits(now time.Time) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.opened && !d.done && !d.lostWay && !d.backendLost && d.err == nil && now.Sub(d.last) > stallTime
}

// stallTime is how long a download may be without bytes until it counts as waiting.
const stallTime = time.Second

// over says whether nothing more is to be expected of it.
func (d *download) over() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.done || d.err != nil || d.lostWay || d.backendLost
}

// addTo counts it.
func (d *download) addTo(s *StreamsReport) {
	d.mu.Lock()
	defer d.mu.Unlock()
	s.Bytes += d.bytes
	s.HashOK = s.HashOK && !d.wrong
	if d.opened {
		s.Opened++
	}
	switch {
	case d.done && d.struck:
		s.Survived++
	case d.done:
	case d.backendLost:
		s.BackendLost++
	case d.lostWay:
		s.Unreachable++
	default:
		s.Broken++
	}
}
