package simnet

import "time"

// A Profile is how a make of router behaves, as values. The comments name the
// file of i2pd's source, or of Java I2P's, that each comes from; "seen" stands
// for measurements on private networks of stock routers.
type Profile struct {
	// Name is shown in statistics.
	Name string
	// APIVersion is what SetDate says; empty echoes the client's own string.
	APIVersion string

	I2CP    I2CPRules
	Publish PublishRules
	Ratchet RatchetRules
	Leases  LeaseRules
	Kept    KeptRules
	Streams StreamRules
	Pings   PingRules
}

// I2CPRules are how a router treats its I2CP clients.
type I2CPRules struct {
	// AnswerWithin is how long the client has for a LeaseSet.
	AnswerWithin time.Duration
	// Unanswered is how many requests in a row may go unanswered; one more
	// ends the session.
	Unanswered int
	// InvalidEnds ends a session that installs an invalid LeaseSet; else that
	// is dropped in silence and the time for the answer keeps running.
	InvalidEnds bool
	// DateWithin bounds how far a session configuration's date may be off; 0
	// for not checked.
	DateWithin time.Duration
	// DontPublishInverted has "i2cp.dontPublishLeaseSet=true" publish.
	DontPublishInverted bool
	// LooksUpOptions tells the options of a LeaseSet to who asks (proposal 167); else
	// it fails such lookups.
	LooksUpOptions bool
	// Offline takes a session that is signed by a transient key.
	Offline bool
	// Disconnects says why it closes a connection; else it just closes.
	Disconnects bool
}

// PublishRules are how a router gets a LeaseSet into the netDB.
type PublishRules struct {
	// First is the delay after a LeaseSet was installed.
	First time.Duration
	// MinInterval is the least time between two publishings.
	MinInterval time.Duration
	// WholeInterval has what comes too soon wait for a MinInterval from then
	// on, which what next comes too soon begins anew; else it waits for what is
	// left of it.
	WholeInterval bool
	// Confirm is how long a floodfill has to confirm.
	Confirm time.Duration
	// RetryUnready tries again, after Confirm, where there were no tunnels.
	RetryUnready bool
	// Resends has what was not confirmed or not verified be sent again at once,
	// whatever MinInterval says.
	Resends bool
	// Verify is when the netDB is asked what it holds, with up to VerifyJitter
	// more, and VerifyAgain the interval after a success (0: never).
	Verify, VerifyJitter, VerifyAgain time.Duration
	// VerifyBytes wants the very bytes back; else a `published` as new will do.
	VerifyBytes bool
}

// RatchetRules are how a router keeps end-to-end sessions.
type RatchetRules struct {
	// Inactive is the silence after which a sender starts a new session, once
	// the old one is older than Takeover.
	Inactive time.Duration
	// Takeover is the age above which a new incoming session replaces one with
	// the same static key.
	Takeover time.Duration
	// NewInterval is the least time between two incoming new sessions per
	// Destination; 0 for no limit.
	NewInterval time.Duration
	// SilentUntilReply drops what is sent after a new session's first message
	// until the reply to it; else each message starts another new session.
	SilentUntilReply bool
	// AckInterval is how often a sender asks for an acknowledgement, 0 for
	// never; AckAttempts of them unanswered, AckRetry apart, and it chooses
	// another lease.
	AckInterval, AckRetry time.Duration
	AckAttempts           int
	// Confirm is how long a bundled LeaseSet may go unacknowledged before it
	// is sent again and another lease is chosen.
	Confirm time.Duration
	// BundlesUntilThen has it go with every message until it is acknowledged.
	BundlesUntilThen bool
	// ChecksBundledKey refuses an unknown LeaseSet whose key is not the
	// session's.
	ChecksBundledKey bool
	// Idle without receiving, and IdleSending without sending, has a session
	// forgotten. Establish is how long one may wait, after its reply was sent,
	// for the first message after that; 0 for as long as that.
	Idle, IdleSending, Establish time.Duration
	// Cleanup is how often that is looked at, with up to CleanupJitter more.
	Cleanup, CleanupJitter time.Duration
	// Unreplied is how long a new session waits for its reply.
	Unreplied time.Duration
}

// LeaseRules are how a router chooses among a remote's leases.
type LeaseRules struct {
	// Keep is how long a lease is kept, KeepMessages for how many messages; 0
	// for until its end.
	Keep         time.Duration
	KeepMessages int
	// NearEnd is the life left under which a lease is used only if there is no
	// other.
	NearEnd time.Duration
	// PastEnd is how long after its end a lease is used like others, Grace how
	// long if there is no other.
	PastEnd, Grace time.Duration
	// NearLooksUp asks the netDB again when only such leases are left. i2pd's
	// streams do (Streaming.cpp, UpdateCurrentRemoteLease), its I2CP clients,
	// on which the profiles were measured, do not (I2CP.cpp, SendMsg).
	NearLooksUp bool
	// Soon is the life left of a whole LeaseSet when it is looked up again,
	// Outlives how long after its end it is kept.
	Soon, Outlives time.Duration
	// LookupTimeout is how long one floodfill has to answer, LookupMax how
	// long all have.
	LookupTimeout, LookupMax time.Duration
}

// KeptRules are how a client that keeps its session (RemoteConfig.KeepsSession)
// gives up a lease. When it gives up the session does not differ by make.
type KeptRules struct {
	// Silence without receiving has it draw a lease for each message; 0 for
	// never.
	Silence time.Duration
	// AckInterval takes the place of RatchetRules.AckInterval if not 0.
	AckInterval time.Duration
}

// StreamRules are how the streams of a client (RemoteConfig.Streams) choose their
// sessions and leases, and when they give up.
type StreamRules struct {
	// OwnPath has each stream keep a ratchet session, until that is terminated,
	// and a lease, until it has left the LeaseSet or is near its end. Else
	// streams' packets go the way of any message.
	OwnPath bool
	// Reselect are the times without an ack after which a resend goes to
	// another lease, ReselectSYN those of a SYN.
	Reselect, ReselectSYN []time.Duration
	// Handover is how long a lease that is near its end is still used while
	// there are others, but for one packet; 0: not at all.
	Handover time.Duration
	// Unconfirmed is how long a bundled LeaseSet may be unacknowledged when an
	// ack is sent; after that the path is chosen anew.
	Unconfirmed time.Duration
	// DuplicatesReselect has a packet that came before choose another lease.
	DuplicatesReselect bool
	// SharesAlways has each lease that brought an ack become the one for new
	// streams; else only that of the SYN does.
	SharesAlways bool
	// NeedsLeaseSet ends a stream if no LeaseSet of the other side is found.
	NeedsLeaseSet bool
	// GiveUp is how long data may stay without an ack; 0 for the default of
	// package streaming.
	GiveUp time.Duration
}

// PingRules are how remotes answer pings of the streaming protocol.
type PingRules struct {
	// Everyone has a streaming part that answers, also clients that use
	// datagrams only; else only those with RemoteConfig.Streams do.
	Everyone bool
	// Signed answers only what is rightly signed.
	Signed bool
	// SameKey answers only if the LeaseSet of the ping's sender has the key of
	// the session that the ping came by.
	SameKey bool
	// LooksUp looks for a LeaseSet of the sender that is not known and then
	// answers; else the answer is dropped.
	LooksUp bool
	// KeepsPorts sends the answer to the port that the ping is from, and from
	// the one it was to; else both are 0.
	KeepsPorts bool
	// MaxPayload is how much of the payload comes back; 0 for all.
	MaxPayload int
}
