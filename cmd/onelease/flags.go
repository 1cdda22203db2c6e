package main

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// need refuses a command without the flag.
func need(cmd *cobra.Command, flag, what string) error {
	if f := cmd.Flags().Lookup(flag); f == nil || f.Value.String() == "" {
		return wrongUse(cmd, fmt.Errorf("--%s is not set: %s", flag, what))
	}
	return nil
}

// noDir is what to do about a --dir that is missing.
const noDir = `name the node's directory, which "onelease cluster init" or "onelease cluster join" has made`

// errNoDir is needDir's error for a key of a file.
var errNoDir = errors.New("--dir is not set: " + noDir)

// needDir is need of --dir.
func needDir(cmd *cobra.Command) error { return need(cmd, "dir", noDir) }

// oneOf refuses a flag's value that is not among those that it can have.
func oneOf(cmd *cobra.Command, flag, value string, all ...string) error {
	if slices.Contains(all, value) {
		return nil
	}
	last := len(all) - 1
	return wrongUse(cmd, fmt.Errorf("--%s %q: want %s or %s", flag, value, strings.Join(all[:last], ", "), all[last]))
}

// atMostOne refuses flags that exclude each other.
func atMostOne(cmd *cobra.Command, flags ...string) error {
	var set []string
	for _, flag := range flags {
		if cmd.Flags().Changed(flag) {
			set = append(set, "--"+flag)
		}
	}
	if len(set) > 1 {
		return wrongUse(cmd, fmt.Errorf("%s: give one of them", strings.Join(set, " and ")))
	}
	return nil
}

// A logFlag is the level of a long-running command's log.
type logFlag struct{ level string }

func (l *logFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&l.level, "log-level", "info", "`level` of the log on stderr: debug, info, warn or error; remotes appear at debug only")
}

// logger writes text to stderr.
func (l *logFlag) logger(cmd *cobra.Command) (*slog.Logger, error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(l.level)); err != nil {
		return nil, wrongUse(cmd, fmt.Errorf("--log-level %q: want debug, info, warn or error", l.level))
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: level})), nil
}

// misuse has an error of one of the kinds count as wrong use.
func misuse(cmd *cobra.Command, err error, kinds ...error) error {
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return wrongUse(cmd, err)
		}
	}
	return err
}
