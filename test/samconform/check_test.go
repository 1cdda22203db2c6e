package samconform

import (
	"context"
	"crypto/tls"
	"fmt"
	"regexp"
	"runtime"
	"sync"
	"time"
)

// A target is a bridge to be asked.
type target struct {
	name, tcp, udp string
	// speaks is the newest version that it speaks; findNewest asks.
	speaks string
	// params are options of every session, so that tunnels are fast.
	params string
	// quick is how long the bridge may take for what it can answer by itself,
	// slow for what takes tunnels, delivery for a datagram whose way is known; resend lies
	// between two copies of it.
	quick, slow, delivery, resend time.Duration
	// host is a name that resolves to a live Destination; empty: there is none.
	host string
	// aside is a bridge that a row may set up anew, with AUTH; tls one whose control
	// socket is TLS, empty if there is none.
	aside, tls string
	// impatient is a bridge with HELLO and command timeouts of a second or so; empty
	// if they cannot be set.
	impatient string
	// certificate is for listeners that streams are forwarded to over TLS.
	certificate tls.Certificate
	pools       pools
	asideBusy   sync.Mutex
}

// A check is one row that runs against a target. It fails by fail, which ends the
// row's goroutine, so only that may call it.
type check struct {
	*target
	ctx     context.Context
	failure string
	skipped string
	cleanup []func()
	spoiled bool
}

// A result is how a row went; failure is what the bridge did instead.
type result struct {
	row     row
	failure string
	skipped string
	took    time.Duration
}

func (r result) ok() bool { return r.failure == "" && r.skipped == "" }

// examine runs the row against the target.
func examine(ctx context.Context, t *target, r row) result {
	ctx, cancel := context.WithTimeout(ctx, 2*t.slow)
	defer cancel()
	c := &check{target: t, ctx: ctx}
	begin, done := time.Now(), make(chan struct{})
	go func() {
		defer close(done)
		defer c.clean()
		r.run(c)
	}()
	<-done
	return result{r, c.failure, c.skipped, time.Since(begin)}
}

// clean ends what the row opened, the latest first. What fails there is no failure of the
// row, only spoils what it had.
func (c *check) clean() {
	failure := c.failure
	for i := len(c.cleanup) - 1; i >= 0; i-- {
		runTo(c.cleanup[i])
	}
	c.failure = failure
}

// runTo runs f in a goroutine that f may end.
func runTo(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		f()
	}()
	<-done
}

func (c *check) defers(f func()) { c.cleanup = append(c.cleanup, f) }

// fail ends the row: the bridge did something else than it should.
func (c *check) fail(format string, args ...any) {
	c.failure = redact(fmt.Sprintf(format, args...))
	c.spoiled = true
	runtime.Goexit()
}

// skip ends the row: the target has no way to be asked.
func (c *check) skip(why string) {
	c.skipped = why
	runtime.Goexit()
}

func (c *check) must(err error) {
	if err != nil {
		c.fail("%v", err)
	}
}

var keys = regexp.MustCompile(`[A-Za-z0-9~-]{43,}=*`)

// redact shortens Destinations and keys, of which nobody wants to read more.
func redact(s string) string {
	return keys.ReplaceAllStringFunc(s, func(k string) string { return fmt.Sprintf("%s..(%d)", k[:4], len(k)) })
}

// until calls f again and again until it says true, for at most the slow time.
func (c *check) until(what string, f func() bool) {
	for end := time.Now().Add(c.slow); !f(); {
		if time.Now().After(end) {
			c.fail("%s: not within %v", what, c.slow)
		}
		select {
		case <-time.After(c.resend):
		case <-c.ctx.Done():
			c.fail("%s: %v", what, c.ctx.Err())
		}
	}
}

// findNewest asks for the newest version that the bridge speaks.
func (t *target) findNewest(ctx context.Context) (failure string) {
	ask := func(c *check) {
		for _, version := range []string{"3.3", "3.2", "3.1", "3.0"} {
			if r := c.dial().asks("HELLO VERSION MIN=3.0 MAX=%s", version); r.has("RESULT=OK") {
				t.speaks = max(t.speaks, r.options["VERSION"])
			}
		}
		if t.speaks == "" {
			c.fail("no answer to HELLO at %s", t.tcp)
		}
	}
	return examine(ctx, t, row{run: ask}).failure
}
