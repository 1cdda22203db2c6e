package streamservice

import (
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/internal/memconn"
)

// serve runs a server for one connection.
func serve(t *testing.T) (*Server, net.Conn) {
	client, server := memconn.Pair("service")
	s := NewServer()
	go s.ServeConn(server)
	t.Cleanup(func() { client.Close() })
	return s, client
}

func TestRequests(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, conn := serve(t)
		var meter Meter
		if err := Get(conn, Transfer{Size: 100_000, Seed: 1, Rate: 20_000}, &meter); err != nil {
			t.Fatal(err)
		}
		if r := meter.Report(); r.Bytes != 100_000 || r.Total < 4*time.Second || r.Total > 6*time.Second || r.Gap > 100*time.Millisecond {
			t.Errorf("at 20,000 bytes/s: %v", r)
		}
		if err := Put(conn, Transfer{Size: 70_001, Seed: 2, Rate: 35_000}); err != nil {
			t.Fatal(err)
		}
		if r := server.Put(2).Report(); r.Bytes != 70_001 || r.Total < time.Second {
			t.Errorf("upload: %v", r)
		}
		if err := GetLast(conn, Transfer{Size: 1, Seed: 3}, &meter); err != nil {
			t.Fatal(err)
		}
	})
}

func TestEcho(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, conn := serve(t)
		echo, err := NewEcho(conn)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := echo.Ask("still there?"); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// TestMeterTellsTheGap: the longest gap, when it began, and after Mark only a later one.
func TestMeterTellsTheGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var m Meter
		m.begin()
		for _, pause := range []time.Duration{1, 7, 2} {
			time.Sleep(pause * time.Second)
			m.add(10)
		}
		if r := m.Report(); r.Gap != 7*time.Second || r.GapAt != time.Second || r.First != time.Second {
			t.Errorf("got %v", r)
		}
		m.Mark()
		time.Sleep(3 * time.Second)
		if r := m.Lasting(); r.Gap != 3*time.Second || r.GapAt != 10*time.Second {
			t.Errorf("after the mark: %v", r)
		}
	})
}

func TestWrongBytesAreSeen(t *testing.T) {
	good, err := io.ReadAll(io.LimitReader(source(1), 5000))
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string]string{
		"another seed": string(good[1:]) + "x",
		"last byte":    string(good[:4999]) + string(good[4999]+1),
	} {
		err := Transfer{Size: 5000, Seed: 1}.receive(strings.NewReader(bad), &Meter{})
		if !errors.Is(err, ErrBytes) {
			t.Errorf("%s: %v", name, err)
		}
	}
	err = Transfer{Size: 5000, Seed: 1}.receive(strings.NewReader(string(good[:4000])), &Meter{})
	if !errors.Is(err, io.EOF) {
		t.Errorf("cut short: %v", err)
	}
}
