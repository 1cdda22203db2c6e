package simnet

import (
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// requestLeases implements client: it signs and installs a LeaseSet at once.
func (r *Remote) requestLeases(leases []i2p.Lease) {
	published := time.Now().Truncate(second)
	if !published.After(r.published) {
		published = r.published.Add(second)
	}
	ls := &i2p.LeaseSet2{
		Destination: r.keys.Destination,
		Published:   published,
		Keys:        []i2p.EncryptionKey{{Type: i2p.CryptoX25519, Key: r.private.PublicKey().Bytes()}},
		Leases:      leases,
	}
	for _, lease := range leases {
		if lease.End.After(ls.Expires) {
			ls.Expires = lease.End.Truncate(second)
		}
	}
	raw, err := ls.Sign(r.keys)
	if err == nil {
		private := i2cp.PrivateKey{Type: i2p.CryptoX25519, Key: r.private.Bytes()}
		err = r.dest.installLocked(raw, []i2cp.PrivateKey{private})
	}
	if err != nil {
		r.net.log.Error("remote's LeaseSet", "router", r.cfg.Router.cfg.Name, "error", err)
		return
	}
	r.published = published
}

// deliver implements client.
func (r *Remote) deliver(payload []byte) bool {
	select {
	case r.inbox <- payload:
		return true
	default:
		return false
	}
}

// status implements client: a Remote does not ask.
func (r *Remote) status(uint32, i2cp.Status) {}

// hangUp implements client: a Remote always answers in time.
func (r *Remote) hangUp(string) {}

var _ client = (*Remote)(nil)
