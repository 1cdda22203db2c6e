// Package site is a service that serves the files of a directory over HTTP.
//
//	err := backend.Run(ctx, host, &site.Service{Root: "public"})
//
// Nothing outside of Root is served, whatever a path or a symbolic link says (see
// os.Root), nor is a file whose name begins with a dot, but for what is in
// /.well-known. Root is opened anew for each request, so a new version of a site
// can take its place by a rename.
//
// Responses do not say when a file was changed, when they were sent or by which
// software, since that tells hosts and their owners apart, and would be different
// on each of several hosts of one Destination. What a browser has is compared by a
// hash of the content (ETag).
//
// It is for files that do not change by themselves. For pages that a program makes
// see package proxy.
package site

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/onelease/onelease/backend"
)

// Service serves one directory. Root must be set.
type Service struct {
	Root      string           `toml:"root" comment:"directory with the files; must be set"`
	Port      uint16           `toml:"port" comment:"I2P port; 0 gets what comes to any port that is not open by itself, such as 80"`
	Index     []string         `toml:"index" comment:"files that stand for their directory, the first that is there"`
	List      bool             `toml:"list" comment:"list directories that have no index"`
	Hidden    bool             `toml:"hidden" comment:"serve files whose names begin with a dot too"`
	NotFound  string           `toml:"not-found" comment:"page in root for what is not found, if it is there"`
	MaxAge    backend.Duration `toml:"max-age" comment:"how long browsers use a file without asking again; asking takes seconds over I2P"`
	CSP       string           `toml:"content-security-policy" comment:"what pages may load, for browsers to enforce; none sends no policy"`
	NoGzip    bool             `toml:"no-gzip" comment:"do not compress text; files with .br or .gz beside them are used all the same"`
	MinToGzip backend.Size     `toml:"min-to-gzip" comment:"text that is shorter is not compressed"`
}

// defaultCSP keeps pages from loading anything from elsewhere, which would show
// the elsewhere who reads the site, and from being framed. Scripts and styles within
// pages are the author's own.
const defaultCSP = "default-src 'self' 'unsafe-inline' data: blob:; frame-ancestors 'self'"

// noCSP as Service.CSP sends none.
const noCSP = "none"

// SetDefaults implements backend.Settings.
func (s *Service) SetDefaults() {
	if len(s.Index) == 0 {
		s.Index = []string{"index.html"}
	}
	if s.NotFound == "" {
		s.NotFound = "404.html"
	}
	if s.MaxAge == 0 {
		s.MaxAge = backend.Duration(5 * time.Minute)
	}
	if s.CSP == "" {
		s.CSP = defaultCSP
	}
	if s.MinToGzip == 0 {
		s.MinToGzip = 1 << 10 // less fits into one packet of a stream anyway
	}
}

// Check implements backend.Settings.
func (s *Service) Check() error {
	if err := s.check(); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	return nil
}

func (s *Service) check() error {
	if s.Root == "" {
		return errors.New("setting root is empty: set it to the directory with the site's files")
	}
	info, err := os.Stat(s.Root)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return fmt.Errorf("setting root: there is no directory %q: make it, or set root to the directory with the site's files", s.Root)
	case err != nil:
		return fmt.Errorf("setting root: %w: the directory and those above it must be readable for the user that runs this", err)
	case !info.IsDir():
		return fmt.Errorf("setting root: %q is a file: set root to the directory that it is in", s.Root)
	}
	for _, name := range s.Index {
		if name == "" || strings.ContainsAny(name, `/\`) {
			return fmt.Errorf("setting index: %q is not the name of a file: name files without directories, such as index.html", name)
		}
	}
	if err := s.MaxAge.Check(); err != nil {
		return fmt.Errorf("setting max-age: %w", err)
	}
	if s.MinToGzip < 0 {
		return errors.New("setting min-to-gzip is negative: leave it out to get the default")
	}
	if strings.ContainsAny(s.CSP, "\r\n") {
		return errors.New("setting content-security-policy has a line break: write it on one line")
	}
	return nil
}

// Serve serves until ctx ends; see backend.HTTP for how that goes. It fails if Check
// does, or the port cannot be opened.
func (s *Service) Serve(ctx context.Context, node backend.Node) error {
	if err := s.Check(); err != nil {
		return err
	}
	log := node.Logger().With("service", "site")
	if err := backend.HTTP(s.Port, newHandler(*s, log)).Serve(ctx, node); err != nil {
		return fmt.Errorf("site: %w", err)
	}
	return nil
}

var (
	_ backend.Settings = (*Service)(nil)
	_ http.Handler     = (*handler)(nil)
)
