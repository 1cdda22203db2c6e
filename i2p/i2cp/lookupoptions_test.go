package i2cp

import (
	"errors"
	"testing"

	"github.com/onelease/onelease/i2p"
)

// Routers answer lookups with options in these ways.
func TestLookupOptions(t *testing.T) {
	dest, service := testKeys.Destination, i2p.Mapping{"_smtp._tcp": "1 86400 0 0 25 a.b32.i2p"}
	for name, c := range map[string]struct {
		answer  HostReply
		then    *HostReply // to the lookup without options, if there is one
		dest    i2p.Destination
		options i2p.Mapping
		err     error
	}{
		"found":        {HostReply{Result: HostFound, Destination: dest, Options: service}, nil, dest, service, nil},
		"no options":   {HostReply{Result: HostFound, Destination: dest, Options: i2p.Mapping{}}, nil, dest, i2p.Mapping{}, nil},
		"no LeaseSet":  {HostReply{Result: HostNoLeaseSet, Destination: dest}, nil, dest, nil, ErrNoLeaseSet},
		"neither":      {HostReply{Result: HostNoLeaseSet}, nil, i2p.Destination{}, nil, ErrNoLeaseSet},
		"i2pd knows":   {HostReply{Result: HostFailure}, &HostReply{Result: HostFound, Destination: dest}, dest, nil, nil},
		"old Java":     {HostReply{Result: HostUnsupported}, &HostReply{Result: HostFound, Destination: dest}, dest, nil, nil},
		"nobody knows": {HostReply{Result: HostFailure}, &HostReply{Result: HostFailure}, i2p.Destination{}, nil, ErrNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, func(r *rig) {
				end := r.establish()
				var options i2p.Mapping
				m, result := ask(end, func() (d i2p.Destination, err error) {
					d, options, err = r.LookupOptions(r.Context(), "a.i2p")
					return d, err
				})
				if m.Kind != LookupOptionsByName || m.Name != "a.i2p" {
					t.Errorf("asked %+v", m)
				}
				c.answer.Session, c.answer.Request = testSession, m.Request
				end.send(c.answer)
				if c.then != nil {
					plain, err := ParseHostLookup(end.expect(TypeHostLookup))
					if err != nil || plain.Kind != LookupByName {
						t.Fatalf("then asked %+v, %v", plain, err)
					}
					c.then.Session, c.then.Request = testSession, plain.Request
					end.send(*c.then)
				}
				got := <-result
				if got.dest != c.dest || !errors.Is(got.err, c.err) || len(options) != len(c.options) || (options == nil) != (c.options == nil) {
					t.Errorf("got %v, %v, %v", got.dest, options, got.err)
				}
			})
		})
	}
}
