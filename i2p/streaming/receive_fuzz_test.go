package streaming

import (
	"encoding/binary"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

// FuzzReceive feeds packets to a Stack with a listener and a live stream that
// is sending. Input is a list of packets: what to do with it 1 | size 2 | bytes.
// What can be done: give it the IDs of the stream, sign it as its remote, let
// time pass.
func FuzzReceive(f *testing.F) {
	const (
		known = 1 << iota // the stream's IDs
		signed
		later
	)
	add := func(packets ...[]byte) {
		var input []byte
		for i, b := range packets {
			input = append(input, byte(i%8))
			input = binary.BigEndian.AppendUint16(input, uint16(len(b)))
			input = append(input, b...)
		}
		f.Add(input)
	}
	data := func(seq uint32, flags Flags) []byte {
		return (&Packet{Seq: seq, AckThrough: 3, NACKs: []byte{0, 0, 0, 1}, Flags: flags, Payload: []byte("payload")}).AppendTo(nil)
	}
	add(data(1, 0), data(2, 0), data(9, FlagDelay), data(1, FlagClose), data(0, FlagNoAck), data(0, FlagReset), data(0, FlagSync))
	add(data(0, FlagEcho), data(3, FlagDelay), data(3, FlagClose), data(1<<31, 0), data(1<<32-1, 0), data(1, 0))
	ours, theirs := newOrigin(f, i2p.SigEd25519), newOrigin(f, i2p.SigEd25519)
	f.Fuzz(func(t *testing.T, input []byte) {
		synctest.Test(t, func(t *testing.T) {
			_, e := listening(t, Config{Origin: ours, ReceiveBuffer: 16 << 10})
			forge := &forger{t, theirs, e, NewRemote(theirs.Destination)}
			forge.receive(forge.sign(forge.syn(77)), nil)
			st := e.with(forge.remote.Hash)[0]
			st.Write(make([]byte, 20<<10))
			st.SetReadDeadline(time.Now())
			came := 1000
			for len(input) > 3 {
				todo, size := input[0], int(binary.BigEndian.Uint16(input[1:]))
				packet := append([]byte(nil), input[3:3+min(size, len(input)-3)]...)
				input = input[3+len(packet):]
				if todo&known != 0 && len(packet) >= 8 {
					binary.BigEndian.PutUint32(packet, st.id)
					binary.BigEndian.PutUint32(packet[4:], 77)
				}
				var p Packet
				if todo&signed != 0 && p.Parse(packet) == nil {
					p.Flags &^= FlagSigned | FlagOffline
					packet = forge.sign(p)
				}
				came += len(packet)
				forge.receive(packet, nil)
				if todo&later != 0 {
					time.Sleep(10 * time.Millisecond)
				}
			}
			if held := st.receiver.unread + st.receiver.ahead; held > 2*16<<10 {
				t.Errorf("%d bytes are held", held)
			}
			if n := e.Stats().Open; n > 1+came/400 {
				t.Errorf("%d streams", n)
			}
			st.Read(make([]byte, 100))
			time.Sleep(time.Hour)
			if n := e.Stats().Open; n != 0 {
				t.Errorf("%d streams are open an hour later", n)
			}
			if sent, limit := e.sentBytes(), 400<<10+20*came; sent > limit {
				t.Errorf("%d bytes came, %d were sent", came, sent)
			}
		})
	})
}
