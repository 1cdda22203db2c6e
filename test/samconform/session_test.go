package samconform

import (
	"fmt"
	"sync"
	"sync/atomic"
)

var ids atomic.Int64

// newID is a session ID that nobody else has.
func newID() string { return fmt.Sprintf("conform-%d", ids.Add(1)) }

// A session is one that the row may use, with its control connection.
type session struct {
	*conn
	id, private, public string
}

// create opens a session of the style on a connection of its own. With no DESTINATION in
// options it gets a new one.
func (c *check) create(version, style, options string) *session {
	d, id := c.hello(version), newID()
	r := d.ask("%s", c.createLine(style, id, options)).is("SESSION STATUS", "RESULT=OK", "DESTINATION")
	return &session{d, id, r.options["DESTINATION"], c.public(r.options["DESTINATION"])}
}

// createLine is a SESSION CREATE with the target's params.
func (c *check) createLine(style, id, options string) string {
	return fmt.Sprintf("SESSION CREATE STYLE=%s ID=%s %s%s %s", style, id, transient(options), c.params, options)
}

func transient(options string) string {
	if parse(nil, "SESSION CREATE "+options).has("DESTINATION") {
		return ""
	}
	return "DESTINATION=TRANSIENT SIGNATURE_TYPE=7 "
}

// A pair is two sessions of one style that can reach each other; a row that has it has it
// alone.
type pair struct{ a, b *session }

// pools are pairs that rows are done with, by how they were made. Sessions take
// seconds, on real routers 20 s, so that rows share them, one after the other.
type pools struct {
	mu   sync.Mutex
	idle map[string][]pair
}

func (p *pools) take(key string) (pair, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	idle := p.idle[key]
	if len(idle) == 0 {
		return pair{}, false
	}
	p.idle[key] = idle[1:]
	return idle[0], true
}

func (p *pools) put(key string, two pair) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.idle == nil {
		p.idle = map[string][]pair{}
	}
	p.idle[key] = append(p.idle[key], two)
}

func (p *pools) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, idle := range p.idle {
		for _, two := range idle {
			two.a.Close()
			two.b.Close()
		}
	}
	p.idle = nil
}

// pair lends two sessions. They go back when the row ends, unless it failed or spoiled
// them.
func (c *check) pair(version, style string) pair {
	key := version + " " + style
	two, ok := c.pools.take(key)
	if !ok {
		two = c.newPair(version, style)
	}
	two.a.c, two.b.c = c, c
	c.defers(func() {
		if c.spoiled {
			two.a.Close()
			two.b.Close()
			return
		}
		c.pools.put(key, two)
	})
	return two
}

// newPair opens two sessions at the same time, whose connections outlive the row. Their
// checks are of their own, since a check must fail in its own goroutine.
func (c *check) newPair(version, style string) pair {
	var sides [2]*check
	var made [2]*session
	var wait sync.WaitGroup
	for i := range sides {
		side := &check{target: c.target, ctx: c.ctx}
		sides[i] = side
		wait.Go(func() { runTo(func() { made[i] = side.create(version, style, "") }) })
	}
	wait.Wait()
	for _, side := range sides {
		if side.failure != "" {
			c.defers(sides[0].clean)
			c.defers(sides[1].clean)
			c.fail("a session for the row: %s", side.failure)
		}
	}
	two := pair{made[0], made[1]}
	c.acquaint(style, two.a, two.b)
	c.acquaint(style, two.b, two.a)
	return two
}

// acquaint waits until to can be found by from. A bridge may publish a STREAM session
// when it accepts first.
func (c *check) acquaint(style string, from, to *session) {
	if style == "STREAM" {
		defer c.accept(to, "").leave()
	}
	own := from.c
	from.c = c
	defer func() { from.c = own }()
	c.until("a session's Destination is found", func() bool {
		return from.ask("NAMING LOOKUP NAME=%s", b32(to.public)).has("RESULT=OK")
	})
}
