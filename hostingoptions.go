package onelease

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/i2p"
)

// hostedTunnels is how many inbound tunnels each member has of a Destination that
// asks for no number: one may fail. A remote has to do with one member only.
const hostedTunnels = 2

// A rule says what becomes of an I2CP option.
type rule int

const (
	drop   rule = iota // it is for a client library, or the scheme's
	refuse             // without it the Destination would be less private than was asked for
)

// optionRules are the options that do not go to the routers as they are. Those that
// are not here go, such as nicknames and "crypto.*".
var optionRules = map[string]rule{
	"i2cp.closeIdleTime": drop, "i2cp.closeOnIdle": drop, "i2cp.reduceIdleTime": drop, "i2cp.reduceOnIdle": drop,
	"i2cp.reduceQuantity": drop, "i2cp.newDestOnResume": drop, "i2cp.delayOpen": drop, "i2cp.gzip": drop,
	"i2cp.destination.sigType": drop, "i2cp.accessList": drop, "i2cp.enableAccessList": drop, "i2cp.enableBlackList": drop,
	// How to reach another router, and the password for it.
	"i2cp.tcp.host": drop, "i2cp.tcp.port": drop, "i2cp.SSL": drop, "i2cp.username": drop, "i2cp.password": drop,
	// What the scheme sets: how messages come, and which LeaseSets there are.
	"i2cp.dontPublishLeaseSet": drop, "i2cp.fastReceive": drop, "i2cp.messageReliability": drop, "i2cp.leaseSetEncType": drop,
	"i2cp.leaseSetOfflineExpiration": drop, "i2cp.leaseSetOfflineSignature": drop, "i2cp.leaseSetTransientPublicKey": drop,
	"shouldBundleReplyInfo": drop, "i2cp.leaseSetPrivateKey": drop, "i2cp.leaseSetSigningPrivateKey": drop,
	// An encrypted LeaseSet, which there is none of.
	"i2cp.encryptLeaseSet": refuse, "i2cp.leaseSetKey": refuse, "i2cp.leaseSetSecret": refuse, "i2cp.leaseSetPrivKey": refuse,
	"i2cp.leaseSetAuthType": refuse, "i2cp.leaseSetBlindedType": refuse, "i2cp.leaseSetType": refuse,
}

// harmless are the values of options that would be refused with others.
var harmless = map[string][]string{
	"i2cp.encryptLeaseSet":  {"false"},
	"i2cp.leaseSetAuthType": {"0"},
	"i2cp.leaseSetType":     {"1", "3"},
}

// A span is the least and most that routers take, of options of both directions.
type span struct{ least, most int }

var spans = map[string]span{
	"quantity": {1, i2p.MaxLeases}, "backupQuantity": {0, i2p.MaxLeases}, "length": {0, 7}, "lengthVariance": {-7, 7},
	"priority": {-25, 25}, "IPRestriction": {0, 4},
}

// sessionOptions are those of an Opening, sorted out.
type sessionOptions struct {
	session     i2p.Mapping // for the routers
	leaseSet    i2p.Mapping // of the LeaseSets
	unpublished bool
}

// leaseSetOption begins the names of options whose values are those of the
// LeaseSet: "i2cp.leaseSetOption.0" is "_smtp._tcp=..." (I2CP options, 0.9.66).
const leaseSetOption = "i2cp.leaseSetOption."

// parseOptions checks options in the order of their names.
func parseOptions(options i2p.Mapping) (s sessionOptions, err error) {
	s = sessionOptions{session: i2p.Mapping{}, leaseSet: i2p.Mapping{}}
	for _, name := range slices.Sorted(maps.Keys(options)) {
		value := options[name]
		what, known := optionRules[name]
		switch {
		case name == "i2cp.dontPublishLeaseSet":
			s.unpublished = value == "true"
		case strings.HasPrefix(name, leaseSetOption):
			key, record, found := strings.Cut(value, "=")
			if !found || key == "" {
				err = fmt.Errorf("%w %s is %.40q, want a record's key, \"=\" and its value", ErrOption, name, value)
			}
			s.leaseSet[key] = record
		case strings.HasPrefix(name, "i2p.streaming."), known && what == drop, known && slices.Contains(harmless[name], value):
		case known || strings.HasPrefix(name, "i2cp.leaseSetClient."):
			return s, fmt.Errorf("%w %s: LeaseSets that are encrypted cannot be made here: leave it out, and others can find the Destination by its address", ErrOption, name)
		default:
			err = cmp.Or(err, checkOption(name, value))
			s.session[name] = value
		}
		if err != nil {
			return s, err
		}
	}
	for _, m := range []i2p.Mapping{s.session, s.leaseSet} {
		if _, err := m.AppendTo(nil); err != nil {
			return s, fmt.Errorf("%w: %w", ErrOption, err)
		}
	}
	return s, nil
}

// checkOption says what a router would not take.
func checkOption(name, value string) error {
	direction, what, _ := strings.Cut(name, ".")
	if direction != "inbound" && direction != "outbound" {
		return nil
	}
	if what == "allowZeroHop" && value != "true" && value != "false" {
		return fmt.Errorf("%w %s is %.20q, want true or false", ErrOption, name, value)
	}
	want, ok := spans[what]
	if !ok {
		return nil
	}
	if n, err := strconv.Atoi(value); err != nil || n < want.least || n > want.most {
		return fmt.Errorf("%w %s is %.20q, want %d to %d", ErrOption, name, value, want.least, want.most)
	}
	return nil
}

// divide is what each of so many members' sessions gets: of quantities its share,
// rounded up, so that the Destination has as many tunnels as it asked for, and each
// member hostedTunnels, if so many were asked for. The Policy goes by the inbound ones.
func (s sessionOptions) divide(policy *balancer.Policy, members int) i2p.Mapping {
	session := maps.Clone(s.session)
	for _, direction := range []string{"inbound", "outbound"} {
		for what, least := range map[string]int{".quantity": hostedTunnels, ".backupQuantity": 0} {
			if n, err := strconv.Atoi(session[direction+what]); err == nil {
				session[direction+what] = strconv.Itoa(max((n+members-1)/members, min(n, least)))
			}
		}
	}
	policy.Tunnels = cmp.Or(policy.Tunnels, hostedTunnels)
	if n, err := strconv.Atoi(session["inbound.quantity"]); err == nil {
		policy.Tunnels = n
	}
	return session
}
