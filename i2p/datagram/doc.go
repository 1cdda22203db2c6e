// Package datagram reads and writes I2P's repliable datagrams: bytes in, a
// value out, and back. Raw datagrams have no form and need nothing from it.
//
//	b, err := datagram.AppendDatagram1(nil, keys.Destination, keys, payload)
//	...
//	d, err := datagram.ParseDatagram1(b)    // views into b, nothing copied
//	sender, err := datagram.ParseSender(d.From)
//	err = d.Verify(sender)
//
// Whoever gets many datagrams from one sender keeps the Sender by the hash of
// d.From; then reading one costs no more than its signature check.
//
// The package moves no packets and keeps no state: no replay window either.
// A Datagram1 can be replayed by anybody to anybody, a Datagram2 only to the
// receiver that it was signed for, and a Datagram3 is not signed at all.
//
// The formats are those of I2P's "Datagram Specification" (2025-04, proposal
// 163). i2pd up to 2.58 departs from it: it signs a Datagram2 over its own
// hash where the receiver's belongs (libi2pd/Datagram.cpp, SendDatagram and
// HandleDatagram2). Such a Datagram2 verifies with the sender's hash as
// target, and can then be replayed to anybody; Java I2P does as specified.
package datagram
