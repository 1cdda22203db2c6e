package servicetest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/backend/servicetest"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/plugins/echo"
)

var big = bytes.Repeat([]byte("all of this arrives. "), 50_000)

var site = backend.HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.Write(big) }))

func get(remote *servicetest.Remote, address string) error {
	response, err := remote.Client().Get("http://" + address)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err == nil && !bytes.Equal(body, big) {
		err = fmt.Errorf("%d bytes came, other than the %d", len(body), len(big))
	}
	return err
}

// A megabyte arrives whole, also where packets are lost.
func TestStreams(t *testing.T) {
	for _, loss := range []float64{0, 0.05} {
		synctest.Test(t, func(t *testing.T) {
			world := servicetest.Start(t, site, servicetest.Options{Loss: loss, Seed: 1})
			for range 3 {
				began := time.Now()
				if err := get(world.Remote(), world.Address(80)); err != nil {
					t.Error(err)
				}
				t.Logf("with loss %v it took %v", loss, time.Since(began))
			}
			if lost := world.Lost(); (lost > 50) != (loss > 0) {
				t.Errorf("with loss %v, %d packets were lost", loss, lost)
			}
		})
	}
}

// Outside a bubble it works as well.
func TestInRealTime(t *testing.T) {
	world := servicetest.Start(t, site, servicetest.Options{})
	if err := get(world.Remote(), world.Address(80)); err != nil {
		t.Error(err)
	}
}

// A download goes on when its frontend is killed.
func TestKilledFrontend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		killed := make(chan struct{})
		world := servicetest.Start(t, backend.HTTP(80, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			w.Write(big[:len(big)/2])
			<-killed
			w.Write(big[len(big)/2:])
		})), servicetest.Options{})
		remote := world.Remote()
		time.Sleep(backendtest.SessionAge + time.Second)
		go func() {
			time.Sleep(10 * time.Second)
			world.Frontends()[remote.At.Frontend()].Kill()
			close(killed)
		}()
		if err := get(remote, world.Address(80)); err != nil {
			t.Error(err)
		}
		if remote.At.Frontend() != 1 {
			t.Error("the remote is where it was")
		}
	})
}

func TestDatagrams(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		kinds := []backend.Kind{backend.Datagram, backend.Datagram2, backend.Datagram3}
		world := servicetest.Start(t, echo.Service{Kinds: kinds}, servicetest.Options{})
		for _, kind := range kinds {
			conn, err := world.Remote().ListenPacket(kind, 4000)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := conn.WriteTo([]byte("hello"), i2p.NewAddr(world.Destination(), 7)); err != nil {
				t.Fatal(err)
			}
			if err := conn.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
				t.Fatal(err)
			}
			answer := make([]byte, 100)
			n, from, err := conn.ReadFrom(answer)
			if err != nil || string(answer[:n]) != "hello" {
				t.Errorf("%v: answered %q, %v", kind, answer[:n], err)
			} else if from.(*i2p.Addr).Hash != world.Destination().Hash() {
				t.Errorf("%v: answered by %v", kind, from)
			}
		}
	})
}

// A service can also begin streams to remotes, but not to those that cannot be
// found.
func TestServiceDials(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := make(chan string)
		answers := make(chan error)
		world := servicetest.Start(t, backend.ServiceFunc(func(ctx context.Context, node backend.Node) error {
			for address := range calls {
				conn, err := node.DialContext(ctx, "i2p", address)
				if err == nil {
					conn.Close()
				}
				answers <- err
			}
			return nil
		}), servicetest.Options{})
		for _, test := range []struct {
			remote *servicetest.Remote
			found  bool
		}{{world.Remote(), true}, {world.Unpublished(), false}} {
			ln, err := test.remote.Listen(9)
			if err != nil {
				t.Fatal(err)
			}
			defer ln.Close()
			calls <- i2p.NewAddr(test.remote.Destination(), 9).String()
			if err := <-answers; (err == nil) != test.found {
				t.Errorf("found %v, error %v", test.found, err)
			}
		}
		close(calls)
		<-world.Done()
	})
}

// What a service has written when it is told to end arrives. An error of a service
// is returned by Stop.
func TestStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		world := servicetest.Start(t, backend.Listener(80, func(ctx context.Context, ln net.Listener) error {
			conn, err := ln.Accept()
			if err != nil {
				return err
			}
			defer conn.Close()
			<-ctx.Done()
			_, err = io.WriteString(conn, "bye")
			return err
		}), servicetest.Options{})
		conn, err := world.Remote().DialContext(t.Context(), "i2p", world.Address(80))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		if err := world.Stop(); err != nil {
			t.Error(err)
		}
		if said, err := io.ReadAll(conn); string(said) != "bye" || err != nil {
			t.Errorf("last words %q, %v", said, err)
		}
	})
	broken := errors.New("no disk space")
	synctest.Test(t, func(t *testing.T) {
		failed := &failures{TB: t}
		world := servicetest.Start(failed, backend.ServiceFunc(func(context.Context, backend.Node) error { return broken }), servicetest.Options{})
		<-world.Done()
		if err := world.Stop(); !errors.Is(err, broken) {
			t.Errorf("error %v", err)
		}
		failed.cleanup()
		if !strings.Contains(failed.message, broken.Error()) {
			t.Errorf("the test is told %q", failed.message)
		}
	})
}

// failures is a test that fails without failing this one.
type failures struct {
	testing.TB
	cleanup func()
	message string
}

func (f *failures) Cleanup(do func()) { f.cleanup = do }

func (f *failures) Errorf(format string, args ...any) { f.message = fmt.Sprintf(format, args...) }
