package plugin

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/hashicorp/go-hclog"

	"github.com/onelease/onelease/internal/hlog"
)

// maxAttrs is how many attributes of a line are kept.
const maxAttrs = 32

// A logLine is a line of a plugin's log.
type logLine struct {
	level slog.Level
	text  string
	attrs []slog.Attr
}

// parseLine reads a line as hclog writes it in JSON, or takes it as plain text, which
// is Info: many languages write all to standard error. A line that was cut is no
// JSON any more.
func parseLine(line []byte, cut int) logLine {
	if cut == 0 && len(line) > 0 && line[0] == '{' {
		if l, ok := parseJSON(line); ok {
			return l
		}
	}
	text := strings.ToValidUTF8(string(line), "?")
	if cut > 0 {
		text = fmt.Sprintf("%s... (%d bytes more)", text, cut)
	}
	return logLine{level: plainLevel(text), text: text}
}

func parseJSON(line []byte) (logLine, bool) {
	var fields map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	if d.Decode(&fields) != nil {
		return logLine{}, false
	}
	text, isText := fields["@message"].(string)
	name, _ := fields["@level"].(string)
	level := hclog.LevelFromString(name)
	if !isText || level == hclog.NoLevel {
		return logLine{}, false
	}
	return logLine{hlog.Level(level), text, attrsOf(fields)}, true
}

// attrsOf are the fields that are not hclog's own, in the order of their names: a line
// has lost theirs.
func attrsOf(fields map[string]any) []slog.Attr {
	var attrs []slog.Attr
	for key, value := range fields {
		if key == "@module" {
			key = "module"
		}
		if !strings.HasPrefix(key, "@") && key != "service" {
			attrs = append(attrs, slog.Any(key, plain(value)))
		}
	}
	slices.SortFunc(attrs, func(a, b slog.Attr) int { return strings.Compare(a.Key, b.Key) })
	return attrs[:min(len(attrs), maxAttrs)]
}

func plain(value any) any {
	switch v := value.(type) {
	case string, bool:
		return v
	case json.Number:
		return v.String()
	}
	b, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(b)
}

// plainLevel is the level of a line without one. What Go prints when it dies is an error.
func plainLevel(text string) slog.Level {
	for prefix, level := range map[string]slog.Level{
		"[TRACE]": slog.LevelDebug, "[DEBUG]": slog.LevelDebug, "[WARN]": slog.LevelWarn, "[ERROR]": slog.LevelError,
		"panic: ": slog.LevelError, "fatal error: ": slog.LevelError,
	} {
		if strings.HasPrefix(text, prefix) {
			return level
		}
	}
	return slog.LevelInfo
}

// shorten is text of at most n bytes, for errors.
func shorten(text string, n int) string {
	text = strings.TrimSpace(strings.ToValidUTF8(text, "?"))
	if len(text) <= n {
		return text
	}
	for n > 0 && !utf8.RuneStart(text[n]) {
		n--
	}
	return text[:n] + "..."
}

// throttle is how long a reader of so many bytes is to pause, if they are of a flood.
func throttle(bytes int) time.Duration {
	return time.Duration(bytes) * time.Second / floodRate
}
