package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/strict"
)

func configCheckCommand() *cobra.Command {
	var asked string
	var out jsonFlag
	cmd := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say what is wrong in files of settings, and where",
		Long: `Check reads files as their roles would, and says of each whether it could be used. What is
wrong is named with the line and the key, and what to do. It starts nothing, and connects to
nothing.

A file whose name begins with its role, as sam.toml or backend-2.toml, is checked for that
one, any other for --role.

Exit codes: 0 all of them are good; 2 one is not, or it was wrong use.`,
		Example: `  onelease config check /etc/onelease/sam.toml /etc/onelease/backend.toml
  onelease config check --role sam bridge.toml --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return wrongUse(cmd, errors.New("no file given"))
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&asked, "role", "", "`role` of the files, if their names do not say it")
	out.add(cmd)
	cmd.RunE = func(cmd *cobra.Command, files []string) error {
		view := configView{}
		for _, path := range files {
			checked, err := checkFile(path, asked)
			if err != nil {
				return wrongUse(cmd, err)
			}
			view = append(view, checked)
		}
		if err := out.show(cmd, view); err != nil {
			return err
		}
		return view.verdict()
	}
	return cmd
}

// A configView is what a check of files has found.
type configView []fileView

type fileView struct {
	File     string        `json:"file"`
	Role     string        `json:"role"`
	OK       bool          `json:"ok"`
	Problems []problemView `json:"problems"`
}

type problemView struct {
	Line  int    `json:"line,omitempty"`
	Key   string `json:"key,omitempty"`
	Error string `json:"error"`
}

func (v configView) text(w io.Writer) {
	for _, f := range v {
		if f.OK {
			fmt.Fprintf(w, "%s: ok, for onelease %s\n", f.File, f.Role)
		}
		for _, p := range f.Problems {
			fmt.Fprintf(w, "%s: %s\n", f.File, p.Error)
		}
	}
}

// verdict is an error if a file is not good.
func (v configView) verdict() error {
	bad := 0
	for _, f := range v {
		if !f.OK {
			bad++
		}
	}
	if bad == 0 {
		return nil
	}
	return usageError{fmt.Errorf("%s of %d cannot be used as it is", counted(uint32(bad), "file"), len(v))}
}

// checkFile finds what is wrong in a file. An error is of the role.
func checkFile(path, asked string) (fileView, error) {
	r, err := roleOf(path)
	if asked != "" {
		r, err = roleCalled(asked)
	}
	if _, missing := os.Stat(path); err != nil && missing != nil {
		err = missing
	}
	if err != nil {
		return fileView{}, err
	}
	config := r.empty()
	doc, err := strict.ReadFile(path, config)
	if err == nil {
		err = doc.Locate(r.check(config))
	}
	found := problemsOf(err)
	return fileView{path, r.name, len(found) == 0, found}, nil
}

// problemsOf lists what is wrong.
func problemsOf(err error) []problemView {
	views := []problemView{}
	var all strict.Problems
	var one *strict.Problem
	switch {
	case err == nil:
	case errors.As(err, &one) && !errors.As(err, &all):
		// The role's name in front of it says nothing here.
		views = append(views, problemView{one.Line, one.Key, one.Error()})
	case errors.As(err, &all):
		for _, p := range all {
			views = append(views, problemView{p.Line, p.Key, p.Error()})
		}
	default:
		views = append(views, problemView{Error: err.Error()})
	}
	return views
}
