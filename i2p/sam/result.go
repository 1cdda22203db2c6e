package sam

import (
	"errors"
	"fmt"
)

// A Result is the value of RESULT in a reply ("RESULT Values"). All but
// ResultOK are errors: a Host wraps them to choose what a backend is told, and
// the PacketClient's errors wrap the one that it was told.
type Result string

// The results of SAM 3.3. ResultInvalidID and ResultAlreadyAccepting are not in
// its list, but in its text and what routers send.
const (
	ResultOK               Result = "OK"
	ResultAlreadyAccepting Result = "ALREADY_ACCEPTING"
	ResultCantReachPeer    Result = "CANT_REACH_PEER"
	ResultDuplicatedDest   Result = "DUPLICATED_DEST"
	ResultDuplicatedID     Result = "DUPLICATED_ID"
	ResultI2PError         Result = "I2P_ERROR"
	ResultInvalidID        Result = "INVALID_ID"
	ResultInvalidKey       Result = "INVALID_KEY"
	ResultKeyNotFound      Result = "KEY_NOT_FOUND"
	ResultLeaseSetNotFound Result = "LEASESET_NOT_FOUND"
	ResultNoVersion        Result = "NOVERSION"
	ResultPeerNotFound     Result = "PEER_NOT_FOUND"
	ResultTimeout          Result = "TIMEOUT"
)

// A ResultRow says what a result means.
type ResultRow struct {
	Result  Result
	Meaning string
}

// Results are all of them, for the documentation and for who reads replies.
var Results = []ResultRow{
	{ResultOK, "done"},
	{ResultAlreadyAccepting, "before version 3.2: another `STREAM ACCEPT` of the session waits"},
	{ResultCantReachPeer, "the remote's LeaseSet was found, and it does not answer or has refused the stream"},
	{ResultDuplicatedDest, "another session has this Destination"},
	{ResultDuplicatedID, "another session has this ID"},
	{ResultI2PError, "all else; the message says what"},
	{ResultInvalidID, "there is no session of this ID, or it cannot be one"},
	{ResultInvalidKey, "the Destination or the private keys are no such thing"},
	{ResultKeyNotFound, "nobody knows the name"},
	{ResultLeaseSetNotFound, "`OPTIONS=true` asked for a LeaseSet, and there is none"},
	{ResultNoVersion, "no version of SAM that both can speak"},
	{ResultPeerNotFound, "the remote's LeaseSet was not found"},
	{ResultTimeout, "nothing came in time"},
}

// Error is the result as SAM spells it.
func (r Result) Error() string { return string(r) }

// ResultOf is what a client is told of err: the Result it wraps, or I2P_ERROR.
func ResultOf(err error) Result {
	if err == nil {
		return ResultOK
	}
	var r Result
	if errors.As(err, &r) {
		return r
	}
	return ResultI2PError
}

// Refusef is an error that a client is told as a result and a message, which
// should say what to do.
func Refusef(result Result, format string, args ...any) error {
	return &refusal{result, fmt.Sprintf(format, args...)}
}

type refusal struct {
	result  Result
	message string
}

func (r *refusal) Error() string { return r.message }
func (r *refusal) Unwrap() error { return r.result }

var _ error = ResultI2PError
