package memconn

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

func TestBytesArriveWholeAndInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := Pair("test")
		sent := bytes.Repeat([]byte("0123456789"), 100_000) // more than the buffer holds
		go func() {
			client.Write(sent)
			client.Close()
		}()
		got, err := io.ReadAll(server)
		if err != nil || !bytes.Equal(got, sent) {
			t.Errorf("read %d bytes, error %v, want the %d sent", len(got), err, len(sent))
		}
		if _, err := server.Write([]byte("x")); !errors.Is(err, syscall.EPIPE) {
			t.Errorf("write to a closed end: %v, want EPIPE", err)
		}
	})
}

func TestCloseWriteLeavesTheOtherDirection(t *testing.T) {
	client, server := Pair("test")
	client.Write([]byte("last words"))
	client.CloseWrite()
	if got, err := io.ReadAll(server); err != nil || string(got) != "last words" {
		t.Errorf("read %q, %v", got, err)
	}
	server.Write([]byte("reply"))
	server.Close()
	if got, err := io.ReadAll(client); err != nil || string(got) != "reply" {
		t.Errorf("read %q, %v", got, err)
	}
}

func TestDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := Pair("test")
		start := time.Now()
		client.SetDeadline(start.Add(time.Second))
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read: %v, want a timeout", err)
		}
		if _, err := client.Write(make([]byte, 2*bufferSize)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("write: %v, want a timeout", err)
		}
		if d := time.Since(start); d != time.Second {
			t.Errorf("timeouts after %v, want 1s", d)
		}
		server.Write([]byte("x"))
		if _, err := client.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("read past the deadline: %v, want a timeout as a socket has", err)
		}
		client.SetDeadline(time.Time{})
		if n, err := client.Read(make([]byte, 1)); n != 1 || err != nil {
			t.Errorf("read without a deadline: %d, %v", n, err)
		}
	})
}

func TestResetEndsBothEnds(t *testing.T) {
	client, server := Pair("test")
	client.Write([]byte("never read"))
	server.Reset()
	for _, c := range []*Conn{client, server} {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("read: %v, want ECONNRESET", err)
		}
		if _, err := c.Write([]byte("x")); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("write: %v, want ECONNRESET", err)
		}
	}
}

func TestListener(t *testing.T) {
	l := Listen("test")
	client, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	client.Write([]byte("x"))
	if n, err := server.Read(make([]byte, 1)); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
	waiting, err := l.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if _, err := waiting.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("read of a connection that was not accepted: %v, want ECONNRESET", err)
	}
	if _, err := l.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("accept after Close: %v", err)
	}
	if _, err := l.Dial(t.Context()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("dial after Close: %v", err)
	}
}

func TestDialWaitsWhileNobodyAccepts(t *testing.T) {
	l := Listen("test")
	defer l.Close()
	for range backlog {
		if _, err := l.Dial(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := l.Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("dial beyond the backlog: %v, want that it waits for its context", err)
	}
}

// What a burst has made large is given back after it, and kept during it.
func TestBurstIsForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, server := Pair("test")
		exchange := func(size int) {
			client.Write(make([]byte, size))
			if _, err := io.ReadFull(server, make([]byte, size)); err != nil {
				t.Fatal(err)
			}
		}
		exchange(bufferSize)
		for range 100 {
			exchange(100)
		}
		if n := cap(client.out.buf); n < bufferSize {
			t.Errorf("%d bytes are held after a burst", n)
		}
		time.Sleep(burstTime)
		exchange(100)
		if n := cap(client.out.buf); n > alwaysKept {
			t.Errorf("%d bytes are held long after it", n)
		}
	})
}
