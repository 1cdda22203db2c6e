package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/admin"
)

// watchFlags say whether and how often to ask again.
type watchFlags struct {
	on    bool
	every time.Duration
}

func (f *watchFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.BoolVar(&f.on, "watch", false, "ask again and again, until SIGINT")
	flags.DurationVar(&f.every, "every", 2*time.Second, "how often with --watch")
}

// run has show ask once and print; with --watch again and again, and whoever does not
// answer may come back.
func (f *watchFlags) run(cmd *cobra.Command, json jsonFlag, show func() error) error {
	switch {
	case f.every <= 0:
		return wrongUse(cmd, fmt.Errorf("--every %v: want more than 0s", f.every))
	case !f.on:
		return show()
	}
	for {
		if !json.on {
			fmt.Fprintf(cmd.OutOrStdout(), "--- %s\n", time.Now().Format(time.TimeOnly))
		}
		err := show()
		switch {
		case cmd.Context().Err() != nil:
			return nil
		case errors.As(err, new(usageError)) || errors.Is(err, admin.ErrConfig):
			return err
		case err != nil && !errors.Is(err, errNotReady):
			fmt.Fprintln(cmd.ErrOrStderr(), "onelease:", err)
		}
		select {
		case <-cmd.Context().Done():
			return nil
		case <-time.After(f.every):
		}
	}
}
