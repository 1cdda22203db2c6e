package pluginwire

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/streaming"
)

// A reader that comes late loses nothing of what Close left behind, though that is
// more than the socket takes.
func TestCloseSendsWhatWasWritten(t *testing.T) {
	host, plugin := conns(t)
	data := bytes.Repeat([]byte("0123456789"), 10_000)
	sent := fill(t, plugin, data[:1000])
	if owed := plugin.owed; owed > 0 { // it took half a frame: that is to be whole
		n, _ := io.ReadFull(host, make([]byte, 10_000))
		plugin.SetWriteDeadline(time.Time{})
		plugin.Write(data[:owed])
		sent += owed - n
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

func TestEndInTheMiddleOfAFrameIsAReset(t *testing.T) {
	for what, end := range map[string]func(*Conn) error{
		"CloseWrite": (*Conn).CloseWrite, "Close": (*Conn).Close, "Reset": (*Conn).Reset,
	} {
		host, plugin := conns(t)
		for plugin.owed == 0 { // on a machine that is busy it may not have begun in time
			plugin.SetWriteDeadline(time.Now().Add(20 * time.Millisecond))
			if _, err := plugin.Write(make([]byte, 100*MaxFrame)); !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
		}
		end(plugin)
		_, err := io.Copy(io.Discard, host)
		want(t, what, err, streaming.ErrReset)
	}
}

// A writer whose connection is closed learns from what came before that why.
func TestLastWord(t *testing.T) {
	for what, end := range map[string]struct {
		came []byte
		want error
	}{
		"nothing":      {nil, ErrBroken},
		"data":         {[]byte{1, 2, 0, 0, 0, 1, 'x'}, ErrBroken}, // after the rest of a frame
		"END":          {[]byte{1, 2, 1, 0, 0, 0}, net.ErrClosed},
		"RESET":        {appendFrame([]byte{1, 2}, typeReset, Of(streaming.ErrTimeout).AppendTo), streaming.ErrTimeout},
		"END, RESET":   {appendFrame([]byte{1, 2, 1, 0, 0, 0}, typeReset, Of(streaming.ErrTimeout).AppendTo), streaming.ErrTimeout},
		"a packet":     {[]byte{1, 2, 6, 0, 0, 0}, ErrProtocol},
		"no such type": {[]byte{1, 2, 200, 0, 0, 0}, ErrProtocol},
	} {
		want(t, what, lastWord(end.came, 2, nil), end.want)
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

// fill writes frames until the socket is full, and returns how many bytes that took.
func fill(t *testing.T, c *Conn, frame []byte) (sent int) {
	t.Helper()
	c.SetWriteDeadline(time.Now().Add(100 * time.Millisecond))
	for {
		n, err := c.Write(frame)
		sent += n
		if err != nil {
			want(t, "a write to a full socket", err, os.ErrDeadlineExceeded)
			return sent
		}
	}
}
