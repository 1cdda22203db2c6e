// Package docs runs the commands that README.md and docs/ show, as they stand and in their
// order, with the program of this checkout. A page gets a machine of its own: network
// namespace, files, processes, so that the ports and paths that it names are free, and
// nothing of it stays.
//
//	steps, err := docs.Steps(page)              // commands, and what is shown of their output
//	runner := docs.Runner{Dir: dir, Plan: plan}
//	err = runner.Run(ctx, steps)
//
// What is in an indented block of a page is run, or compared with what the command before it
// has printed, or is named in the page's Plan with the reason why neither is done. There is
// no fourth: a page with a block that is none of these fails.
//
// It does not judge what commands do, beyond exit codes and what pages show: other tests do.
// Commands inside of sentences are not run; a test of cmd/onelease reads those.
package docs
