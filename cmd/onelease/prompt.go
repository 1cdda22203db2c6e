package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"
)

var errInterrupted = errors.New("interrupted")

// prompt asks at the terminal and shows nothing of what is typed. Ctrl-C ends
// it: the read goes on, but the process ends.
func prompt(cmd *cobra.Command, question string) ([]byte, error) {
	fd := int(os.Stdin.Fd())
	before, err := term.GetState(fd)
	if err != nil {
		return nil, fmt.Errorf("ask at the terminal: %w", err)
	}
	fmt.Fprint(cmd.ErrOrStderr(), question)
	defer fmt.Fprintln(cmd.ErrOrStderr())
	type answer struct {
		text []byte
		err  error
	}
	answered := make(chan answer, 1)
	go func() {
		text, err := term.ReadPassword(fd)
		answered <- answer{text, err}
	}()
	select {
	case a := <-answered:
		if a.err != nil {
			return nil, fmt.Errorf("read from the terminal: %w", a.err)
		}
		return a.text, nil
	case <-cmd.Context().Done():
		return nil, errors.Join(errInterrupted, term.Restore(fd, before))
	}
}
