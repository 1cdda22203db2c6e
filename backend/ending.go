package backend

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// An Ending is the cause (context.Cause) with which the ctx of a Service ends, if who
// runs it has said how long it may take: the drain limit of a plugin, or of "onelease
// backend".
type Ending struct {
	// Limit is the time from the end of ctx until what is still open is cut.
	Limit time.Duration
}

// Error is for the log.
func (e *Ending) Error() string { return fmt.Sprintf("told to end within %v", e.Limit) }

// defaultEnding is for who has not said how long.
const defaultEnding = 30 * time.Second

// TimeToEnd is how long a Service has to finish what is open once its ctx, or one made
// from it, has ended: the Limit of its Ending, or 30 s.
func TimeToEnd(ctx context.Context) time.Duration {
	var e *Ending
	if errors.As(context.Cause(ctx), &e) {
		return e.Limit
	}
	return defaultEnding
}

var _ error = (*Ending)(nil)
