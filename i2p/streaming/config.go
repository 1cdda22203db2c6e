package streaming

import (
	"log/slog"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
)

// A Remote is the Destination at the other end of streams. It is immutable and
// shared.
type Remote = datagram.Sender

// NewRemote returns dest as a Remote.
func NewRemote(dest i2p.Destination) *Remote { return datagram.NewSender(dest) }

// A Link takes the packets of a Stack to remotes. Its methods are called by
// many goroutines, also with locks of the Stack held: they must not block, and
// must not call the Stack.
type Link interface {
	// Send sends packet, which it must not keep. Whether it arrives is not
	// known; an error says that it surely does not, and is treated as a loss.
	Send(to *Remote, fromPort, toPort uint16, packet []byte) error
	// Heard says that what Receive was given with via is a packet of from: it
	// is signed, or has the stream IDs that only from can know. It is called
	// before anything is sent in answer to it.
	Heard(from *Remote, via any)
}

// Config is what a Stack is made of. Origin and Link must be set; for the rest
// the zero value is a working default.
type Config struct {
	// Origin is who the streams belong to, with the Signer of its packets.
	Origin datagram.Origin
	// Current, if set, returns what signs for each new stream, in place of
	// Origin's Signer, which may be nil then: a transient key is replaced from
	// time to time. What it returns must be of Origin's Destination. While it
	// returns an error there are no new streams: Dial fails with it, and SYNs of
	// remotes get no answer, so that they come again. It is called with locks
	// held: it must not block, and must not call the Stack.
	Current func() (*datagram.Origin, error)
	// Link sends packets.
	Link Link
	// Logger is slog.Default() if nil. Remotes appear at debug level only.
	Logger *slog.Logger
	// NewID chooses a stream ID; nil is a random one. Several Stacks of one
	// Destination need IDs of their own, by which their packets are told apart.
	// One that is 0 or in use is not taken and NewID is called again. It is called
	// with locks held: it must not block, and must not call the Stack.
	NewID func() uint32
	// Limits are what remotes may use.
	Limits Limits

	// MaxPayload is the largest payload that is sent in a packet, and what
	// remotes are told to send at most: 1812 bytes, which fits into two tunnel
	// messages with ECIES-X25519.
	MaxPayload int
	// SendBuffer and ReceiveBuffer are in bytes for each stream: 1 MiB each.
	SendBuffer, ReceiveBuffer int
	// ConnectTimeout ends a Dial whose context has no deadline: 60 s.
	ConnectTimeout time.Duration
	// IdleTimeout is how long a stream may be without a packet until its
	// remote is asked for a sign of life, and, if none comes, reset: 10 min.
	// Negative: never.
	IdleTimeout time.Duration
	// GiveUp is how long data may stay without an ack until the stream is
	// reset: 5 min, so that a stream outlives the 120 s that a stranded remote
	// may take to come back.
	GiveUp time.Duration
	// NoPongs leaves pings unanswered.
	NoPongs bool
}

// Limits are what remotes may use. Zero is the default; a negative number is
// no limit.
type Limits struct {
	// Backlog is how many accepted streams wait for Accept on a port: 128.
	// More are refused with a reset.
	Backlog int
	// Streams is how many streams there may be at once: 4096. StreamsPerRemote
	// is how many of one remote: 256.
	Streams, StreamsPerRemote int
	// PerMinute, PerHour and PerDay are how many streams a remote may begin:
	// no limit. TotalPerMinute and so on are for all remotes together.
	PerMinute, PerHour, PerDay                int
	TotalPerMinute, TotalPerHour, TotalPerDay int
	// Allow, if set, is asked for each stream that a remote begins, and may
	// refuse: an access list.
	Allow func(remote i2p.Hash) bool
}
