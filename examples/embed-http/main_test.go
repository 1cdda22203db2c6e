package main

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease"
)

// The program as a user runs it: it shows the page and ends, or goes on if asked to.
func TestRun(t *testing.T) {
	for _, serve := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var out bytes.Buffer
			args := map[bool][]string{true: {"--serve"}}[serve]
			if err := run(ctx, args, &out); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(out.String(), "one Destination on several routers.\nYou are ") || strings.Count(out.String(), ".b32.i2p") != 2 {
				t.Errorf("it showed %q", out.String())
			}
			if serve != (ctx.Err() != nil) {
				t.Errorf("with --serve=%v it ended by its context: %v", serve, ctx.Err())
			}
		})
	}
}

func TestRealRoutersNeedADirectory(t *testing.T) {
	err := run(t.Context(), []string{"--member", "127.0.0.1:1", "--publisher", "127.0.0.1:2"}, nil)
	if !errors.Is(err, onelease.ErrConfig) || !strings.Contains(err.Error(), "Dir") {
		t.Errorf("error %v, want one that asks for Dir", err)
	}
}
