package demo

import (
	"context"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/onelease/onelease/i2p/streaming"
)

const (
	// probeEvery is the pace of one remote that fetches from a plugin.
	probeEvery = 250 * time.Millisecond
	// probeTime is how long one request may take: as long as streams wait for a
	// plugin that is started again, and some more.
	probeTime = 40 * time.Second
	// probeSize is how much of a response is read, in bytes.
	probeSize = 8 << 20
)

// probes are what became of requests to a plugin.
type probes struct {
	mu     sync.Mutex
	byCode map[string]int
	// answers are when requests that were answered were begun, and answered.
	answers [][2]time.Time
}

func newProbes() *probes { return &probes{byCode: map[string]int{}} }

func (p *probes) answered(begun time.Time, code int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.byCode[strconv.Itoa(code)]++
	p.answers = append(p.answers, [2]time.Time{begun, time.Now()})
}

// firstAfter is when the first request that was begun after that time was answered.
func (p *probes) firstAfter(at time.Time) (first time.Time, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.answers {
		if a[0].After(at) && (!ok || a[1].Before(first)) {
			first, ok = a[1], true
		}
	}
	return first, ok
}

func (p *probes) responses() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.byCode)
}

// A prober is one remote that fetches "/" over HTTP, each time by a new stream.
type prober struct {
	*client
	port   uint16
	url    string
	probes *probes
}

// run fetches until ctx ends, one after the other until the first is answered: who begins
// two streams at once may begin two sessions. What is under way at the end has a while
// to be answered.
func (p *prober) run(ctx context.Context) {
	if !rest(ctx, rand.N(time.Second)) {
		return
	}
	fetching, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(answerTime, stop) })()
	for ctx.Err() == nil && !p.isServed() {
		p.fetch(fetching)
	}
	var all sync.WaitGroup
	defer all.Wait()
	for rest(ctx, probeEvery) {
		all.Go(func() { p.fetch(fetching) })
	}
}

// fetch sends one request. It is answered when the whole response has come, whatever
// that says.
func (p *prober) fetch(ctx context.Context) {
	begun := time.Now()
	number := p.tally.Send(p.number, begun)
	code, err := p.try(ctx)
	if err != nil {
		return
	}
	p.tally.Answer(p.number, number)
	p.probes.answered(begun, code)
	p.first.Do(func() { close(p.served) })
}

func (p *prober) try(ctx context.Context) (code int, err error) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, p.url, nil)
	if err != nil {
		return 0, err
	}
	transport := &http.Transport{DisableKeepAlives: true, DialContext: p.dial}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(response.Body, probeSize))
	return response.StatusCode, err
}

func (p *prober) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	stack := p.remote.Stack()
	if stack == nil {
		return nil, fmt.Errorf("remote %d has no streams", p.number)
	}
	conn, err := stack.Dial(ctx, streaming.NewRemote(p.target), 0, p.port)
	if err != nil {
		return nil, err // and no *streaming.Stream that is nil
	}
	return conn, nil
}
