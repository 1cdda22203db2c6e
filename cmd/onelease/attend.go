package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/admin"
	"github.com/onelease/onelease/internal/notify"
)

// attend is for whoever runs the node, from when it has all that it needs to run: reload,
// which is of what, is called on each SIGHUP, and the service manager, if there is one, is
// told how the node is, and when ctx ends that it ends. stop has it done with.
func attend(ctx context.Context, source admin.Source, what string, reload func() error, log *slog.Logger) (stop func()) {
	return attendDraining(ctx, source, what, reload, log, 0)
}

// drainSlack is what the end may take longer than a drain.
const drainSlack = time.Minute

// attendDraining is attend for who may drain that long when ctx ends.
func attendDraining(ctx context.Context, source admin.Source, what string, reload func() error, log *slog.Logger, limit backend.Duration) (stop func()) {
	manager, err := notify.FromEnv(log)
	if err != nil {
		log.Error("the service manager is told nothing", "error", err)
	}
	var last time.Duration
	if limit > 0 {
		last = time.Duration(limit) + drainSlack
	}
	deaf := reloadOnHangup(what, func() error { return manager.Reload(reload) }, log)
	unwatch := manager.Watch(admin.Lines(source))
	told := make(chan struct{})
	alive := context.AfterFunc(ctx, func() { manager.Ending(last); close(told) })
	return func() {
		if !alive() {
			<-told // or the process could be gone before
		}
		unwatch()
		deaf()
	}
}

// reloadOnHangup has reload, which is of what, called on each SIGHUP until the
// returned function is.
func reloadOnHangup(what string, reload func() error, log *slog.Logger) (stop func()) {
	hangups := make(chan os.Signal, 1)
	done := make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		for {
			select {
			case <-hangups:
			case <-done:
				return
			}
			if err := reload(); err != nil {
				log.Error(what+" not read again", "error", err)
				continue
			}
			log.Info(what + " read again")
		}
	}()
	return func() { signal.Stop(hangups); close(done) }
}
