package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

const (
	// maxLine is the longest line in bytes that is passed on.
	maxLine = 400
	// backlog is how many lines may wait for one who reads slowly; then he goes.
	backlog = 100
	// writeTime is how long a line may take: a stream that moves to another router
	// may stand still for some minutes.
	writeTime = 3 * time.Minute
)

// A room passes each line of one visitor on to all others.
type room struct {
	mu       sync.Mutex
	visitors map[*visitor]bool
	made     int
}

// A visitor is one stream.
type visitor struct {
	name  string
	conn  net.Conn
	lines chan string
}

// serve takes visitors until ctx ends. They are told so.
func (r *room) serve(ctx context.Context, ln net.Listener) error {
	var talks sync.WaitGroup
	defer talks.Wait()
	for {
		conn, err := ln.Accept()
		if err != nil {
			return err
		}
		talks.Go(func() { r.host(ctx, conn) })
	}
}

// host is one visit.
func (r *room) host(ctx context.Context, conn net.Conn) {
	v := r.enter(conn)
	var writing sync.WaitGroup
	writing.Go(v.write)
	stop := context.AfterFunc(ctx, func() { r.leave(v, "the room closes") })
	lines := bufio.NewScanner(conn)
	lines.Buffer(make([]byte, maxLine), maxLine)
	for lines.Scan() {
		r.say(v, v.name+": "+printable(lines.Text()))
	}
	stop()
	r.leave(v, "bye")
	writing.Wait()
	r.say(v, v.name+" has gone")
}

// enter lets a visitor in, by a name that says nothing of who it is.
func (r *room) enter(conn net.Conn) *visitor {
	r.mu.Lock()
	r.made++
	v := &visitor{fmt.Sprintf("guest-%d", r.made), conn, make(chan string, backlog)}
	v.lines <- fmt.Sprintf("you are %s, of %d here", v.name, len(r.visitors)+1)
	r.visitors[v] = true
	r.mu.Unlock()
	r.say(v, v.name+" has come")
	return v
}

// leave ends a visit, if it has not ended.
func (r *room) leave(v *visitor, last string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.visitors[v] {
		r.dropLocked(v, last)
	}
}

// dropLocked has v's writer end after what waits for it.
func (r *room) dropLocked(v *visitor, last string) {
	delete(r.visitors, v)
	select {
	case v.lines <- last:
	default:
	}
	close(v.lines)
}

// say passes a line on to all but who said it.
func (r *room) say(from *visitor, line string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for v := range r.visitors {
		if v == from {
			continue
		}
		select {
		case v.lines <- line:
		default:
			r.dropLocked(v, "")
		}
	}
}

// write sends what is said until the visit ends, and closes the stream: that also
// ends the reading.
func (v *visitor) write() {
	defer v.conn.Close()
	for line := range v.lines {
		_ = v.conn.SetWriteDeadline(time.Now().Add(writeTime))
		if _, err := io.WriteString(v.conn, line+"\n"); err != nil {
			return
		}
	}
}

// printable is text without what could confuse a terminal.
func printable(text string) string {
	clean := []rune(text)
	for i, c := range clean {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			clean[i] = '?'
		}
	}
	return string(clean)
}
