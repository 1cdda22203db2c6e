package doctor

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A Space is the room in a file system.
type Space struct {
	// Free is in bytes, for who is not root.
	Free uint64
	// Inodes are those that are free; NoInodes says that the file system does not count
	// them.
	Inodes   uint64
	NoInodes bool
}

const (
	diskFull = 16 << 20  // bytes: a snapshot of raft, and some log
	diskLow  = 256 << 20 // bytes

	// soon is how long before something runs out it is said.
	soon = 30 * 24 * time.Hour
)

// files checks those that do not belong to a node.
func (r *run) files() {
	for _, path := range r.cfg.Keys {
		r.start(checkKeys, path, func(context.Context) []Result { return keyFile(path) })
	}
	for _, path := range slices.Concat(r.cfg.Keys, r.cfg.Secrets) {
		r.start(checkFiles, path, func(context.Context) []Result { return secretFile(path) })
	}
	for _, path := range r.cfg.Certificates {
		r.start(checkCertificate, path, func(context.Context) []Result { return serverCertificate(path) })
	}
	for _, dir := range r.directories() {
		r.start(checkDisk, dir, func(context.Context) []Result { return r.disk(dir) })
	}
}

// directories are those in which something is or may be written.
func (r *run) directories() (dirs []string) {
	for _, dir := range []string{r.cfg.Dir, r.cfg.Site} {
		if dir != "" {
			dirs = append(dirs, filepath.Clean(dir))
		}
	}
	for _, path := range slices.Concat(r.cfg.Keys, r.cfg.Secrets) {
		if dir := filepath.Dir(path); !slices.Contains(dirs, dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// keyFile reads the file, of which nothing but public parts is reported.
func keyFile(path string) []Result {
	keys, err := i2p.ReadKeyFile(path)
	if pathErr := new(fs.PathError); errors.As(err, &pathErr) {
		return bad("keys-unreadable", path, pathErr.Err.Error())
	}
	if err != nil {
		return bad("keys-malformed", path, err.Error())
	}
	found := fmt.Sprintf("%s, %v", keys.Destination.Base32(), keys.Destination.SigType())
	if keys.Offline == nil {
		return good(checkKeys, path, found)
	}
	found += ", offline signature until " + date(keys.Offline.Expires)
	switch left := time.Until(keys.Offline.Expires); {
	case left <= 0:
		return bad("keys-expired", path, found)
	case left < soon:
		return bad("keys-expiring", path, found)
	}
	return good(checkKeys, path, found)
}

// secretFile looks at the file's mode. A file that is not there is nobody's secret: who
// needs it says so.
func secretFile(path string) []Result {
	info, err := os.Stat(path)
	if err != nil {
		return unknown(checkFiles, path, err.Error())
	}
	if runtime.GOOS == "windows" {
		return unknown(checkFiles, path, "the mode says nothing on this system")
	}
	mode := info.Mode().Perm()
	if mode&0o077 != 0 {
		return bad("file-open", path, fmt.Sprintf("its mode is %04o", mode))
	}
	return good(checkFiles, path, fmt.Sprintf("mode %04o", mode))
}

// serverCertificate is the first of the file, which is the server's own.
func serverCertificate(path string) []Result {
	text, err := os.ReadFile(path)
	if err != nil {
		return bad("certificate-unusable", path, err.Error())
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return bad("certificate-unusable", path, "it does not begin with a certificate in PEM")
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return bad("certificate-unusable", path, err.Error())
	}
	return validity(path, cert.NotBefore, cert.NotAfter)
}

// validity judges a certificate by when it is good.
func validity(on string, from, until time.Time) []Result {
	now := time.Now()
	switch {
	case now.After(until):
		return bad("certificate-expired", on, "it ran out on "+date(until))
	case now.Before(from):
		return bad("certificate-early", on, "it is good from "+date(from)+" on, and here it is "+date(now))
	case until.Sub(now) < soon:
		return bad("certificate-expiring", on, "it runs out on "+date(until))
	}
	return good(checkCertificate, on, "good until "+date(until))
}

func (r *run) disk(dir string) []Result {
	s, err := r.cfg.Space(dir)
	if err != nil {
		return unknown(checkDisk, dir, err.Error())
	}
	found := fmt.Sprintf("%d MiB free", s.Free>>20)
	switch {
	case s.Free < diskFull:
		return bad("disk-full", dir, found)
	case s.Inodes == 0 && !s.NoInodes:
		return bad("disk-full", dir, "no inode is free: there are too many files")
	case s.Free < diskLow:
		return bad("disk-low", dir, found)
	}
	return good(checkDisk, dir, found)
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }
