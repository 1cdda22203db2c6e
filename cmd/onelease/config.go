package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/strict"
)

func configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check files of settings, and print examples of them",
		Long: `Config is about the files that --config of the roles names: ` + strings.Join(roleNames(), ", ") + `.
Their keys are the names of the commands' flags, which come on top. docs/configuration.md
lists them.`,
		Example: `  onelease config example sam > sam.toml
  onelease config check sam.toml`,
	}
	return group(cmd, configCheckCommand(), configExampleCommand())
}

func configExampleCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "example ROLE",
		Short: "Print a file with all keys of a role, each with its comment",
		Long: `Example prints a file for one of the roles: ` + strings.Join(roleNames(), ", ") + `. All keys
are in it. What may be left out is commented out, with its default or an example.`,
		Example: `  onelease config example backend > backend.toml
  onelease config example sam | less`,
		Args: oneArg("role"),
		RunE: func(cmd *cobra.Command, args []string) error {
			r, err := roleCalled(args[0])
			if err != nil {
				return wrongUse(cmd, err)
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), r.example())
			return err
		},
	}
}

// example is a file with all keys.
func (r *role) example() string {
	return fmt.Sprintf(`# Settings of onelease %s: %s.
#   onelease %s --config FILE
#   onelease config check --role %s FILE
# Keys are the names of flags, which come on top. Lines that are commented out may be left out.
# Paths are relative to this file, durations have units: "30s", "5m", "1h30m".
`, r.name, r.short, r.name, r.name) + strict.Example(strict.Keys(r.empty()))
}
