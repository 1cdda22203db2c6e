package onelease_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p/simnet"
)

const (
	streamPort = 80
	// streamChunk is what a stream carries each time, in bytes: one packet.
	streamChunk = 1024
)

// A streamRun is one stream of a remote that carries seeded bytes at a pace,
// down to the remote or up to the service. Who receives them notes how it goes.
type streamRun struct {
	number uint32
	remote *simnet.Remote
	upload bool
	chunks int
	every  time.Duration

	mu      sync.Mutex
	backend string // that serves it; empty before, and if there is only one
	began   time.Time
	came    []time.Time // when a read returned bytes
	wrong   bool
	err     error     // of either side
	failed  time.Time // when err came
	allCame bool
	taken   bool // who receives has come to the end of it, in good order
	done    bool // both sides ended as they should
}

// carry sends all, and ends that direction. It keeps to the pace even if
// the stream stalls: the rest is sent at once when it goes on.
func (r *streamRun) carry(conn net.Conn) error {
	bytes, b := r.bytes(), make([]byte, streamChunk)
	for range r.chunks {
		bytes.Read(b)
		if _, err := conn.Write(b); err != nil {
			return err
		}
		time.Sleep(r.every)
	}
	return conn.(interface{ CloseWrite() error }).CloseWrite()
}

// take reads to the end and compares.
func (r *streamRun) take(conn net.Conn) error {
	expected := r.bytes()
	got, want := make([]byte, 16*streamChunk), make([]byte, 16*streamChunk)
	for left := r.chunks * streamChunk; ; {
		n, err := conn.Read(got)
		expected.Read(want[:n])
		left -= n
		if n > 0 { // not for an error, which is no sign of life
			r.note(!bytes.Equal(got[:n], want[:n]) || left < 0, left == 0)
		}
		switch {
		case errors.Is(err, io.EOF) && left == 0:
			r.takenAll()
			return nil
		case err != nil:
			return fmt.Errorf("%d bytes before the end: %w", left, err)
		}
	}
}

func (r *streamRun) note(wrong, all bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.came = append(r.came, time.Now())
	r.wrong, r.allCame = r.wrong || wrong, all
}

func (r *streamRun) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.err == nil {
		r.err = err
	}
	r.failLocked()
}

func (r *streamRun) failLocked() {
	if r.failed.IsZero() {
		r.failed = time.Now()
	}
}

func (r *streamRun) bytes() *rand.ChaCha8 {
	var seed [32]byte
	binary.BigEndian.PutUint32(seed[:], r.number)
	return rand.NewChaCha8(seed)
}

// stall is the longest time without bytes that began after start, and whether
// it has ended.
func (r *streamRun) stall(start time.Time) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	var longest time.Duration
	for i := 1; i < len(r.came); i++ {
		if r.came[i].After(start) {
			longest = max(longest, r.came[i].Sub(r.came[i-1]))
		}
	}
	return longest
}

func (r *streamRun) servedBy(backend string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.backend = backend
}

func (r *streamRun) server() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.backend
}

// waited is how long it took from the dial to the first bytes; false if none came.
func (r *streamRun) waited() (time.Duration, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.came) == 0 {
		return 0, false
	}
	return r.came[0].Sub(r.began), true
}

// state is what became of the stream.
func (r *streamRun) state() (done, wrong bool, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.done, r.wrong, r.err
}

func (r *streamRun) takenAll() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.taken = true
}

// whole reports whether an upload has come to its end.
func (r *streamRun) whole() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.upload && r.taken
}

// heard is how often something came.
func (r *streamRun) heard() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.came)
}

// last is when something came, or the stream began.
func (r *streamRun) last() time.Time {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.came) == 0 {
		return r.began
	}
	return r.came[len(r.came)-1]
}
