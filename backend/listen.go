package backend

import (
	"fmt"
	"net"
)

// ListenPacket opens a port for datagrams of one kind. Port 0 gets what comes
// to ports that are not open by themselves. It works before Run, and until
// the Host ends.
//
// The connection keeps to net.PacketConn, with these points:
//
//   - Addresses are *Addr; WriteTo takes no others. Those that ReadFrom
//     returns are shared and must not be changed.
//   - ReadFrom drops what does not fit into its buffer, as UDP does.
//   - WriteTo does not wait for the network. An error that is ErrNoFrontend or
//     sam.ErrFull says that the datagram was not sent; it may be tried again.
//     It does wait for a lookup if the address has no Destination.
//   - A payload of up to about 31 KiB fits, else the error is ErrTooLarge:
//     datagram.MaxSize less what the kind adds. About 10 KB arrive reliably.
//   - When it is closed, or the Host ends, calls return net.ErrClosed; what
//     was received but not read is lost.
//
// It fails with ErrPortInUse, or if nothing could ever be sent: with ErrNoSigner,
// or ErrConfig for a Datagram from a transient key. While Credentials have no
// permission, WriteTo of what is signed fails with ErrNoSigner.
func (h *Host) ListenPacket(kind Kind, port uint16) (net.PacketConn, error) {
	c := newPacketConn(h, kind, port)
	if err := h.openTap(c.tap); err != nil {
		return nil, fmt.Errorf("listen for %v on port %d: %w", kind, port, err)
	}
	return c, nil
}

func (h *Host) checkKind(kind Kind) error {
	signed := kind == Datagram || kind == Datagram2
	switch _, ok := kind.index(); {
	case !ok:
		return errKind
	case signed && !h.cfg.signs():
		return errUnset
	case kind == Datagram && h.transient():
		return errTransient
	}
	return nil
}

// errTransient says that a Datagram, which has no place for an offline signature,
// cannot be sent.
var errTransient = fmt.Errorf("%w: a transient key cannot sign this kind, use Datagram2", ErrConfig)

// transient reports whether a transient key signs, as far as is known.
func (h *Host) transient() bool {
	if h.cfg.Credentials == nil {
		return h.cfg.Offline != nil
	}
	o := h.cfg.Credentials.Origin()
	return o != nil && o.Offline != nil
}
