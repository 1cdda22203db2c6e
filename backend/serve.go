package backend

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/onelease/onelease/internal/pluginwire"
)

// Serve is the whole main of a plugin: a program of its own that holds a service.
//
//	func main() { backend.Serve(&site.Service{}) }
//
// When Onelease has started it, it runs service with a Node that reaches Onelease's
// Host (docs/plugin-protocol.md), until that tells it to drain or goes away; then it
// exits. When a person has started it, it says what it is and how to register it;
// --version prints its name and version. It does not return: the exit code is 0, or 1 if
// the service failed, or 2 for arguments that it does not know.
//
// If service is a pointer to a struct, its exported fields are its settings (see
// Settings) and are set from the TOML of the plugin's operator before service.Serve is
// called. A key that is not there is an error, and so is any key if service is
// not such a pointer.
//
// The Node is as a Host in process is, with these differences: connections are
// another type than *streaming.Stream, with the same methods of net.Conn and CloseWrite
// and Reset; WriteTo of a port for datagrams does not tell that the Host could not
// send one (that is counted, and logged at debug level). When Drain's limit has passed,
// or Onelease has gone, what is still open is reset and the program exits, whether
// service.Serve has returned or not.
//
// What service writes to os.Stdout and os.Stderr is logged too. A panic ends the
// program, and Onelease logs its stack and starts the plugin again.
func Serve(service Service, options ...ServeOption) {
	s := newPluginProgram(service, options)
	if os.Getenv(pluginwire.CookieKey) == pluginwire.Cookie {
		os.Exit(s.runPlugin())
	}
	os.Exit(s.introduce(os.Args[1:], os.Stdout, os.Stderr))
}

// A ServeOption says something about a plugin that Serve cannot find out.
type ServeOption func(*pluginProgram)

// ServeName is what the plugin calls itself, in place of the name of its main package.
func ServeName(name string) ServeOption { return func(s *pluginProgram) { s.name = name } }

// ServeVersion is the plugin's version, of any form, in place of what the Go tool has
// noted in the program: the module's version, or the commit that it was built from.
func ServeVersion(version string) ServeOption { return func(s *pluginProgram) { s.version = version } }

// A pluginProgram is a service that is a program of its own.
type pluginProgram struct {
	service       Service
	name, version string
	program       string // its path
}

func newPluginProgram(service Service, options []ServeOption) *pluginProgram {
	s := &pluginProgram{service: service, program: os.Args[0]}
	if path, err := os.Executable(); err == nil {
		s.program = path
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		info = &debug.BuildInfo{}
	}
	s.name, s.version = nameOf(info, s.program), versionOf(info)
	for _, option := range options {
		option(s)
	}
	return s
}

// nameOf is the last part of the main package's path, without a major version.
func nameOf(info *debug.BuildInfo, program string) string {
	parts := strings.Split(info.Path, "/")
	last := parts[len(parts)-1]
	if len(parts) > 1 && len(last) > 1 && last[0] == 'v' && strings.Trim(last[1:], "0123456789") == "" {
		last = parts[len(parts)-2]
	}
	if last == "" || last == "command-line-arguments" {
		return filepath.Base(program)
	}
	return last
}

// versionOf is the main module's version, or the commit, or "devel".
func versionOf(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	version := "devel"
	for _, setting := range info.Settings {
		switch {
		case setting.Key == "vcs.revision" && len(setting.Value) >= 12:
			version += "-" + setting.Value[:12]
		case setting.Key == "vcs.modified" && setting.Value == "true":
			version += "+dirty"
		}
	}
	return version
}

// introduce is what a person gets who starts the program.
func (s *pluginProgram) introduce(args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && (args[0] == "--version" || args[0] == "-version") {
		fmt.Fprintln(stdout, s.name, s.version)
		return 0
	}
	help := len(args) == 1 && (args[0] == "--help" || args[0] == "-help" || args[0] == "-h")
	if len(args) > 0 && !help {
		fmt.Fprintf(stderr, "%s: unknown argument %q: it is a plugin, its settings are in a file; see --help\n", s.name, args[0])
		return 2
	}
	example, err := s.settingsExample()
	if err != nil {
		fmt.Fprintf(stderr, "%s: %v\n", s.name, err)
		return 1
	}
	fmt.Fprintf(stdout, introduction, s.name, s.version, s.program)
	if example == "" {
		fmt.Fprintln(stdout, "\nIt has no settings.")
		return 0
	}
	fmt.Fprintf(stdout, "\nIts settings go into a file, with --settings FILE. All of them, with their defaults:\n\n%s", indent(example))
	return 0
}

const introduction = `%s %s is a plugin of Onelease: a service for an I2P Destination.
It does nothing by itself. Onelease starts it, once it is registered:

    onelease plugin add %s
`

func indent(text string) string {
	return "    " + strings.ReplaceAll(strings.TrimSuffix(text, "\n"), "\n", "\n    ") + "\n"
}
