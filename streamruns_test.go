package onelease_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/i2p/streaming"
)

// streamRuns are streams of a world, and the service that they go to.
type streamRuns struct {
	w *world

	mu   sync.Mutex
	list []*streamRun
}

// all are the streams so far.
func (s *streamRuns) all() []*streamRun {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.list)
}

// Serve implements backend.Service.
func (s *streamRuns) Serve(ctx context.Context, node backend.Node) error {
	return s.serveAs(ctx, node, "")
}

// on is the service of one of several backends.
func (s *streamRuns) on(name string) backend.Service {
	return backend.ServiceFunc(func(ctx context.Context, node backend.Node) error { return s.serveAs(ctx, node, name) })
}

func (s *streamRuns) serveAs(ctx context.Context, node backend.Node, name string) error {
	ln, err := node.Listen(streamPort)
	if err != nil {
		return err
	}
	var conns sync.WaitGroup
	defer conns.Wait()
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return nil
		}
		conns.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(ctx, func() { conn.Close() })()
			s.serve(conn, name)
		})
	}
}

// serve does the service's side of the stream whose number comes first.
func (s *streamRuns) serve(conn net.Conn, backend string) {
	var head [4]byte
	if _, err := io.ReadFull(conn, head[:]); err != nil {
		return // its remote says so as well
	}
	r := s.all()[binary.BigEndian.Uint32(head[:])]
	r.servedBy(backend)
	side := r.carry
	if r.upload {
		side = r.take
	}
	if err := side(conn); err != nil {
		r.end(fmt.Errorf("service: %w", err))
	}
}

// add has a remote begin a stream after a delay, which carries that many chunks.
func (s *streamRuns) add(remote *simnet.Remote, upload bool, delay time.Duration, chunks int, every time.Duration) {
	s.mu.Lock()
	r := &streamRun{number: uint32(len(s.list)), remote: remote, upload: upload, chunks: chunks, every: every}
	s.list = append(s.list, r)
	s.mu.Unlock()
	s.w.askers.Go(func() {
		time.Sleep(delay)
		err := s.dial(r)
		r.mu.Lock()
		defer r.mu.Unlock()
		r.done = err == nil && r.err == nil && r.allCame
		if err != nil {
			r.err = errors.Join(r.err, fmt.Errorf("remote: %w", err))
			r.failLocked()
		}
	})
}

// dial does the remote's side. An upload has arrived when the service has
// closed its direction after it.
func (s *streamRuns) dial(r *streamRun) error {
	r.mu.Lock()
	r.began = time.Now()
	r.mu.Unlock()
	conn, err := r.remote.Stack().Dial(s.w.ctx, streaming.NewRemote(s.w.keys.Destination), 0, streamPort)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(s.w.ctx, func() { conn.Close() })()
	if _, err := conn.Write(binary.BigEndian.AppendUint32(nil, r.number)); err != nil {
		return err
	}
	if !r.upload {
		return r.take(conn)
	}
	if err := r.carry(conn); err != nil {
		return err
	}
	if n, err := conn.Read(make([]byte, 1)); n > 0 || !errors.Is(err, io.EOF) {
		return fmt.Errorf("after the upload: %d bytes, %w", n, err)
	}
	return nil
}

// ended reports whether no stream goes on.
func (s *streamRuns) ended() bool {
	for _, r := range s.all() {
		if done, _, err := r.state(); !done && err == nil {
			return false
		}
	}
	return true
}

// stalls are the streams' longest stalls since start, in order.
func (s *streamRuns) stalls(start time.Time) []time.Duration {
	var all []time.Duration
	for _, r := range s.all() {
		all = append(all, r.stall(start))
	}
	slices.Sort(all)
	return all
}

var _ backend.Service = (*streamRuns)(nil)
