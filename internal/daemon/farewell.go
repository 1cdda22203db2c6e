package daemon

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/onelease/onelease/backend"
)

// ErrCut says that streams were cut since the process was to end at once, or had not
// ended in time.
var ErrCut = errors.New("ended before its streams had")

// graceTime is what the end may take longer than the DrainLimit.
const graceTime = 10 * time.Second

// A Farewell is how a process with services ends when it is told to.
type Farewell struct {
	// Limit is how long what is open may go on.
	Limit backend.Duration
	// Leave is called when it is told to, before its services are.
	Leave func()
	// Set are the services.
	Set *Set
}

// Run runs serve, and returns what came of it. When ctx ends, so does that of serve, by a
// backend.Ending; ErrCut is returned if the Limit was not enough, or a service could not end
// as it should. When cut ends it returns ErrCut at once, and serve still runs: the process
// must end then.
func (f *Farewell) Run(ctx, cut context.Context, serve func(context.Context) error) error {
	hosting, end := context.WithCancelCause(context.WithoutCancel(ctx))
	defer end(nil)
	limit := time.Duration(f.Limit)
	atLimit, overdue := make(chan struct{}), make(chan struct{})
	defer context.AfterFunc(ctx, func() {
		f.Leave()
		end(&backend.Ending{Limit: limit})
		time.AfterFunc(limit, func() { close(atLimit) })
		time.AfterFunc(limit+graceTime, func() { close(overdue) })
	})()
	ended := make(chan error, 1)
	go func() { ended <- serve(hosting) }()
	select {
	case err := <-ended:
		return f.verdict(err, atLimit)
	case <-cut.Done():
		return ErrCut
	case <-overdue:
		return f.late()
	}
}

// verdict is how Run ends when all has ended: a service that took all the time that there
// was has cut what was left.
func (f *Farewell) verdict(err error, atLimit <-chan struct{}) error {
	select {
	case <-atLimit:
		return errors.Join(err, f.late())
	default:
	}
	if err == nil {
		return f.Set.Late()
	}
	return err
}

func (f *Farewell) late() error { return fmt.Errorf("%w, after %v", ErrCut, f.Limit) }
