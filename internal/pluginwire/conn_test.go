package pluginwire

import (
	"bytes"
	"crypto/sha256"
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
