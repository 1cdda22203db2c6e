package sam

import "errors"

// A Result is the value of RESULT in a reply ("RESULT Values"). All but
// ResultOK are errors: a Host wraps them to choose what a backend is told, and
// the PacketClient's errors wrap the one that it was told.
type Result string

// The results of SAM 3.3. ResultInvalidID is not in the specification; i2pd
// and the Java router send it.
const (
	ResultOK             Result = "OK"
	ResultDuplicatedID   Result = "DUPLICATED_ID"
	ResultDuplicatedDest Result = "DUPLICATED_DEST"
	ResultI2PError       Result = "I2P_ERROR"
	ResultInvalidID      Result = "INVALID_ID"
	ResultInvalidKey     Result = "INVALID_KEY"
	ResultKeyNotFound    Result = "KEY_NOT_FOUND"
	ResultCantReachPeer  Result = "CANT_REACH_PEER"
	ResultPeerNotFound   Result = "PEER_NOT_FOUND"
	ResultTimeout        Result = "TIMEOUT"
	ResultNoVersion      Result = "NOVERSION"
)

// Error is the result as SAM spells it.
func (r Result) Error() string { return string(r) }

// resultOf is what a backend is told of err: the Result it wraps, or I2P_ERROR.
func resultOf(err error) Result {
	if err == nil {
		return ResultOK
	}
	var r Result
	if errors.As(err, &r) {
		return r
	}
	return ResultI2PError
}

var _ error = ResultI2PError
