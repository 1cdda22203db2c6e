package docs

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"
)

// Limits of a Runner's.
const (
	defaultLimit = time.Minute
	pollInterval = 200 * time.Millisecond
)

// A Runner runs the steps of a page, one after the other. Fields may be set until Run.
type Runner struct {
	// Dir is where commands run.
	Dir string
	// Env is their environment besides that of this process.
	Env  []string
	Plan Plan
	// Long has it run the plan's slow steps too.
	Long bool
	// Rewrite changes commands before they run, where a page's paths are another's; nil does
	// nothing.
	Rewrite func(command string) string
	// Limit is for each command to end, or to be ready if it goes on; 0 is a minute.
	Limit time.Duration
	// Keys is the key file in Dir whose address stands where a page shortens one; empty is
	// site.dat.
	Keys string
	// Log is told what is done; nil for nobody.
	Log func(format string, args ...any)

	running []*process
	started int    // processes, those that have ended too
	printed string // by the last command that ended
}

// Run takes all steps. What goes on runs until Close.
func (r *Runner) Run(ctx context.Context, steps []Step) error {
	notes, err := r.Plan.notes(steps)
	if err != nil {
		return err
	}
	if err := r.serveWeb(ctx); err != nil {
		return err
	}
	for _, command := range r.Plan.Given {
		if err := r.command(ctx, command, Note{}, expected{}); err != nil {
			return fmt.Errorf("what is given: %w", err)
		}
	}
	for i, step := range steps {
		if why := notes[i].left(r.Long); why != "" {
			r.log("line %d: left out: %s: %s", step.Line, step.Start(), why)
			continue
		}
		next := expected{}
		if i+1 < len(steps) && notes[i+1].left(r.Long) == "" {
			next = expected{steps[i+1].Shown, notes[i+1].Except}
		}
		if err := r.step(ctx, step, notes[i], next); err != nil {
			return fmt.Errorf("line %d: %s: %w", step.Line, step.Start(), err)
		}
	}
	return r.settle(ctx)
}

// step takes one; next is what the page shows after it.
func (r *Runner) step(ctx context.Context, step Step, note Note, next expected) error {
	for _, command := range note.Stop {
		if err := errors.Join(r.settle(ctx), r.Stop(command)); err != nil {
			return err
		}
	}
	shown := expected{step.Shown, note.Except}
	for i, command := range note.Before {
		own := expected{}
		if i == len(note.Before)-1 {
			own = shown
		}
		if err := r.command(ctx, command, Note{}, own); err != nil {
			return fmt.Errorf("before it: %s: %w", command, err)
		}
	}
	if step.Command == "" {
		return shown.fits(r.printed)
	}
	return r.command(ctx, step.Command, note, next)
}

// asks are commands that are asked again until they say what is shown, or no more than that
// all is well: what they ask about takes its time.
var asks = regexp.MustCompile(`^onelease (status|lookup|cluster (status|members)|backend status) `)

func (r *Runner) command(ctx context.Context, command string, note Note, next expected) error {
	if r.Rewrite != nil {
		command = r.Rewrite(command)
	}
	command, err := r.address(ctx, command)
	if err != nil {
		return err
	}
	if goesOn.MatchString(command) {
		return r.start(ctx, command, note)
	}
	if err := r.settle(ctx); err != nil {
		return err
	}
	if addr, is := strings.CutPrefix(command, "nc "); is {
		r.printed, err = talk(ctx, strings.Replace(addr, " ", ":", 1), next.lines)
		return err
	}
	again, began := note.Again || asks.MatchString(command), time.Now()
	for {
		err = r.run(ctx, command, note)
		if err == nil && again {
			err = next.fits(r.printed)
		}
		if err == nil || !again || time.Since(began) > r.limit() {
			r.log("%5.1f s  %s", time.Since(began).Seconds(), command)
			return err
		}
		time.Sleep(pollInterval) // of real processes
	}
}

func (r *Runner) limit() time.Duration {
	if r.Limit > 0 {
		return r.Limit
	}
	return defaultLimit
}

func (r *Runner) log(format string, args ...any) {
	if r.Log != nil {
		r.Log(format, args...)
	}
}
