package frontend

import (
	"context"
	"log/slog"
	"strings"
	"sync"
)

// maxSeen bounds what is remembered of warnings.
const maxSeen = 64

// repeats is a slog.Handler that lets a warning through once: what is tried
// again and again fails again and again. It counts as the same if its text and
// its "err" are, but for digits, since they are often ports and times. Whatever
// comes at level Info or above Warn is news, after which warnings count anew.
type repeats struct {
	slog.Handler
	seen *seenWarnings // shared with handlers made by WithAttrs
}

type seenWarnings struct {
	mu    sync.Mutex
	texts map[string]bool
}

// newLogger is for one part of a frontend: what is news to one is not to others.
func newLogger(cfg *Config) *slog.Logger {
	return slog.New(newRepeats(cfg.Logger.Handler())).With("part", "frontend", "frontend", cfg.Name)
}

func newRepeats(h slog.Handler) repeats {
	return repeats{h, &seenWarnings{texts: make(map[string]bool)}}
}

// Handle implements slog.Handler.
func (h repeats) Handle(ctx context.Context, r slog.Record) error {
	if h.seen.repeated(r) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h repeats) WithAttrs(attrs []slog.Attr) slog.Handler {
	return repeats{h.Handler.WithAttrs(attrs), h.seen}
}

// WithGroup implements slog.Handler.
func (h repeats) WithGroup(name string) slog.Handler {
	return repeats{h.Handler.WithGroup(name), h.seen}
}

func (s *seenWarnings) repeated(r slog.Record) bool {
	if r.Level < slog.LevelInfo {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	text := warningText(r)
	if r.Level != slog.LevelWarn || len(s.texts) >= maxSeen {
		clear(s.texts)
	}
	if r.Level != slog.LevelWarn {
		return false
	}
	before := s.texts[text]
	s.texts[text] = true
	return before
}

func warningText(r slog.Record) string {
	text := r.Message
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "err" {
			text += "\x00" + a.Value.String()
		}
		return true
	})
	return strings.Map(func(c rune) rune {
		if c >= '0' && c <= '9' {
			return -1
		}
		return c
	}, text)
}

var _ slog.Handler = repeats{}
