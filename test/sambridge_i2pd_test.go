package test

import (
	"context"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// bridgeMembers serve the bridge's sessions; one of them is killed.
var bridgeMembers = []int{10, 11}

// TestSAMBridgeSurvives has two programs on our bridge, a process of "onelease sam", and one on a stock router's, which
// know SAM and nothing of us. They exchange streams and datagrams, all ways; the member
// that carries most is killed, when the sessions are old enough to be taken over. Every
// stream goes on, with the right bytes, and new ones work.
func TestSAMBridgeSurvives(t *testing.T) {
	i2pd.Require(t)
	t.Parallel() // with what is as patient
	apps := startApps(t, i2pd.Start(t, i2pd.Config{Routers: 12, Floodfills: floodfills, Killable: bridgeMembers}))
	apps.begin()
	for began := time.Now(); time.Since(began) < ageTime; {
		apps.keepTalking()
	}
	before := apps.talkAll()
	runs := apps.transferAll()
	awaitHalf(t, runs)
	victim := apps.busiest()
	for _, r := range runs {
		r.meter.Mark()
	}
	apps.net.Router(victim).Kill()
	killed := time.Now()
	var checking sync.WaitGroup
	checking.Go(func() { apps.checkTransfers(runs) })
	checking.Go(func() { apps.checkTalks(before, killed) })
	checking.Go(func() { apps.checkNew(killed) })
	checking.Wait()
}

// samApps are the programs.
type samApps struct {
	t       *testing.T
	net     *i2pd.Network
	carried map[int]*atomic.Int64 // bytes, by member
	pairs   []*samPair
	talks   []*samTalk
}

// A samPair is a client and a host, of two programs.
type samPair struct {
	name   string
	client *samclient.Streams
	host   *streamHost
	echo   *streamservice.Echo
}

// startApps opens the sessions of all programs: each has one for streams and one for
// datagrams. Between two programs, one is the client.
func startApps(t *testing.T, net *i2pd.Network) *samApps {
	t.Helper()
	a := &samApps{t: t, net: net, carried: map[int]*atomic.Int64{}}
	sam, udp := a.startBridge()
	stock := net.Router(remoteRouters[0])
	where := []samPlace{{"accepting", sam, udp, nil}, {"dialling", sam, udp, nil}, {name: "stock", router: stock}}
	streams, datagrams := make([]*samclient.Streams, len(where)), make([]*samclient.Remote, len(where))
	var opening sync.WaitGroup
	for i, w := range where {
		opening.Go(func() { streams[i] = a.openStreams(w) })
		opening.Go(func() { datagrams[i] = a.openDatagrams(w) })
	}
	opening.Wait()
	if t.Failed() {
		t.FailNow()
	}
	hosts := make([]*streamHost, len(where))
	for i, w := range where {
		hosts[i] = hostOn(t, w.name, streams[i])
		go returnDatagrams(datagrams[i])
	}
	for _, p := range [][2]int{{1, 0}, {1, 2}, {2, 0}} {
		name := where[p[0]].name + " to " + where[p[1]].name
		a.pairs = append(a.pairs, &samPair{name: name, client: streams[p[0]], host: hosts[p[1]]})
	}
	a.openTalks(where, datagrams)
	return a
}

// startBridge starts ours, the command, and returns where it listens. It reaches members by a
// relay, which counts what they carry.
func (a *samApps) startBridge() (sam, udp string) {
	a.t.Helper()
	args := []string{"sam", "--json", "--listen", "127.0.0.1:0", "--udp", "127.0.0.1:0", "--log-level", "error"}
	for _, r := range withPublisher(a.net, bridgeMembers) {
		role := "publisher"
		if r.Member {
			role = "member"
		}
		args = append(args, "--router", fmt.Sprintf("%s=%s,%s,%s", r.Name, a.relay(r), role, r.DontPublish))
	}
	var bridge struct {
		SAM []string
		UDP string
	}
	buildProgram(a.t).startSaying(&bridge, args...)
	return bridge.SAM[0], bridge.UDP
}

// relay is an address that leads to the router.
func (a *samApps) relay(r onelease.Router) (addr string) {
	a.t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		a.t.Fatal(err)
	}
	a.t.Cleanup(func() { ln.Close() })
	carried := &atomic.Int64{}
	for _, member := range bridgeMembers {
		if r.Name == routerName(member) {
			a.carried[member] = carried
		}
	}
	go func() {
		for {
			client, err := ln.Accept()
			if err != nil {
				return
			}
			go pass(client, r.Addr, carried)
		}
	}()
	return ln.Addr().String()
}

// pass has a client talk to the router until one of them ends it, and counts bytes.
func pass(client net.Conn, router string, carried *atomic.Int64) {
	defer client.Close()
	server, err := net.Dial("tcp", router)
	if err != nil {
		return
	}
	defer server.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
		go func() {
			_, _ = io.Copy(countingWriter{way[1], carried}, way[0])
			done <- struct{}{}
		}()
	}
	<-done
}

type countingWriter struct {
	io.Writer
	bytes *atomic.Int64
}

func (w countingWriter) Write(b []byte) (int, error) {
	w.bytes.Add(int64(len(b)))
	return w.Writer.Write(b)
}

// A samPlace is where a program runs: a bridge of ours, or a router's own.
type samPlace struct {
	name, sam, udp string
	router         *i2pd.Router // if it is not ours
}

// appParams are those of the sessions on ours.
var appParams = []string{"inbound.length=1", "outbound.length=1", "inbound.quantity=2", "outbound.quantity=2"}

func (a *samApps) openStreams(w samPlace) *samclient.Streams {
	ctx, cancel := context.WithTimeout(a.t.Context(), 90*time.Second)
	defer cancel()
	var s *samclient.Streams
	var err error
	if w.router != nil {
		s, err = w.router.OpenStreams(ctx, i2pd.StreamOptions{})
	} else {
		s, err = samclient.OpenStreams(ctx, w.sam, samclient.Options{Params: appParams})
	}
	if err != nil {
		a.t.Errorf("%s: %v", w.name, err)
		return nil
	}
	a.t.Cleanup(func() { s.Close() })
	return s
}

func (a *samApps) openDatagrams(w samPlace) *samclient.Remote {
	ctx, cancel := context.WithTimeout(a.t.Context(), 90*time.Second)
	defer cancel()
	var r *samclient.Remote
	var err error
	if w.router != nil {
		r, err = w.router.OpenRemote(ctx)
	} else {
		r, err = samclient.Open(ctx, w.sam, samclient.Options{UDPAddr: w.udp, Params: appParams})
	}
	if err != nil {
		a.t.Errorf("%s: %v", w.name, err)
		return nil
	}
	a.t.Cleanup(func() { r.Close() })
	return r
}

// hostOn runs the stream service on a session.
func hostOn(t *testing.T, name string, streams *samclient.Streams) *streamHost {
	t.Helper()
	ln, err := streams.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	server := streamservice.NewServer()
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(ln) })
	t.Cleanup(func() {
		ln.Close()
		serving.Wait()
	})
	return &streamHost{name: name, dest: streams.Destination(), server: server}
}

// begin has each pair begin a stream and each talk be answered: then their routers'
// sessions begin to grow old.
func (a *samApps) begin() {
	a.t.Helper()
	var beginning sync.WaitGroup
	for _, p := range a.pairs {
		beginning.Go(func() {
			if err := samclient.Until(a.t.Context(), 2*time.Minute, func() (err error) { p.echo, err = p.dialEcho(a.t); return err }); err != nil {
				a.t.Errorf("%s was never served: %v", p.name, err)
			}
		})
	}
	for _, talk := range a.talks {
		beginning.Go(func() {
			if err := samclient.Until(a.t.Context(), 2*time.Minute, talk.ask); err != nil {
				a.t.Errorf("%s was never answered: %v", talk.name, err)
			}
		})
	}
	beginning.Wait()
	if a.t.Failed() {
		a.t.FailNow()
	}
}

// dialEcho begins a stream that stays open.
func (p *samPair) dialEcho(t *testing.T) (*streamservice.Echo, error) {
	return (&survival{t: t, host: p.host}).tryEcho(p.client)
}

// keepTalking uses all once, within half a second or so: after 90 s of silence routers
// begin sessions anew.
func (a *samApps) keepTalking() {
	var talking sync.WaitGroup
	for _, p := range a.pairs {
		talking.Go(func() {
			if took, err := p.echo.AskUntil("still there?", time.Now().Add(time.Minute)); err != nil || took > streamservice.StallTime {
				a.t.Logf("%s, nothing lost: echo after %v: %v", p.name, took, err)
			}
		})
	}
	a.talkAll()
	talking.Wait()
	time.Sleep(500 * time.Millisecond) // the pace of a program that has little to say
}

// transferAll has each pair down- and upload.
func (a *samApps) transferAll() (runs []*streamRun) {
	for i, p := range a.pairs {
		transfer, limit := survivalTransfer()
		transfer.Seed = uint64(2*i + 1)
		runs = append(runs, p.host.start(a.t.Context(), p.client, false, transfer, limit))
		transfer.Seed++
		runs = append(runs, p.host.start(a.t.Context(), p.client, true, transfer, limit))
	}
	for _, carried := range a.carried {
		carried.Store(0) // from now on
	}
	return runs
}

func awaitHalf(t *testing.T, runs []*streamRun) {
	t.Helper()
	half := runs[0].transfer.Size / 2
	await(t, time.Minute, "half of the transfers", func() bool {
		return !slices.ContainsFunc(runs, func(r *streamRun) bool { return r.meter.Bytes() < half })
	})
}

// busiest is the member that has carried most since the transfers began.
func (a *samApps) busiest() int {
	a.t.Helper()
	sorted := slices.Clone(bridgeMembers)
	slices.SortFunc(sorted, func(x, y int) int { return int(a.carried[y].Load() - a.carried[x].Load()) })
	for _, m := range sorted {
		a.t.Logf("router %d carried %d bytes", m, a.carried[m].Load())
	}
	if a.carried[sorted[0]].Load() < 1<<20 {
		a.t.Fatal("no member carried what was transferred")
	}
	return sorted[0]
}

// checkTransfers wants every one to end with the right bytes.
func (a *samApps) checkTransfers(runs []*streamRun) {
	a.t.Helper()
	for i, r := range runs {
		<-r.done
		direction := a.pairs[i/2].name
		a.t.Logf("%s: %v", direction, r)
		if r.err != nil {
			a.t.Errorf("%s: %v", direction, r.err)
		}
	}
}

// checkNew wants each pair to begin a new stream soon.
func (a *samApps) checkNew(killed time.Time) {
	a.t.Helper()
	for _, p := range a.pairs {
		err := samclient.Until(a.t.Context(), time.Minute, func() error { _, err := p.dialEcho(a.t); return err })
		if err != nil {
			a.t.Errorf("%s: no new stream: %v", p.name, err)
		}
		a.t.Logf("%s: a new stream, %.1f s after the kill", p.name, time.Since(killed).Seconds())
	}
}
