package backend

import (
	"io"
	"log/slog"
	"strings"
)

// newPluginLog is a log of JSON lines as hclog writes them, which Onelease reads back
// into levels and attributes.
func newPluginLog(w io.Writer, level slog.Leveler) *slog.Logger {
	return slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level, ReplaceAttr: asHclog}))
}

// asHclog gives what slog adds to each line the names that hclog has for it.
func asHclog(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		if a.Value.Kind() == slog.KindTime {
			return slog.String("@timestamp", a.Value.Time().Format("2006-01-02T15:04:05.000000Z07:00"))
		}
	case slog.MessageKey:
		a.Key = "@message"
	case slog.LevelKey:
		if level, ok := a.Value.Any().(slog.Level); ok {
			return slog.String("@level", levelName(level))
		}
	}
	return a
}

// levelName is hclog's word for a level: it has none between slog's, and one below.
func levelName(level slog.Level) string {
	if level < slog.LevelDebug {
		return "trace"
	}
	name, _, _ := strings.Cut(level.String(), "+")
	return strings.ToLower(name)
}
