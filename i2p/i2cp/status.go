package i2cp

// Status is what a MessageStatus says ("MessageStatusMessage"). No status
// means that a message was delivered: the best of them, StatusHandedOn, means
// that the router gave it to a tunnel, and i2pd sends it for messages that it
// dropped as well. Only an answer from the other end tells of delivery.
type Status uint8

// The statuses of outgoing messages.
const (
	StatusAvailable             Status = 0
	StatusAccepted              Status = 1
	StatusBestEffortSuccess     Status = 2
	StatusBestEffortFailure     Status = 3
	StatusHandedOn              Status = 4 // "Guaranteed Success", which it is not
	StatusFailure               Status = 5
	StatusLocalSuccess          Status = 6
	StatusLocalFailure          Status = 7
	StatusRouterFailure         Status = 8
	StatusNetworkFailure        Status = 9
	StatusBadSession            Status = 10
	StatusBadMessage            Status = 11
	StatusBadOptions            Status = 12
	StatusOverflow              Status = 13
	StatusExpired               Status = 14
	StatusBadLocalLeaseSet      Status = 15
	StatusNoLocalTunnels        Status = 16
	StatusUnsupportedEncryption Status = 17
	StatusBadDestination        Status = 18
	StatusBadLeaseSet           Status = 19
	StatusExpiredLeaseSet       Status = 20
	StatusNoLeaseSet            Status = 21
	StatusMetaLeaseSet          Status = 22
	StatusLoopbackDenied        Status = 23
)

// Failed reports whether s means that the message goes nowhere. Of the other
// statuses none means that it arrived.
func (s Status) Failed() bool {
	switch s {
	case StatusAvailable, StatusAccepted, StatusBestEffortSuccess, StatusHandedOn, StatusLocalSuccess:
		return false
	}
	return true
}
