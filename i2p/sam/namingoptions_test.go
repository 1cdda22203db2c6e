package sam

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/i2p"
)

// An optionsHost knows the options of its peer's LeaseSet too.
type optionsHost struct {
	*fakeHost
	options i2p.Mapping
}

func (h optionsHost) LookupOptions(ctx context.Context, name string) (i2p.Destination, i2p.Mapping, error) {
	if name == "lost.i2p" {
		return h.peer, nil, fmt.Errorf("lost: %w", ResultLeaseSetNotFound)
	}
	d, err := h.Lookup(ctx, name)
	return d, h.options, err
}

var service = i2p.Mapping{"_smtp._tcp": "1 86400 0 0 25 bbbb.b32.i2p", "a": "b"}

// What a line cannot carry, or would change its meaning, is left out.
func TestNamingReplyWithOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := optionsHost{newFakeHost(t), i2p.Mapping{"k=v": "x", "n": "a\nb", "": "x", "s p": "x", "q": `say "x"`, "\xff": "x", "long": strings.Repeat("x", 250)}}
		for i := range 60 {
			h.options[fmt.Sprintf("z%02d", i)] = strings.Repeat("z", 250)
		}
		k := attachTalker(t, dial(newTestServer(t, h)), "a", "")
		k.say("NAMING LOOKUP NAME=peer.i2p OPTIONS=true\n")
		got := k.expect("NAMING REPLY RESULT=OK NAME=peer.i2p OPTIONS=true VALUE=" + h.peer.Base64() + " OPTION:long=*")
		if len(got) > MaxLine || !strings.Contains(got, ` OPTION:q="say \"x\""`) || !strings.Contains(got, " OPTION:z05=zz") || strings.Count(got, "OPTION:") < 10 {
			t.Errorf("%d bytes: %.200s", len(got), got)
		}
		for _, bad := range []string{"k=v", "OPTION:n", "OPTION:=", "OPTION:s", "\xff"} {
			if strings.Contains(got, bad) {
				t.Errorf("%q is in the reply", bad)
			}
		}
		k.say("NAMING LOOKUP NAME=lost.i2p OPTIONS=true\n")
		k.expect("NAMING REPLY RESULT=LEASESET_NOT_FOUND NAME=lost.i2p OPTIONS=true MESSAGE=*")
		k.say("NAMING LOOKUP NAME=" + h.peer.Base64() + " OPTIONS=true\n")
		k.expect("NAMING REPLY RESULT=OK NAME=" + h.peer.Base64() + " OPTIONS=true VALUE=*")
		k.say("NAMING LOOKUP OPTIONS=true\n")
		k.expect("NAMING REPLY RESULT=INVALID_KEY*")
	})
}

func TestClientLookupOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := optionsHost{newFakeHost(t), service}
		c := connect(t, newTestServer(t, h), ClientConfig{})
		for range 2 { // a plain one under way at the same time takes nothing away
			plain := make(chan error, 1)
			go func() {
				_, err := c.Lookup(t.Context(), "peer.i2p")
				plain <- err
			}()
			d, options, err := c.LookupOptions(t.Context(), "peer.i2p")
			if err != nil || d != h.peer || !maps.Equal(options, service) {
				t.Errorf("got %v, %v", options, err)
			}
			if err := <-plain; err != nil {
				t.Errorf("without options: %v", err)
			}
		}
		if _, _, err := c.LookupOptions(t.Context(), "lost.i2p"); !errors.Is(err, ResultLeaseSetNotFound) {
			t.Errorf("lost: %v", err)
		}
	})
}

// A server that knows no options answers without.
func TestClientLookupOptionsOfOldServer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newFakeHost(t)
		c := connect(t, newTestServer(t, h), ClientConfig{})
		if d, options, err := c.LookupOptions(t.Context(), "peer.i2p"); err != nil || d != h.peer || options != nil {
			t.Errorf("got %v, %v", options, err)
		}
	})
}
