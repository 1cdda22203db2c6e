package sam

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/onelease/onelease/i2p"
)

const (
	// maxLookups is how many lookups one client may have under way.
	maxLookups = 32
	// lookupTime ends a lookup that the Host does not.
	lookupTime = time.Minute
)

// onNamingLookup answers at once what needs no router, and the rest when the
// Host knows, in whatever order; meanwhile the connection goes on.
func (c *conn) onNamingLookup() error {
	name := c.cmd.Value("NAME")
	host, can := c.s.cfg.Host.(OptionsHost)
	if want, _ := c.cmd.Bool("OPTIONS", false); want && can && name != "" {
		c.lookupOptions(host, name)
		return nil
	}
	d, err, known := c.lookupLocal(name)
	if known {
		c.namingReply(name, d, err)
		return nil
	}
	if !c.startLookup(name, func(d i2p.Destination, err error) { c.namingReply(name, d, err) }) {
		c.namingReply(name, d, errManyLookups)
	}
	return nil
}

var errManyLookups = Refusef(ResultI2PError, "%d lookups are under way; wait for one", maxLookups)

// An OptionsHost is a Host that can look up the options of a LeaseSet too. They are
// nil if the router does not tell them. An error is also ResultLeaseSetNotFound, with
// the Destination if that is known.
type OptionsHost interface {
	LookupOptions(ctx context.Context, name string) (i2p.Destination, i2p.Mapping, error)
}

// lookupOptions answers a NAMING LOOKUP with OPTIONS=true (proposal 167). The reply
// repeats that, so that who also asks without it can tell the replies apart.
func (c *conn) lookupOptions(host OptionsHost, name string) {
	ask := name
	if d, err, known := c.lookupLocal(name); known {
		if err != nil {
			c.w.Append(func(b []byte) []byte { return AppendNamingReply(b, name, Named{}, err) })
			return
		}
		ask = d.Base32()
	}
	started := c.start(func(ctx context.Context) {
		d, options, err := host.LookupOptions(ctx, ask)
		found := Named{Destination: d, Options: options, Asked: true}
		c.w.Append(func(b []byte) []byte { return AppendNamingReply(b, name, found, lookupError(err)) })
	})
	if !started {
		c.namingReply(name, i2p.Destination{}, errManyLookups)
	}
}

// lookupLocal resolves what takes no lookup: ME, base64, and what is cached.
func (c *conn) lookupLocal(name string) (d i2p.Destination, err error, known bool) {
	switch {
	case name == "":
		return d, Refusef(ResultInvalidKey, "NAME is missing"), true
	case name == "ME":
		d, up := c.s.cfg.Host.Destination()
		if !up {
			err = errHostDown
		}
		return d, err, true
	case isBase64([]byte(name)):
		d, err := c.decode([]byte(name))
		return d, err, true
	}
	d, known = c.dests.find([]byte(name))
	return d, nil, known
}

// startLookup asks the Host in a goroutine of its own and passes on the
// answer; false says that too many are under way.
func (c *conn) startLookup(name string, done func(i2p.Destination, error)) bool {
	return c.start(func(ctx context.Context) {
		d, err := c.s.cfg.Host.Lookup(ctx, name)
		if _, e := i2p.ParseBase32(name); err == nil && e == nil {
			c.dests.put(name, d)
		}
		done(d, lookupError(err))
	})
}

// start runs a lookup beside the reading of the connection.
func (c *conn) start(lookup func(ctx context.Context)) bool {
	select {
	case c.slots <- struct{}{}:
	default:
		return false
	}
	go func() {
		defer func() { <-c.slots }()
		ctx, cancel := context.WithTimeout(c.ctx, lookupTime)
		defer cancel()
		lookup(ctx)
	}()
	return true
}

// lookupError gives an error of the Host the Result that it stands for.
func lookupError(err error) error {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return Refusef(ResultTimeout, "%v", err)
	case errors.Is(err, i2p.ErrInvalid), errors.Is(err, i2p.ErrUnsupported):
		return Refusef(ResultInvalidKey, "%v", err)
	}
	return err
}

func (c *conn) namingReply(name string, d i2p.Destination, err error) {
	c.w.Append(func(b []byte) []byte { return AppendNamingReply(b, name, Named{Destination: d}, err) })
}

// A Named is what a lookup found.
type Named struct {
	Destination i2p.Destination
	// Options are those of the LeaseSet. Only those that a line can carry are
	// printed ("Name Lookup Options").
	Options i2p.Mapping
	// Asked says that options were asked for, and has the reply repeat that: an
	// extension, between our own.
	Asked bool
}

// AppendNamingReply appends the whole reply to a NAMING LOOKUP.
func AppendNamingReply(b []byte, name string, found Named, err error) []byte {
	b = AppendOption(AppendCommand(b, KindNamingReply), "RESULT", string(ResultOf(err)))
	b = AppendOption(b, "NAME", name)
	if found.Asked {
		b = AppendOption(b, "OPTIONS", "true")
	}
	if err != nil {
		return append(AppendOption(b, "MESSAGE", err.Error()), '\n')
	}
	b = AppendOption(b, "VALUE", found.Destination.Base64())
	return append(appendFound(b, found.Options), '\n')
}

// optionPrefix is before the key of each option of a LeaseSet.
const optionPrefix = "OPTION:"

// appendFound appends options of a LeaseSet, which anybody may have signed, in the
// order of their keys.
func appendFound(b []byte, options i2p.Mapping) []byte {
	start := len(b)
	for _, key := range slices.Sorted(maps.Keys(options)) {
		value := options[key]
		if strings.ContainsAny(key, "= \t\r\n\"\\") || key == "" || strings.ContainsAny(value, "\r\n") || !utf8.ValidString(key+value) {
			continue
		}
		before := len(b)
		if b = AppendOption(b, optionPrefix+key, value); len(b)-start > maxFound {
			return b[:before]
		}
	}
	return b
}

// maxFound bounds the options in a reply, which has to be a line that can be read.
const maxFound = MaxLine - 2<<10

// isBase64 tells the base64 of a Destination from a name. The shortest has
// 516 characters, the longest host name 255.
func isBase64(name []byte) bool { return len(name) > 255 }

// decode is the Destination of a base64, from the cache if it is there.
func (c *conn) decode(name []byte) (i2p.Destination, error) {
	if d, ok := c.dests.find(name); ok {
		return d, nil
	}
	d, err := i2p.ParseDestinationBase64(string(name))
	if err != nil {
		return d, Refusef(ResultInvalidKey, "%v", err)
	}
	c.dests.put(string(name), d)
	return d, nil
}
