package streaming

import (
	"io"
	"net"
	"os"
)

// Read reads what came; io.EOF when the remote has closed its side.
func (st *Stream) Read(b []byte) (int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	for {
		switch {
		case st.appClosed:
			return 0, net.ErrClosed
		case st.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(b) == 0:
			return 0, nil
		case st.receiver.unread > 0:
			n := st.receiver.read(b, &st.stack.segments)
			st.stack.counters.bytesIn.Add(uint64(n))
			st.unchokeLocked()
			return n, nil
		case st.receiver.closed:
			return 0, io.EOF
		case st.err != nil:
			return 0, st.err
		}
		st.canRead.Wait()
	}
}

// AwaitRead returns when Read would not wait: there is something to be read, or an end,
// an error or a deadline. Who has thousands of idle streams needs no buffer for each.
func (st *Stream) AwaitRead() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for !st.appClosed && !st.readBy.passed() && st.receiver.unread == 0 && !st.receiver.closed && st.err == nil {
		st.canRead.Wait()
	}
}

// Write returns when all of b is in the send buffer.
func (st *Stream) Write(b []byte) (int, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	written := 0
	for {
		switch {
		case st.err != nil && !st.appClosed:
			return written, st.err
		case st.appClosed, st.closeQueued, st.state == ended:
			return written, net.ErrClosed
		case st.writeBy.passed():
			return written, os.ErrDeadlineExceeded
		case written == len(b):
			return written, nil
		}
		if room := st.stack.cfg.SendBuffer - st.buffered; room > 0 {
			rest := b[written:]
			n := st.enqueueLocked(rest[:min(len(rest), room)])
			written += n
			st.stack.counters.bytesOut.Add(uint64(n))
			st.outputLocked(st.stack.now())
			continue
		}
		st.canWrite.Wait()
	}
}

// enqueueLocked puts b into segments.
func (st *Stream) enqueueLocked(b []byte) int {
	now := st.stack.now()
	if st.una+uint32(st.queue.len()) > lastSequence {
		st.resetLocked(errExhausted)
		return 0
	}
	done := 0
	if tail := st.openTail(); tail != nil {
		done = tail.add(b, st.limitOf(tail))
		if done > 0 && tail.flags&FlagSync != 0 {
			st.congestion.nextSend = now // the SYN reply waited for this
		}
	}
	for done < len(b) {
		g := st.stack.segments.get(st.payload)
		g.queuedAt = now
		done += g.add(b[done:], st.payload)
		st.pushLocked(g)
	}
	st.buffered += done
	return done
}

// lastSequence is the last number that is used: i2pd counts with signed ones.
const lastSequence = 1<<31 - 1<<20

// pushLocked appends a segment to what is to be sent.
func (st *Stream) pushLocked(g *segment) {
	g.seq = st.una + uint32(st.queue.len())
	st.queue.push(g)
}

// openTail is the last segment if it has not been sent and may take more.
func (st *Stream) openTail() *segment {
	if st.queue.len() == st.sent {
		return nil
	}
	return st.queue.at(st.queue.len() - 1)
}

// limitOf is how much payload fits into g: less into a SYN, which has options.
func (st *Stream) limitOf(g *segment) int {
	if g.flags&FlagSync == 0 {
		return st.payload
	}
	if !st.proven {
		return 0
	}
	return max(0, st.payload-st.stack.cfg.Origin.Overhead2())
}

// Close ends both directions. What was written is still sent, in the background;
// what comes is dropped.
func (st *Stream) Close() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.appClosed {
		return net.ErrClosed
	}
	st.appClosed = true
	st.readBy.stop()
	st.writeBy.stop()
	st.receiver.drop(&st.stack.segments)
	st.canRead.Broadcast()
	st.closeWriteLocked()
	st.checkEndLocked(st.stack.now())
	return nil
}

// CloseWrite ends our direction: the remote reads io.EOF after what was written.
// i2pd, which does not know half a close, then ends the other direction too, and
// drops what it has not sent yet (libi2pd/Streaming.cpp, ProcessPacket).
func (st *Stream) CloseWrite() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	switch {
	case st.appClosed:
		return net.ErrClosed
	case st.err != nil:
		return st.err
	}
	st.closeWriteLocked()
	return nil
}

func (st *Stream) closeWriteLocked() {
	if st.closeQueued || st.state == ended {
		return
	}
	st.closeQueued = true
	g := st.stack.segments.get(0)
	g.flags = FlagClose
	st.pushLocked(g)
	st.canWrite.Broadcast()
	st.outputLocked(st.stack.now())
}

// Reset ends the stream at once; the remote reads an error.
func (st *Stream) Reset() error {
	st.abort(net.ErrClosed)
	return nil
}

// abort is Reset with the error that our side gets.
func (st *Stream) abort(err error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.receiver.drop(&st.stack.segments)
	st.resetLocked(err)
}
