package catalog

import (
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"time"
)

// Errors; what wraps them names the file and what to do.
var (
	// ErrNotFound says that there is no plugin of that name.
	ErrNotFound = errors.New("no such plugin")
	// ErrUnsafe says that somebody else could change what would be run.
	ErrUnsafe = errors.New("not safe to run plugins from")
	// ErrChecksum says that a program is not the one that was registered.
	ErrChecksum = errors.New("checksum does not match")
	// ErrInvalid says that an Entry or the file of the catalog cannot be.
	ErrInvalid = errors.New("catalog")
)

// An Entry is one plugin of a catalog.
type Entry struct {
	// Name is what the operator calls it: up to 64 of a-z, 0-9, dot, dash and
	// underscore, beginning with a letter or digit.
	Name string `toml:"name"`
	// File is the program's name in the directory. Add sets it.
	File string `toml:"file"`
	// SHA256 is the program's checksum in hexadecimal. Add sets it, or if it is given
	// refuses another program.
	SHA256 string `toml:"sha256"`
	// Version is the plugin's own (Description.version), to be shown.
	Version string `toml:"version,omitempty"`
	// Added is when. Add sets it.
	Added time.Time `toml:"added"`
	// NoTLS leaves mutual TLS out between the plugin and its host. Their socket
	// is in a directory that nobody else may enter either way.
	NoTLS bool `toml:"no_tls,omitempty"`
	// Settings is the path of the plugin's settings, a TOML file; relative to the
	// directory, or absolute. Empty: there are none.
	Settings string `toml:"settings,omitempty"`
	// Limits are what the plugin may take up.
	Limits Limits `toml:"limits,omitempty"`
}

// Limits are what one process of a plugin may take up. Zero is no limit of ours, but
// for Streams. They are the kernel's resource limits (setrlimit), set when the process
// has been made and before its service runs. A process that it starts has the
// same ones, each for itself: memory and open files are not shared out.
type Limits struct {
	// MemoryMiB bounds what it allocates (RLIMIT_DATA), in MiB; 128 is
	// little for a program in Go. One that is in Go is told to collect its
	// garbage before (GOMEMLIMIT). Files that it maps do not count.
	MemoryMiB int `toml:"memory_mib,omitempty"`
	// OpenFiles bounds its open files and connections (RLIMIT_NOFILE). Each stream
	// is one.
	OpenFiles int `toml:"open_files,omitempty"`
	// Processes bounds processes and threads (RLIMIT_NPROC). The kernel counts all of
	// the user and not those of the plugin, so this is of use only where
	// Onelease has a user of its own, and root is not held to it.
	Processes int `toml:"processes,omitempty"`
	// Streams bounds connections between the plugin and its host at once: streams
	// and ports for datagrams. 0 is 4,096.
	Streams int `toml:"streams,omitempty"`
}

// Check says what is wrong with l. Its errors are ErrInvalid.
func (l Limits) Check() error {
	for _, f := range []struct {
		name       string
		value, min int
	}{{"memory_mib", l.MemoryMiB, 16}, {"open_files", l.OpenFiles, 16}, {"processes", l.Processes, 8}, {"streams", l.Streams, 1}} {
		if f.value != 0 && f.value < f.min {
			return fmt.Errorf("%w: limit %s is %d: want at least %d, or 0 for none", ErrInvalid, f.name, f.value, f.min)
		}
	}
	return nil
}

var (
	goodName = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	// goodFile is also what sweep takes for a program of ours.
	goodFile = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}-[0-9a-f]{16}\.plugin$`)
)

// CheckName says what is wrong with the name of a plugin. Its errors are ErrInvalid.
func CheckName(name string) error {
	if !goodName.MatchString(name) {
		return fmt.Errorf("%w: plugin name %.80q: want up to 64 of a-z, 0-9, dot, dash, underscore, a letter or digit first", ErrInvalid, name)
	}
	return nil
}

// check says what is wrong with an entry that was read.
func (e Entry) check() error {
	if err := CheckName(e.Name); err != nil {
		return err
	}
	if !goodFile.MatchString(e.File) {
		return fmt.Errorf("%w: plugin %s: file %.80q is not one that was registered", ErrInvalid, e.Name, e.File)
	}
	if sum, err := hex.DecodeString(e.SHA256); err != nil || len(sum) != 32 {
		return fmt.Errorf("%w: plugin %s: sha256 %.80q, want 64 hexadecimal digits", ErrInvalid, e.Name, e.SHA256)
	}
	if e.Settings != "" && !filepath.IsAbs(e.Settings) && !filepath.IsLocal(e.Settings) {
		return fmt.Errorf("%w: plugin %s: settings %q lead out of the catalog: use an absolute path", ErrInvalid, e.Name, e.Settings)
	}
	if err := e.Limits.Check(); err != nil {
		return fmt.Errorf("plugin %s: %w", e.Name, err)
	}
	return nil
}
