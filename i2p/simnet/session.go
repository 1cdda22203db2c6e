package simnet

import (
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/internal/coalesce"
)

const (
	// sendQueue is how many bytes wait for a client before messages to it are
	// dropped (i2pd I2CP.h, I2CP_MAX_SEND_QUEUE_SIZE).
	sendQueue = 1 << 20
	// flushWithin bounds what the end of a connection waits for its last frames.
	flushWithin = second
)

// A session is one I2CP connection, with the session on it once that is made.
// Its goroutine reads; frames to the client go through out, which never blocks.
type session struct {
	router *Router
	conn   net.Conn
	frames *i2cp.FrameReader
	out    *coalesce.Writer
	tap    atomic.Pointer[Tap] // takes what the client sends, for benchmarks

	// All below is guarded by net.mu.
	id       uint16
	dest     *destination // nil before CreateSession
	accepts  bool         // says "accepted" for each message
	messages uint32       // last message ID
}

func newSession(r *Router, conn net.Conn) *session {
	return &session{
		router:  r,
		conn:    conn,
		frames:  i2cp.NewFrameReader(conn),
		out:     coalesce.New(conn, sendQueue),
		id:      i2cp.NoSession,
		accepts: true,
	}
}

// serve handles one frame after the other until the connection ends.
func (s *session) serve() {
	defer s.finish()
	if err := s.frames.ReadProtocolByte(); err != nil {
		return
	}
	for {
		t, body, err := s.frames.Next()
		if err != nil {
			return
		}
		if tap := s.tap.Load(); tap != nil && tap.take(t, body) {
			continue
		}
		s.waitThawed()
		if err := s.handle(t, body); err != nil {
			s.router.net.log.Debug("I2CP session ends", "router", s.router.cfg.Name, "error", err)
			return
		}
	}
}

// finish takes the session off its router, then lets the client have what
// was written for it.
func (s *session) finish() {
	n := s.router.net
	n.mu.Lock()
	delete(s.router.sessions, s)
	if s.dest != nil && !s.dest.closed {
		s.dest.observeLocked(EventSessionDown, nil, "")
		s.dest.closeLocked()
	}
	n.mu.Unlock()
	s.conn.SetWriteDeadline(time.Now().Add(flushWithin))
	s.out.Close()
	s.conn.Close()
}

// waitThawed blocks while the router is frozen.
func (s *session) waitThawed() {
	s.router.net.mu.Lock()
	thawed := s.router.thawed
	s.router.net.mu.Unlock()
	select {
	case <-thawed:
	case <-s.router.net.ctx.Done():
	}
}

// write queues a frame; it may be called with or without the lock.
func (s *session) write(frame func(b []byte) ([]byte, error)) error {
	var bad error
	err := s.out.Append(func(b []byte) []byte {
		b, bad = frame(b)
		return b
	})
	if err == nil {
		err = bad
	}
	return err
}

// requestLeases implements client.
func (s *session) requestLeases(leases []i2p.Lease) {
	s.write(i2cp.RequestVariableLeaseSet{Session: s.id, Leases: leases}.AppendFrame)
}

// deliver implements client.
func (s *session) deliver(payload []byte) bool {
	s.messages++
	return s.inject(s.messages, payload) == nil
}

// inject queues a message without allocating.
func (s *session) inject(id uint32, payload []byte) error {
	m := i2cp.MessagePayload{Session: s.id, ID: id, Payload: payload}
	return s.out.Append(func(b []byte) []byte {
		b, _ = m.AppendFrame(b) // too big cannot be: the payload came in a frame
		return b
	})
}

// status implements client. Nonce 0 asks for none (i2pd I2CP.cpp,
// SendMessageStatusMessage).
func (s *session) status(nonce uint32, status i2cp.Status) {
	if nonce == 0 {
		return
	}
	s.messages++
	s.write(i2cp.MessageStatus{Session: s.id, ID: s.messages, Status: status, Nonce: nonce}.AppendFrame)
}

// hangUp implements client: it says why where the router's make does, and has
// the reader end.
func (s *session) hangUp(reason string) {
	if s.router.cfg.Profile.I2CP.Disconnects {
		s.write(i2cp.Disconnect{Reason: reason}.AppendFrame)
	}
	s.conn.SetReadDeadline(time.Unix(1, 0))
}

// malformed is the error for input that ends the session.
func malformed(err error) error { return fmt.Errorf("malformed input: %w", err) }

var _ client = (*session)(nil)
