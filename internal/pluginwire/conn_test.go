package pluginwire

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/streaming"
)

func TestStreamBothWaysAtOnce(t *testing.T) {
	host, plugin := conns(t)
	const size = 8 << 20
	var group sync.WaitGroup
	for _, ends := range [][2]*Conn{{host, plugin}, {plugin, host}} {
		sent, got := sha256.New(), sha256.New()
		var writes sync.WaitGroup
		writes.Add(1)
		group.Go(func() {
			defer writes.Done()
			random := rand.New(rand.NewPCG(1, 2))
			for left := size; left > 0; {
				b := make([]byte, min(left, 1+random.IntN(200_000)))
				b[0], b[len(b)-1] = byte(len(b)), byte(left)
				sent.Write(b)
				left -= len(b)
				if n, err := ends[0].Write(b); n != len(b) || err != nil {
					t.Errorf("wrote %d of %d: %v", n, len(b), err)
					return
				}
			}
			if err := ends[0].CloseWrite(); err != nil {
				t.Error(err)
			}
		})
		group.Go(func() {
			n, err := io.CopyBuffer(struct{ io.Writer }{got}, struct{ io.Reader }{ends[1]}, make([]byte, 50_000))
			writes.Wait()
			if n != size || err != nil || !bytes.Equal(got.Sum(nil), sent.Sum(nil)) {
				t.Errorf("read %d bytes, %v", n, err)
			}
		})
	}
	group.Wait()
	await(t, "the end of the host's connection", host.Done())
	await(t, "the end of the plugin's connection", plugin.Done())
	for _, c := range []*Conn{host, plugin} {
		if n, err := c.Read(make([]byte, 1)); n != 0 || err != io.EOF {
			t.Errorf("after the end: %d, %v", n, err)
		}
		_, err := c.Write([]byte("x"))
		want(t, "a write after CloseWrite", err, net.ErrClosed)
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		want(t, "a second Close", c.Close(), net.ErrClosed)
	}
}

// A reader that comes late loses nothing of what Close left behind, though that is
// more than the socket takes.
func TestCloseSendsWhatWasWritten(t *testing.T) {
	host, plugin := conns(t)
	data := bytes.Repeat([]byte("0123456789"), 10_000)
	var sent int
	plugin.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	for {
		n, err := plugin.Write(data[:1000])
		sent += n
		if err != nil {
			want(t, "a write to a full socket", err, os.ErrDeadlineExceeded)
			break
		}
	}
	if plugin.owed > 0 {
		t.Skip("the socket took half a small frame")
	}
	if err := plugin.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(host)
	if len(got) != sent || err != nil {
		t.Errorf("read %d bytes of %d: %v", len(got), sent, err)
	}
	await(t, "the end", plugin.Done())
	if err := host.AwaitClose(); err != nil {
		t.Errorf("the plugin closed: %v", err)
	}
	_, err = host.Write(data)
	want(t, "a write to a closed one", err, net.ErrClosed)
	_, err = plugin.Write(data)
	want(t, "a write after Close", err, net.ErrClosed)
	_, err = plugin.Read(make([]byte, 1))
	want(t, "a read after Close", err, net.ErrClosed)
	want(t, "a deadline after Close", plugin.SetDeadline(time.Time{}), net.ErrClosed)
}

func TestDeadlineInTheMiddleOfAFrame(t *testing.T) {
	host, plugin := conns(t)
	data := make([]byte, 20*MaxFrame)
	for i := range data {
		data[i] = byte(i * i >> 5)
	}
	var got bytes.Buffer
	buffer := make([]byte, 1<<20)
	cuts := 0
	for sent := 0; sent < len(data); {
		plugin.SetWriteDeadline(time.Now().Add(5 * time.Millisecond))
		n, err := plugin.Write(data[sent:])
		sent += n
		if err == nil {
			break
		}
		want(t, "a write to a full socket", err, os.ErrDeadlineExceeded)
		if plugin.owed > 0 {
			cuts++
		}
		for {
			host.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			n, err := host.Read(buffer)
			got.Write(buffer[:n])
			if err != nil {
				want(t, "a read of an empty socket", err, os.ErrDeadlineExceeded)
				break
			}
		}
	}
	if cuts == 0 {
		t.Error("no frame was cut: the test shows nothing")
	}
	plugin.SetWriteDeadline(time.Time{})
	host.SetReadDeadline(time.Time{})
	if err := plugin.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := got.ReadFrom(host); err != nil || !bytes.Equal(got.Bytes(), data) {
		t.Errorf("read %d bytes of %d, the same: %t, %v", got.Len(), len(data), bytes.Equal(got.Bytes(), data), err)
	}
}

func TestEndInTheMiddleOfAFrameIsAReset(t *testing.T) {
	for what, end := range map[string]func(*Conn) error{
		"CloseWrite": (*Conn).CloseWrite, "Close": (*Conn).Close, "Reset": (*Conn).Reset,
	} {
		host, plugin := conns(t)
		plugin.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
		if _, err := plugin.Write(make([]byte, 100*MaxFrame)); !errors.Is(err, os.ErrDeadlineExceeded) || plugin.owed == 0 {
			t.Fatalf("%v, %d bytes owed", err, plugin.owed)
		}
		end(plugin)
		_, err := io.Copy(io.Discard, host)
		want(t, what, err, streaming.ErrReset)
	}
}

func TestReset(t *testing.T) {
	host, plugin := conns(t)
	host.Write([]byte("last words"))
	host.Abort(streaming.ErrTimeout)
	await(t, "the end", host.Done())
	// A writer learns why, and takes nothing from the reader.
	_, err := plugin.Write([]byte("x"))
	want(t, "a write after a reset", err, streaming.ErrTimeout)
	got, err := io.ReadAll(plugin)
	want(t, "a read after a reset", err, streaming.ErrTimeout)
	if string(got) != "last words" {
		t.Errorf("read %q", got)
	}
	_, err = plugin.Write([]byte("x"))
	want(t, "a second write", err, streaming.ErrTimeout)
	want(t, "CloseWrite", plugin.CloseWrite(), streaming.ErrTimeout)
	_, err = host.Read(make([]byte, 1))
	want(t, "a read after our own reset", err, net.ErrClosed)
}

func TestResetAfterEnd(t *testing.T) {
	host, plugin := conns(t)
	host.CloseWrite()
	if got, err := io.ReadAll(plugin); len(got) > 0 || err != nil {
		t.Fatal(got, err)
	}
	host.Reset()
	await(t, "the end", host.Done())
	_, err := plugin.Write([]byte("x"))
	want(t, "a write", err, streaming.ErrReset)

	host, plugin = conns(t)
	plugin.CloseWrite()
	io.ReadAll(host)
	plugin.Abort(streaming.ErrRefused)
	want(t, "AwaitClose", host.AwaitClose(), streaming.ErrRefused)
}

// The process at the other end died.
func TestBroken(t *testing.T) {
	host, plugin := conns(t)
	plugin.Write([]byte("half"))
	plugin.raw.Close()
	got, err := io.ReadAll(host)
	if string(got) != "half" {
		t.Errorf("read %q", got)
	}
	for _, target := range []error{ErrBroken, streaming.ErrReset} {
		want(t, "a read", err, target)
	}
	_, err = host.Write([]byte("x"))
	want(t, "a write", err, ErrBroken)
}

func TestCallsThatWaitAreEnded(t *testing.T) {
	for what, end := range map[string]struct {
		by   func(host, plugin *Conn)
		want error
	}{
		"Close":           {func(_, p *Conn) { p.Close() }, net.ErrClosed},
		"Reset":           {func(_, p *Conn) { p.Reset() }, net.ErrClosed},
		"the other's":     {func(h, _ *Conn) { h.Reset() }, streaming.ErrReset},
		"SetDeadline":     {func(_, p *Conn) { p.SetDeadline(time.Unix(1, 0)) }, os.ErrDeadlineExceeded},
		"the other died":  {func(h, _ *Conn) { h.raw.Close() }, ErrBroken},
		"a bad frame":     {func(h, _ *Conn) { h.raw.Write([]byte{200, 0, 0, 0}); h.raw.Close() }, ErrProtocol},
		"a packet":        {func(h, _ *Conn) { h.raw.Write([]byte{6, 0, 0, 0}); h.raw.Close() }, ErrProtocol},
		"a long END":      {func(h, _ *Conn) { h.raw.Write([]byte{1, 0, 0, 1}); h.raw.Close() }, ErrProtocol},
		"an empty RESET":  {func(h, _ *Conn) { h.raw.Write([]byte{2, 0, 0, 0}); h.raw.Close() }, ErrProtocol},
		"a long DATA":     {func(h, _ *Conn) { h.raw.Write([]byte{0, 1, 0, 1}); h.raw.Close() }, ErrProtocol},
		"half of a RESET": {func(h, _ *Conn) { h.raw.Write([]byte{2, 0, 0, 9, 1}); h.raw.Close() }, ErrBroken},
	} {
		host, plugin := conns(t)
		errs := make(chan error)
		go func() {
			_, err := plugin.Read(make([]byte, 9))
			errs <- err
		}()
		go func() {
			_, err := plugin.Write(make([]byte, 100*MaxFrame))
			errs <- err
		}()
		io.ReadFull(host, make([]byte, 1)) // the writer has begun
		end.by(host, plugin)
		want(t, what, <-errs, end.want)
		want(t, what, <-errs, end.want)
	}
}

func TestPastReadDeadlineWinsOverWhatIsThere(t *testing.T) {
	host, plugin := conns(t)
	host.Write([]byte("ab"))
	buffer := make([]byte, 1)
	if _, err := plugin.Read(buffer); err != nil {
		t.Fatal(err)
	}
	plugin.SetReadDeadline(time.Unix(1, 0))
	_, err := plugin.Read(buffer)
	want(t, "a read", err, os.ErrDeadlineExceeded)
	plugin.SetReadDeadline(time.Time{})
	if _, err := plugin.Read(buffer); err != nil || buffer[0] != 'b' {
		t.Errorf("%q, %v", buffer, err)
	}
}

func FuzzConnRead(f *testing.F) {
	f.Add([]byte{0, 0, 0, 1, 'x', 1, 0, 0, 0})
	f.Add([]byte{2, 0, 0, 2, 8, 'x'})
	f.Fuzz(func(t *testing.T, b []byte) {
		h, p := net.Pipe()
		go func() { h.Write(b); h.Close() }()
		c := NewConn(p)
		if n, err := io.Copy(io.Discard, c); n > int64(len(b)) || err == nil && !bytes.Contains(b, []byte{1, 0, 0, 0}) {
			t.Errorf("%d bytes of %d, %v", n, len(b), err)
		}
		c.Close()
		p.Close()
	})
}
