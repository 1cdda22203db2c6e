package main

import (
	"cmp"
	"fmt"
	"io"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// What a package is of; its build sets them (-X main.version=...). Otherwise what go build
// has noted of the module and the checkout counts.
var version, commit string

func versionCommand() *cobra.Command {
	var j jsonFlag
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version of this program",
		Long: `Version prints the program's version, the commit that it was built of, with which Go and
for what: say all of it in a report of a fault. Only packages and released modules have a version;
elsewhere it is "devel".`,
		Example: `  onelease version
  onelease version --json`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			info, _ := debug.ReadBuildInfo()
			return j.show(cmd, versionOf(info))
		},
	}
	j.add(cmd)
	return cmd
}

// A versionView is what the program is.
type versionView struct {
	Version string `json:"version"` // "devel" if it has none
	Commit  string `json:"commit"`  // "" if it is not known; ends in "-dirty" if there was more than the commit
	Go      string `json:"go"`
	System  string `json:"system"` // GOOS/GOARCH
}

// versionOf takes what the build set, and the rest from what go build has noted, which may
// be nil.
func versionOf(info *debug.BuildInfo) versionView {
	v := versionView{version, commit, runtime.Version(), runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		info = new(debug.BuildInfo)
	}
	settings := make(map[string]string)
	for _, s := range info.Settings {
		settings[s.Key] = s.Value
	}
	if v.Commit == "" {
		v.Commit = settings["vcs.revision"]
		if v.Commit != "" && settings["vcs.modified"] == "true" {
			v.Commit += "-dirty"
		}
	}
	module := info.Main.Version
	if module == "(devel)" {
		module = ""
	}
	v.Version = cmp.Or(v.Version, module, "devel")
	return v
}

func (v versionView) text(w io.Writer) {
	fmt.Fprintf(w, "onelease %s\ncommit %s\n%s %s\n", v.Version, cmp.Or(v.Commit, "not known"), v.Go, v.System)
}

var _ view = versionView{}
