package main

import (
	"context"
	"errors"
	"time"

	"github.com/onelease/onelease/i2p/i2cp"
)

const (
	// maxLooks is how often a router is asked that says at once that there is nothing: i2pd
	// says so while it has no tunnels of its own. lookPause is the time between.
	maxLooks  = 3
	lookPause = 2 * time.Second
)

// lookAgain looks, and again where the answer says little.
func lookAgain(ctx context.Context, look func() error) error {
	for n := 1; ; n++ {
		began := time.Now()
		err := look()
		if !errors.Is(err, i2cp.ErrNotFound) || n == maxLooks || time.Since(began) > lookPause {
			return err
		}
		select {
		case <-time.After(lookPause):
		case <-ctx.Done():
			return err
		}
	}
}
