package sambridge

import (
	"context"
	"crypto/tls"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p/streaming"
)

var noDeadline time.Time

// A joint is a client's connection and the stream that it stands for.
//
// Each direction ends by itself: the end of one side's data is passed on, and the other may
// go on for as long as it has something to say (Limits.HalfOpenTime). A side that breaks
// off breaks the other off: a client whose stream is reset reads a reset, not an end.
type joint struct {
	s  *session
	nc net.Conn
	st *streaming.Stream
	// half says that one of the directions has ended.
	half    atomic.Bool
	outDone atomic.Bool // the client has said all
	once    sync.Once
	// answered is when the client was told that its CONNECT is done, zero if it was not;
	// spoke is closed when it has said something since.
	answered time.Time
	spoke    chan struct{}
	said     bool // spoke is closed; the reader's
}

// answerTime is how long what a remote says is held back behind the answer to a CONNECT, as
// long as the client has not said anything itself. Libraries read that answer by one read,
// and drop what else they find there (sam3, @diva.exchange/i2p-sam). A remote that speaks
// first may send its first words along with its consent.
const answerTime = 100 * time.Millisecond

// answers has the joint heed answerTime from now on.
func (j *joint) answers() { j.answered, j.spoke = time.Now(), make(chan struct{}) }

// holdBack waits until the client has surely read its answer.
func (j *joint) holdBack() {
	wait := time.Until(j.answered.Add(answerTime))
	if wait <= 0 {
		return
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-j.spoke:
	case <-timer.C:
	case <-j.s.ctx.Done():
	}
}

func newJoint(s *session, nc net.Conn, st *streaming.Stream) *joint {
	return &joint{s: s, nc: nc, st: st}
}

// run copies until both directions have ended or one has failed. early is what the client
// has sent already.
func (j *joint) run(early []byte) {
	stop := context.AfterFunc(j.s.ctx, j.abort)
	defer stop()
	done := make(chan struct{})
	go func() {
		defer close(done)
		j.finish(j.copyIn())
	}()
	j.outbound(early)
	<-done
	j.st.Close()
}

// outbound passes on what the client sends, and its end.
func (j *joint) outbound(early []byte) {
	if len(early) > 0 {
		j.speaks()
	}
	_, err := j.st.Write(early)
	if err == nil {
		err = j.copyOut()
	}
	if err != nil {
		j.abort()
		return
	}
	j.outDone.Store(true)
	j.halfOpen()
	if err := j.st.CloseWrite(); err != nil {
		j.abort()
	}
}

// finish passes the end of what the remote sends on to the client.
func (j *joint) finish(err error) {
	if err != nil {
		j.abort()
		return
	}
	j.halfOpen()
	if half, ok := j.nc.(interface{ CloseWrite() error }); ok {
		half.CloseWrite()
	} else {
		j.nc.Close()
	}
}

// halfOpen bounds the silence of the other direction.
func (j *joint) halfOpen() {
	j.half.Store(true)
	j.extend()
}

// extend gives a joint that is half open its time anew.
func (j *joint) extend() {
	if j.half.Load() {
		by := time.Now().Add(j.s.b.cfg.Limits.HalfOpenTime)
		j.nc.SetReadDeadline(by)
		j.st.SetReadDeadline(by)
	}
}

// abort ends both sides at once. What a client has sent that has said all still goes out.
func (j *joint) abort() {
	j.once.Do(func() {
		if j.outDone.Load() {
			j.st.Close()
		} else {
			j.st.Reset()
		}
		nc := j.nc
		if t, ok := nc.(*tls.Conn); ok {
			nc = t.NetConn()
		}
		reset(nc)
	})
}

// reset closes a connection so that the other side does not take what it has for all.
func reset(nc net.Conn) {
	switch c := nc.(type) {
	case *net.TCPConn:
		c.SetLinger(0)
	case interface{ Reset() }:
		c.Reset()
	}
	nc.Close()
}

// copyIn copies from the stream to the client. It returns nil at the stream's end.
func (j *joint) copyIn() error {
	for first := !j.answered.IsZero(); ; first = false {
		j.st.AwaitRead()
		if first {
			j.holdBack()
		}
		chunk := chunks.Get().(*[chunkSize]byte)
		n, err := j.st.Read(chunk[:])
		if n > 0 {
			_, err = j.nc.Write(chunk[:n])
		}
		chunks.Put(chunk)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		j.extend()
	}
}

// speaks notes that the client has said something. Only the goroutine that reads it calls this.
func (j *joint) speaks() {
	if j.spoke != nil && !j.said {
		j.said = true
		close(j.spoke)
	}
}

// copyOut copies from the client to the stream. It returns nil at the client's end.
func (j *joint) copyOut() error {
	from := newIdleReader(j.nc)
	for {
		data, err := from.read()
		if len(data) > 0 {
			j.speaks()
			if _, werr := j.st.Write(data); werr != nil {
				err = werr
			}
		}
		from.done()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		j.extend()
	}
}
