package i2cp

import "fmt"

var typeNames = map[MessageType]string{
	TypeCreateSession:           "CreateSession",
	TypeReconfigureSession:      "ReconfigureSession",
	TypeDestroySession:          "DestroySession",
	TypeSendMessage:             "SendMessage",
	TypeSessionStatus:           "SessionStatus",
	TypeMessageStatus:           "MessageStatus",
	TypeDisconnect:              "Disconnect",
	TypeMessagePayload:          "MessagePayload",
	TypeGetDate:                 "GetDate",
	TypeSetDate:                 "SetDate",
	TypeSendMessageExpires:      "SendMessageExpires",
	TypeRequestVariableLeaseSet: "RequestVariableLeaseSet",
	TypeHostLookup:              "HostLookup",
	TypeHostReply:               "HostReply",
	TypeCreateLeaseSet2:         "CreateLeaseSet2",
}

// String is the specification's name of t.
func (t MessageType) String() string {
	if name, ok := typeNames[t]; ok {
		return name
	}
	return fmt.Sprintf("message type %d", uint8(t))
}

var sessionStateNames = map[SessionState]string{
	SessionDestroyed: "destroyed",
	SessionCreated:   "created",
	SessionUpdated:   "updated",
	SessionInvalid:   "invalid",
	SessionRefused:   "refused",
}

// String is the specification's name of s.
func (s SessionState) String() string {
	if name, ok := sessionStateNames[s]; ok {
		return name
	}
	return fmt.Sprintf("session status %d", uint8(s))
}

var statusNames = map[Status]string{
	StatusAvailable:             "available",
	StatusAccepted:              "accepted",
	StatusBestEffortSuccess:     "handed on (best effort)",
	StatusBestEffortFailure:     "best effort failure",
	StatusHandedOn:              "handed on",
	StatusFailure:               "failure",
	StatusLocalSuccess:          "local success",
	StatusLocalFailure:          "local failure",
	StatusRouterFailure:         "router failure",
	StatusNetworkFailure:        "network failure",
	StatusBadSession:            "bad session",
	StatusBadMessage:            "bad message",
	StatusBadOptions:            "bad options",
	StatusOverflow:              "overflow",
	StatusExpired:               "message expired",
	StatusBadLocalLeaseSet:      "bad local LeaseSet",
	StatusNoLocalTunnels:        "no local tunnels",
	StatusUnsupportedEncryption: "unsupported encryption",
	StatusBadDestination:        "bad Destination",
	StatusBadLeaseSet:           "bad LeaseSet",
	StatusExpiredLeaseSet:       "expired LeaseSet",
	StatusNoLeaseSet:            "no LeaseSet",
	StatusMetaLeaseSet:          "meta LeaseSet",
	StatusLoopbackDenied:        "loopback denied",
}

// String says s in words. There is none for "delivered".
func (s Status) String() string {
	if name, ok := statusNames[s]; ok {
		return name
	}
	return fmt.Sprintf("message status %d", uint8(s))
}

var hostResultNames = map[HostResult]string{
	HostFound:             "found",
	HostFailure:           "not found",
	HostPasswordRequired:  "lookup password required",
	HostKeyRequired:       "private key required",
	HostBothRequired:      "lookup password and private key required",
	HostDecryptionFailure: "LeaseSet cannot be decrypted",
	HostNoLeaseSet:        "LeaseSet not found",
	HostUnsupported:       "kind of lookup not supported",
}

// String says r in words.
func (r HostResult) String() string {
	if name, ok := hostResultNames[r]; ok {
		return name
	}
	return fmt.Sprintf("lookup result %d", uint8(r))
}
