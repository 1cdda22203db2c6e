package streaming

import (
	"bytes"
	"errors"
	"time"

	"github.com/onelease/onelease/i2p/datagram"
)

// originLocked is what signs the stream's packets: what signed its SYN, for as
// long as that is permitted, and the newest then.
//
// Each signed packet has FROM and, from a transient key, OFFLINE_SIGNATURE, as in
// the SYN, though the specification lets a CLOSE do with what the SYN showed. Who
// takes what was read in i2pd 2.45.1 and 2.58 (libi2pd/Streaming.cpp,
// ProcessOptions, UpdateCurrentRemoteLease; LeaseSet.h, ProcessOfflineSignature)
// and Java I2P (Packet.verifySignature, ConnectionPacketHandler.verifySignature);
// that 2.45.1 takes a CLOSE by the SYN's key and by a newer one was seen:
//
//   - i2pd forgets the SYN's key when it takes a new LeaseSet that is signed by
//     the Destination's own key, as ours are, and checks a signature without the
//     block by that. So the block must be in every signed packet.
//   - With the block i2pd takes the key from it, but keeps the SYN's if it has no
//     LeaseSet at the moment. So the key must be the SYN's, while it can be.
//   - Both check the date in every block that they read. i2pd ends a stream whose
//     CLOSE is too old without an ack for it, Java drops such a CLOSE. So after its
//     time the SYN's key is replaced: Java checks a packet with FROM by what it
//     brings and not by the SYN, i2pd does the same, but for the case above.
//   - i2pd 2.58 looks at none of this if the packet came in a ratchet session
//     whose static key is that of our LeaseSet, as it does.
//
// What is not signed, all data and acks, goes on whatever becomes of permissions.
func (st *Stream) originLocked() *datagram.Origin {
	if !st.origin.Expired(time.Now()) {
		return st.origin
	}
	if newest, err := st.stack.cfg.Current(); err == nil {
		st.origin = newest
	}
	return st.origin
}

// sendPacketLocked sends a packet of the stream that is not sent from a segment.
func (st *Stream) sendPacketLocked(p *Packet) {
	var o *datagram.Origin
	if p.mustBeSigned() {
		o = st.originLocked()
	}
	st.stack.sendPacket(o, st.remote, st.localPort, st.remotePort, p)
}

// verifyLocked checks the signature. A CLOSE of i2pd 2.45.1 may be signed by
// the transient key of the SYN and not say so (libi2pd/Streaming.cpp, SendClose).
// That key is good for as long as the stream lives: what it began it may end.
func (st *Stream) verifyLocked(p *Packet) error {
	sender := st.remote
	if st.transient != nil && p.Flags&FlagOffline == 0 {
		sender = st.transient
	}
	err := p.Verify(sender, time.Now())
	if errors.Is(err, datagram.ErrExpired) && st.transient != nil {
		err = p.verifyAsOf(st.transient)
	}
	return err
}

// verifyAsOf is Verify whatever the date, if the offline signature is for the key
// that the remote has shown before.
func (p *Packet) verifyAsOf(transient *Remote) error {
	always := time.Time{}
	key, err := p.SigningKey(transient, always)
	if err != nil {
		return err
	}
	if key.Type != transient.Key.Type || !bytes.Equal(key.Key, transient.Key.Key) {
		return datagram.ErrExpired
	}
	return p.Verify(transient, always)
}
