// Package hlog has libraries of HashiCorp log to slog.
package hlog

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/hashicorp/go-hclog"
)

// New returns a logger that writes to l. An intercept logger that prints nothing
// itself leaves one method to write, in place of hclog's twenty.
func New(l *slog.Logger) hclog.Logger {
	intercept := hclog.NewInterceptLogger(&hclog.LoggerOptions{Level: hclog.Off, Output: io.Discard})
	intercept.RegisterSink(slogSink{l})
	return intercept
}

type slogSink struct{ logger *slog.Logger }

func (s slogSink) Accept(_ string, level hclog.Level, msg string, args ...any) {
	ctx, to := context.Background(), Level(level)
	if !s.logger.Enabled(ctx, to) {
		return
	}
	for i, arg := range args {
		if f, ok := arg.(hclog.Format); ok && len(f) > 0 {
			args[i] = fmt.Sprintf(fmt.Sprint(f[0]), f[1:]...)
		}
	}
	s.logger.Log(ctx, to, msg, args...)
}

// Level is the level of slog for one of hclog: Trace is Debug too.
func Level(level hclog.Level) slog.Level {
	switch level {
	case hclog.Error:
		return slog.LevelError
	case hclog.Warn:
		return slog.LevelWarn
	case hclog.Info:
		return slog.LevelInfo
	}
	return slog.LevelDebug
}

var _ hclog.SinkAdapter = slogSink{}
