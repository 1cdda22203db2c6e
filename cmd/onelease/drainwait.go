package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/controlpb"
	"github.com/onelease/onelease/internal/upd"
)

// A drained is how far a drain is.
type drained struct {
	draining bool
	until    *time.Time // when the session is closed
	closed   bool
	visitors int // that are answered by the router, -1 if that is not known
}

// over reports whether the router can be stopped, and why.
func (d drained) over() (over bool, why string) {
	switch {
	case d.closed:
		return true, "its session is closed"
	case d.visitors == 0:
		return true, "nobody is on it"
	}
	return false, ""
}

func (d drained) String() string {
	text := "its session is still open"
	if d.visitors > 0 {
		text = counted(uint32(d.visitors), "visitor") + " left"
	}
	if d.until != nil {
		text += ", it is closed in " + span(max(0, time.Until(*d.until)))
	}
	return text
}

var errUndrained = errors.New("the drain was undone meanwhile")

// waitTime is between two looks how far a drain is, tellTime between two lines about that.
const (
	waitTime = time.Second
	tellTime = 30 * time.Second
)

// awaitDrained waits until a router can be stopped, and tells how far that is.
func awaitDrained(cmd *cobra.Command, name string, look func(context.Context) (drained, error)) error {
	var told time.Time
	for {
		d, err := look(cmd.Context())
		switch over, why := d.over(); {
		case err != nil:
			return err
		case !d.draining:
			return fmt.Errorf("router %s: %w", name, errUndrained)
		case over:
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "Router %s can be stopped: %s.\n", name, why)
			return err
		case time.Since(told) >= tellTime:
			told = time.Now()
			fmt.Fprintf(cmd.ErrOrStderr(), "%s drains: %v\n", name, d)
		}
		select {
		case <-time.After(waitTime):
		case <-cmd.Context().Done():
			return errors.New("interrupted: the drain goes on")
		}
	}
}

// lookAtSite is how far a drain of onelease up is.
func lookAtSite(ctx context.Context, socket, name string) (drained, error) {
	s, err := upd.Ask(ctx, socket)
	d := drained{visitors: -1}
	for _, f := range s.Frontends {
		if f.Name == name {
			d.draining, d.until, d.closed = f.Draining, f.DrainUntil, !f.RouterUp
		}
	}
	for _, f := range s.Backend.Frontends {
		if f.Name == name {
			d.visitors = f.Remotes
		}
	}
	return d, err
}

// lookAtCluster is how far a drain of a cluster's frontend is, as the leader knows it. It
// does not know of visitors.
func (a *accessFlags) lookAtCluster(cmd *cobra.Command, name string) (d drained, err error) {
	err = a.lead(cmd, func(ctx context.Context, leader *cluster.Conn) error {
		reply, err := leader.Control.GetStatus(ctx, &controlpb.StatusRequest{})
		d = drained{visitors: -1}
		for _, f := range statusOf(reply, time.Now()).Frontends {
			if f.Name == name {
				d.draining, d.until, d.closed = f.Draining, f.DrainUntil, !f.RouterUp
			}
		}
		return err
	})
	return d, err
}
