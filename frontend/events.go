package frontend

import (
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/i2cp"
)

// give implements keeperEvents.
func (f *Frontend) give(l *leaseSet) error {
	client := f.client.Load()
	if client == nil {
		return i2cp.ErrNoSession
	}
	if err := client.InstallLeaseSet(l.raw, l.keys); err != nil {
		return err
	}
	f.server.SetPublished(uint32(l.parsed.Published.Unix()))
	return nil
}

// poolChanged implements keeperEvents.
func (f *Frontend) poolChanged() { f.control.poolChanged() }

// installed implements keeperEvents.
func (f *Frontend) installed(l *leaseSet) {
	f.control.reply(installedReply(l.place.Term, l.place.Seq, nil))
}

// serves implements keeperEvents.
func (f *Frontend) serves() { f.server.HostUp() }

func installedReply(term, seq uint64, err error) *controlpb.FrontendMessage {
	m := &controlpb.Installed{Term: term, Seq: seq}
	if err != nil {
		m.Error = err.Error()
	}
	return &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Installed{Installed: m}}
}

// welcome implements controlEvents.
func (f *Frontend) welcome(dest i2p.Destination, idKey []byte) error {
	if err := f.leases.host(dest); err != nil {
		return err
	}
	if err := f.server.SetIDKey(idKey); err != nil {
		f.log.Warn("backends cannot have names here", "err", err)
	}
	return nil
}

// pool implements controlEvents.
func (f *Frontend) pool() *controlpb.Pool { return f.leases.report() }

// install implements controlEvents.
func (f *Frontend) install(m *controlpb.Install) {
	l, err := parseInstall(m)
	if err == nil {
		err = f.leases.install(l)
	}
	if err != nil {
		f.log.Warn("LeaseSet from the balancer refused", "term", m.GetTerm(), "seq", m.GetSeq(), "err", err)
		f.control.reply(installedReply(m.GetTerm(), m.GetSeq(), err))
	}
}

// probe implements controlEvents.
func (f *Frontend) probe(id uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.running.Err() == nil {
		f.probing.Go(func() { f.replyProbe(id) })
	}
}

var (
	_ keeperEvents  = (*Frontend)(nil)
	_ controlEvents = (*Frontend)(nil)
)
