package main

import (
	"fmt"
	"os"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/internal/manpage"
)

// envEpoch has the seconds since 1970 that what is built is dated by, as
// https://reproducible-builds.org/specs/source-date-epoch/ says.
const envEpoch = "SOURCE_DATE_EPOCH"

// manCommand is for who makes packages, and not in the help.
func manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man DIR",
		Short: "Write man pages of all commands into a directory",
		Long: `Man writes a page for each command into a directory that is there: onelease.1,
onelease-sam.1 and so on. They say what --help says. Their date is that of ` + envEpoch + `,
in seconds since 1970, if that is set.`,
		Example: `  onelease man /usr/local/share/man/man1`,
		Hidden:  true,
		Args:    oneArg("directory"),
		RunE: func(cmd *cobra.Command, args []string) error {
			date, err := sourceDate()
			if err != nil {
				return wrongUse(cmd, err)
			}
			info, _ := debug.ReadBuildInfo()
			return manpage.Write(args[0], cmd.Root(), manpage.Header{Date: date, Source: "Onelease " + versionOf(info).Version})
		},
	}
}

// sourceDate is that of envEpoch, or now.
func sourceDate() (time.Time, error) {
	text, is := os.LookupEnv(envEpoch)
	if !is {
		return time.Now().UTC(), nil
	}
	seconds, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("%s is %q: want seconds since 1970", envEpoch, text)
	}
	return time.Unix(seconds, 0).UTC(), nil
}
