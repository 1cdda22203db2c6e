package cluster_test

import (
	"context"
	"log/slog"
)

// An observer is the log of the frontends and the backend: it notes what became
// of each LeaseSet, and passes the rest on.
type observer struct {
	slog.Handler
	history  *history
	frontend string
}

// Enabled implements slog.Handler.
func (o observer) Enabled(context.Context, slog.Level) bool { return true }

// Handle implements slog.Handler.
func (o observer) Handle(ctx context.Context, r slog.Record) error {
	switch r.Message {
	case "LeaseSet taken", "LeaseSet refused":
		o.note(r)
	}
	if r.Level < slog.LevelInfo {
		return nil
	}
	return o.Handler.Handle(ctx, r)
}

func (o observer) note(r slog.Record) {
	noted := offer{at: r.Time, frontend: o.frontend, refused: r.Message == "LeaseSet refused"}
	r.Attrs(func(a slog.Attr) bool {
		switch a.Key {
		case "generation":
			noted.place.Generation = a.Value.Uint64()
		case "term":
			noted.place.Term = a.Value.Uint64()
		case "seq":
			noted.place.Seq = a.Value.Uint64()
		case "merged":
			noted.merged = a.Value.Bool()
		case "published":
			noted.published = a.Value.Int64()
		}
		return true
	})
	o.history.addOffer(noted)
}

// WithAttrs implements slog.Handler.
func (o observer) WithAttrs(attrs []slog.Attr) slog.Handler {
	for _, a := range attrs {
		if a.Key == "frontend" {
			o.frontend = a.Value.String()
		}
	}
	o.Handler = o.Handler.WithAttrs(attrs)
	return o
}

// WithGroup implements slog.Handler.
func (o observer) WithGroup(name string) slog.Handler {
	o.Handler = o.Handler.WithGroup(name)
	return o
}

var _ slog.Handler = observer{}
