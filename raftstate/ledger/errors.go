package ledger

import (
	"errors"
	"fmt"
)

// Errors of the Apply and Barrier of what keeps a State. After any of them but ErrUncertain the command
// has changed nothing and never will.
var (
	// ErrInvalid: the command is malformed, or exceeds a limit.
	ErrInvalid = errors.New("invalid")
	// ErrVersion, an ErrInvalid: another version of this program made it, or
	// not all nodes of the cluster can read it yet.
	ErrVersion = fmt.Errorf("unknown version: %w", ErrInvalid)
	// ErrStale: the command was made from an older State. Make it anew.
	ErrStale = errors.New("stale")
	// ErrUnknownFrontend: the command is for a frontend that was never put, or
	// that has been removed.
	ErrUnknownFrontend = errors.New("unknown frontend")
	// ErrUnknownInvite: the invite was never put, or has been used or removed.
	ErrUnknownInvite = errors.New("unknown invite")
	// ErrInviteExpired: the invite was not used in time.
	ErrInviteExpired = errors.New("invite has expired")
	// ErrNotLeader: another node leads, or none. Ask the Leader.
	ErrNotLeader = errors.New("not the leader")
	// ErrUncertain: leadership, the disk or the caller's context ended while
	// the command was under way, and it may take effect or not. After a
	// Barrier on whichever node leads then, State tells.
	ErrUncertain = errors.New("outcome unknown")
	// ErrClosed: the Store was closed.
	ErrClosed = errors.New("store is closed")
)

// Errors of opening a directory that keeps a State.
var (
	// ErrLocked: another process has the directory open.
	ErrLocked = errors.New("in use by another process")
	// ErrCorrupt: the directory's files are damaged, or do not belong together.
	ErrCorrupt = errors.New("damaged state")
)
