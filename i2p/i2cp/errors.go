package i2cp

import "errors"

// Errors of the wire format. Decoders also wrap those of package i2p:
// ErrTruncated, ErrInvalid and ErrUnsupported.
var (
	// ErrTooBig says that a frame, a field or a message exceeds what fits.
	ErrTooBig = errors.New("too big")
	// ErrProtocol says that the other side does not speak I2CP as it should.
	ErrProtocol = errors.New("not I2CP")
)

// Errors that end a session or an attempt to get one. Run retries after all
// but ErrInvalidSession and ErrUnauthorized.
var (
	// ErrUnreachable says that nothing answers at the router's address.
	ErrUnreachable = errors.New("router cannot be reached")
	// ErrInvalidSession says that the router takes the session's configuration
	// for invalid: a bad signature, or a Destination that has a session already.
	ErrInvalidSession = errors.New("router refuses the session's configuration")
	// ErrUnauthorized says that the router wants another user or password.
	ErrUnauthorized = errors.New("router refuses user and password")
	// ErrRefused says that the router has no room for the session now.
	ErrRefused = errors.New("router refuses another session")
	// ErrDisconnected says that the router ended the connection.
	ErrDisconnected = errors.New("router ended the connection")
	// ErrUnresponsive says that the router is connected but silent.
	ErrUnresponsive = errors.New("router does not answer")
)

// Errors of a Client's methods, about that one call.
var (
	// ErrNoSession says that there is no session now. Another may come.
	ErrNoSession = errors.New("no session with the router")
	// ErrQueueFull says that the router does not read fast enough.
	ErrQueueFull = errors.New("queue to the router is full")
	// ErrTooEarly says that the router has not asked for a LeaseSet yet. i2pd
	// takes none before that.
	ErrTooEarly = errors.New("router has not asked for a LeaseSet yet")
	// ErrNotNewer says that a LeaseSet is not newer than the last one.
	ErrNotNewer = errors.New("LeaseSet is not newer than the last")
	// ErrInvalidLeaseSet says that a router would not take the LeaseSet.
	ErrInvalidLeaseSet = errors.New("invalid LeaseSet")
	// ErrNotFound says that a lookup found nothing.
	ErrNotFound = errors.New("not found")
	// ErrNoLeaseSet says that a LeaseSet whose options are asked for is not in the netDB.
	ErrNoLeaseSet = errors.New("LeaseSet not found")
)
