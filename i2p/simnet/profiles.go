package simnet

import "time"

// minute and second keep the tables below readable.
const (
	minute = time.Minute
	second = time.Second
	milli  = time.Millisecond
)

// validFor is how far ahead a LeaseSet and its leases may end, and how old it
// may be (LeaseSet.h, LEASESET_EXPIRATION_TIME_THRESHOLD).
const validFor = 12 * minute

// I2PD245 is i2pd 2.45.1, of Debian 12.
var I2PD245 = Profile{
	Name: "i2pd 2.45.1",
	I2CP: I2CPRules{
		AnswerWithin: 10 * second, // I2CP.h, I2CP_LEASESET_CREATION_TIMEOUT
	},
	Publish: PublishRules{
		MinInterval:   20 * second, // Destination.h, PUBLISH_MIN_INTERVAL
		WholeInterval: true,        // Destination.cpp, Publish
		Confirm:       5 * second,  // Destination.h, PUBLISH_CONFIRMATION_TIMEOUT
		Verify:        10 * second, // Destination.h, PUBLISH_VERIFICATION_TIMEOUT
		VerifyAgain:   100 * second,
		VerifyBytes:   true, // Destination.cpp, HandlePublishVerificationTimer
	},
	Ratchet: RatchetRules{
		Inactive:    90 * second,  // ECIESX25519AEADRatchetSession.h, ECIESX25519_INACTIVITY_TIMEOUT
		Takeover:    120 * second, // same, ECIESX25519_RESTART_TIMEOUT
		Confirm:     4 * second,   // Garlic.h, LEASET_CONFIRMATION_TIMEOUT
		Idle:        600 * second, // ECIESX25519_RECEIVE_EXPIRATION_TIMEOUT
		IdleSending: 480 * second, // ECIESX25519_SEND_EXPIRATION_TIMEOUT
		Cleanup:     3 * minute,   // Destination.h, DESTINATION_CLEANUP_TIMEOUT
		Unreplied:   180 * second, // ECIESX25519_PREVIOUS_TAGSET_EXPIRATION_TIMEOUT
	},
	Leases: LeaseRules{
		Keep:          30 * second, // Garlic.h, ROUTING_PATH_EXPIRATION_TIMEOUT
		KeepMessages:  100,         // Garlic.h, ROUTING_PATH_MAX_NUM_TIMES_USED
		NearEnd:       51 * second, // LeaseSet.h, LEASE_ENDDATE_THRESHOLD
		Grace:         51 * second, // LeaseSet.h, LEASE_ENDDATE_THRESHOLD
		Soon:          5 * second,  // LeaseSet.h, ExpiresSoon
		LookupTimeout: 5 * second,  // Destination.h, LEASESET_REQUEST_TIMEOUT
		LookupMax:     40 * second, // Destination.h, MAX_LEASESET_REQUEST_TIMEOUT
	},
	Kept: KeptRules{
		Silence: 10 * second, // Datagram.h, DATAGRAM_SESSION_PATH_TIMEOUT
	},
	// Streaming.cpp, SendPackets, UpdateCurrentRemoteLease and HandleResendTimer:
	// resends are one RTO, then twice that, 9, 18, 36 and 72 s apart, the second
	// and the fourth go to another lease, and 144 s after the sixth is the end.
	Streams: StreamRules{
		OwnPath:     true,
		Reselect:    []time.Duration{600 * milli, 28 * second},
		ReselectSYN: []time.Duration{27 * second, 54 * second},
		GiveUp:      280 * second,
	},
	// A wrong signature is logged and answered all the same (Streaming.cpp,
	// ProcessOptions returns true), as is none.
	Pings: PingRules{
		Everyone: true, // Destination.cpp, ClientDestination::Start; Streaming.cpp, HandleNextPacket
	},
}

// I2PD258 is i2pd 2.58.
var I2PD258 = Profile{
	Name:       "i2pd 2.58",
	APIVersion: "0.9.67", // I2CP.cpp, GetDateMessageHandler sends its own version
	I2CP: I2CPRules{
		AnswerWithin:        10 * second, // I2CP.h, I2CP_LEASESET_CREATION_TIMEOUT
		DontPublishInverted: true,        // Destination.cpp: the option is read straight into m_IsPublic
	},
	Publish: PublishRules{
		MinInterval:   20 * second,  // Destination.h, PUBLISH_MIN_INTERVAL
		WholeInterval: true,         // Destination.cpp, Publish
		Confirm:       1800 * milli, // Destination.h, PUBLISH_CONFIRMATION_TIMEOUT
		RetryUnready:  true,         // Destination.cpp, Publish: tries again after Confirm
		Verify:        5 * second,   // Destination.h, PUBLISH_VERIFICATION_TIMEOUT
		VerifyJitter:  3 * second,   // Destination.h, PUBLISH_VERIFICATION_TIMEOUT_VARIANCE
		VerifyAgain:   100 * second, // Destination.h, PUBLISH_REGULAR_VERIFICATION_INTERNAL
		VerifyBytes:   true,         // Destination.cpp, HandlePublishVerificationTimer
	},
	Ratchet: RatchetRules{
		Inactive:         90 * second,   // ECIESX25519_INACTIVITY_TIMEOUT
		Takeover:         120 * second,  // ECIESX25519_RESTART_TIMEOUT
		NewInterval:      200 * milli,   // Garlic.h, INCOMING_SESSIONS_MINIMAL_INTERVAL
		SilentUntilReply: true,          // WrapSingleMessage yields nothing in state NewSessionSent
		AckInterval:      12100 * milli, // I2CP.h, I2CP_SESSION_ACK_REQUEST_INTERVAL
		AckRetry:         4 * second,    // CreatePayload: LEASESET_CONFIRMATION_TIMEOUT
		AckAttempts:      3,             // ECIESX25519_ACK_REQUEST_MAX_NUM_ATTEMPTS
		Confirm:          4 * second,    // Garlic.h, LEASESET_CONFIRMATION_TIMEOUT
		ChecksBundledKey: true,          // Destination.cpp, HandleDatabaseStoreMessage
		Idle:             600 * second,  // ECIESX25519_RECEIVE_EXPIRATION_TIMEOUT
		IdleSending:      480 * second,  // ECIESX25519_SEND_EXPIRATION_TIMEOUT
		Establish:        15 * second,   // ECIESX25519_SESSION_ESTABLISH_TIMEOUT
		Cleanup:          44 * second,   // Destination.h, DESTINATION_CLEANUP_TIMEOUT
		CleanupJitter:    30 * second,   // Destination.h, DESTINATION_CLEANUP_TIMEOUT_VARIANCE
		Unreplied:        180 * second,  // ECIESX25519_PREVIOUS_TAGSET_EXPIRATION_TIMEOUT
	},
	Leases: LeaseRules{
		Keep:          120 * second, // Garlic.h, ROUTING_PATH_EXPIRATION_TIMEOUT
		NearEnd:       51 * second,  // LeaseSet.h, LEASE_ENDDATE_THRESHOLD
		Grace:         51 * second,  // LeaseSet.h, LEASE_ENDDATE_THRESHOLD
		Soon:          5 * second,   // LeaseSet.h, ExpiresSoon
		LookupTimeout: 1600 * milli, // Destination.h, LEASESET_REQUEST_TIMEOUT
		LookupMax:     12 * second,  // Destination.h, MAX_LEASESET_REQUEST_TIMEOUT
	},
	Kept: KeptRules{
		AckInterval: 5500 * milli, // Datagram.h, DATAGRAM_SESSION_ACK_REQUEST_INTERVAL
	},
	// Streaming.cpp, SendPackets, UpdateCurrentRemoteLease and ResendPacket: after
	// two RTOs resends are 9 s apart, each second one goes to another lease, and
	// instead of the eleventh it gives up.
	Streams: StreamRules{
		OwnPath:            true,
		Reselect:           []time.Duration{400 * milli, 18 * second, 36 * second, 54 * second, 72 * second},
		ReselectSYN:        []time.Duration{18 * second, 36 * second, 54 * second, 72 * second},
		Handover:           9 * second, // SendPackets: INITIAL_RTO
		Unconfirmed:        4 * second, // HandleAckSendTimer: LEASESET_CONFIRMATION_TIMEOUT
		DuplicatesReselect: true,       // HandleNextPacket
		SharesAlways:       true,       // ProcessAck, ResetWindowSize: m_IsFirstACK
		NeedsLeaseSet:      true,       // UpdateCurrentRemoteLease
		GiveUp:             82 * second,
	},
	// Without the sender's LeaseSet there is no answer in any case (Streaming.cpp,
	// UpdateCurrentRemoteLease), and with it the signature is not looked at.
	Pings: PingRules{
		Everyone: true, // Destination.cpp, ClientDestination::Start; Streaming.cpp, HandleNextPacket
		SameKey:  true, // Streaming.cpp, ProcessOptions: static key mismatch
	},
}

// JavaI2P is Java I2P 2.8.0, as read in its source; it was not measured. What
// is simpler here than there is said with the value.
var JavaI2P = Profile{
	Name:       "Java I2P 2.8.0",
	APIVersion: "0.9.65", // CoreVersion, PUBLISHED_VERSION
	I2CP: I2CPRules{
		AnswerWithin: 60 * second, // client/ClientManager, REQUEST_LEASESET_TIMEOUT
		Unanswered:   5,           // client/ClientConnectionRunner, MAX_LEASE_FAILS
		InvalidEnds:  true,        // client/ClientMessageEventListener, handleCreateLeaseSet
		DateWithin:   3 * minute,  // data/i2cp/SessionConfig, OFFSET_VALIDITY
		// client/LookupDestJob, since API 0.9.66
		LooksUpOptions: true,
		Offline:        true, // data/i2cp/SessionConfig, verifySignature; i2pd I2CP.cpp, CreateSessionMessageHandler: by the Destination's key only
		Disconnects:    true, // client/ClientConnectionRunner, disconnectClient
	},
	Publish: PublishRules{
		First:        3 * second,  // kademlia/KademliaNetworkDatabaseFacade, PUBLISH_DELAY
		MinInterval:  60 * second, // same, publish: REPUBLISH_LEASESET_TIMEOUT after the last
		Confirm:      15 * second, // same, getPeerTimeout: 6 to 15.3 s, by the floodfill's past
		Resends:      true,        // kademlia/StoreJob goes on to the next; FloodfillVerifyStoreJob, resend
		RetryUnready: true,        // kademlia/RepublishLeaseSetJob: after 20 to 40 s; here after Confirm
		Verify:       18 * second, // kademlia/FloodfillVerifyStoreJob, START_DELAY
		VerifyJitter: 9 * second,  // same, START_DELAY_RAND
	},
	Ratchet: RatchetRules{
		Inactive: 8 * minute, // ratchet/RatchetSKM, SESSION_TAG_DURATION_MS, in consumeNext
		// Same, SESSION_REPLACE_AGE, for incoming sessions; there the reply to
		// one's own never replaces another.
		Takeover:    120 * second,
		AckInterval: 60 * second, // message/OutboundClientMessageOneShotJob, REPLY_REQUEST_INTERVAL
		// One unanswered request has the lease forgotten 55 to 60 s later (same,
		// SendTimeoutJob and clearCaches); here it is the next that fails.
		AckRetry:         60 * second,
		AckAttempts:      1,
		Confirm:          55 * second, // same, REPLY_TIMEOUT_MS_MIN
		BundlesUntilThen: true,        // same, getReplyLeaseSet
		// Same, SESSION_LIFETIME_MAX_MS, of the tags to receive on. There a session
		// to send on ends also when nothing was sent for 8 minutes.
		Idle:        10 * minute,
		IdleSending: 10 * minute,
		Cleanup:     60 * second, // ratchet/RatchetSKM, CleanupEvent
		Unreplied:   3 * minute,  // same, SESSION_PENDING_DURATION_MS
		// That ChecksBundledKey, NewInterval and Establish have no counterpart is a
		// guess.
	},
	Leases: LeaseRules{
		// No Keep and no NearEnd: a lease is kept until it ends, and then one is
		// drawn from all (message/OutboundClientMessageOneShotJob, getNextLease).
		PastEnd:       15 * second,  // same: CLOCK_FUDGE_FACTOR / 4
		Grace:         60 * second,  // same: CLOCK_FUDGE_FACTOR
		Soon:          -15 * second, // same, runJob: a quarter of that after it expired
		Outlives:      60 * second,  // kademlia/KademliaNetworkDatabaseFacade, lookupLeaseSetLocally
		LookupTimeout: 3 * second,   // kademlia/IterativeSearchJob, SINGLE_SEARCH_TIME
		LookupMax:     15 * second,  // message/OutboundClientMessageOneShotJob, LS_LOOKUP_TIMEOUT
	},
	// Streams is empty: they go over I2CP as all messages do.
	Pings: PingRules{
		Signed:     true, // streaming/impl/PacketHandler, receivePing
		LooksUp:    true, // the answer is sent as any message
		KeepsPorts: true, // streaming/impl/ConnectionManager, receivePing
		MaxPayload: 32,   // same, MAX_PONG_PAYLOAD
	},
}
