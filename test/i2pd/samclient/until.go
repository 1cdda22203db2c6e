package samclient

import (
	"context"
	"fmt"
	"time"
)

// Until tries again until there is no error, or returns the last one when limit is over: real
// routers announce nothing, and lose the first messages.
func Until(ctx context.Context, limit time.Duration, try func() error) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	again := time.NewTicker(200 * time.Millisecond)
	defer again.Stop()
	for {
		err := try()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not in %v: %w", limit, err)
		case <-again.C:
		}
	}
}
