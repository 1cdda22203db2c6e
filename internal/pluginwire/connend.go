package pluginwire

import (
	"net"
	"time"

	"github.com/onelease/onelease/i2p/streaming"
)

// resetWait bounds how long a RESET waits for room in the socket.
const resetWait = 5 * time.Second

// Close ends both directions. What was written is still sent, in the background,
// for as long as that takes; Done tells when it has gone. What comes is dropped.
func (c *Conn) Close() error {
	if !c.beginEnd() {
		return net.ErrClosed
	}
	go c.finish(appendFrame(nil, typeEnd, nothing), time.Time{})
	return nil
}

// Reset ends the stream at once; the other end reads an error.
func (c *Conn) Reset() error { return c.Abort(streaming.ErrReset) }

// Abort is Reset with the error that the other end gets.
func (c *Conn) Abort(err error) error {
	if c.beginEnd() {
		go c.finish(appendFrame(nil, typeReset, Of(err).AppendTo), time.Now().Add(resetWait))
	}
	return nil
}

func nothing(b []byte) []byte { return b }

// beginEnd has all calls end. It returns false if it was called before.
func (c *Conn) beginEnd() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ending {
		return false
	}
	c.ending = true
	c.raw.SetDeadline(time.Unix(1, 0)) // a time that has passed, also in synctest
	return true
}

// finish writes the last frame, unless that would be in the middle of another
// or after it, and closes the connection.
func (c *Conn) finish(last []byte, by time.Time) {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	defer c.release()
	isEnd := frameType(last[0]) == typeEnd
	c.mu.Lock()
	send := c.owed == 0 && c.writeEnd == nil && !(c.endSent && isEnd)
	c.mu.Unlock()
	if send {
		c.raw.SetWriteDeadline(by)
		c.raw.Write(last)
	}
}
