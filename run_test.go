package onelease_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/simnet"
)

// runOnce runs a service that notes its Destination and ends at once.
func (w *world) runOnce(cfg onelease.Config) (dest i2p.Destination, err error) {
	cfg.Service = backend.ServiceFunc(func(_ context.Context, node backend.Node) error {
		dest = node.Destination()
		return nil
	})
	return dest, onelease.Run(w.ctx, cfg)
}

// embedded has the world's routers be as those of test/embedded.
func embeddedRouters(cfg onelease.Config) onelease.Config {
	for i := range cfg.Routers {
		cfg.Routers[i].Embedded = true
	}
	cfg.Dir, cfg.Keys = "", nil
	return cfg
}

func TestKeysAreKept(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD258, func(w *world) {
		cfg := w.config()
		cfg.Keys = nil
		first, err := w.runOnce(cfg)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(cfg.Dir, "destination.dat")
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("key file: %v, %v", info.Mode(), err)
		}
		if !strings.Contains(w.log.String(), first.Base32()) {
			t.Errorf("the log does not say %s", first.Base32())
		}
		if again, err := w.runOnce(cfg); err != nil || again != first {
			t.Errorf("at the next start it is %s, %v; want %s", again.Base32(), err, first.Base32())
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
		if _, err := w.runOnce(cfg); !errors.Is(err, onelease.ErrConfig) || !strings.Contains(err.Error(), "destination.dat") {
			t.Errorf("without its keys: %v", err)
		}
		if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("other keys were made: %v", err)
		}
	})
}

func TestTemporary(t *testing.T) {
	tmp := t.TempDir()
	t.Setenv("TMPDIR", tmp)
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD258, func(w *world) {
		first, err := w.runOnce(embeddedRouters(w.config()))
		second, err2 := w.runOnce(embeddedRouters(w.config()))
		if err != nil || err2 != nil || first == second || first.IsZero() {
			t.Errorf("two Destinations %s, %s; %v, %v", first.Base32(), second.Base32(), err, err2)
		}
	})
	if left, err := os.ReadDir(tmp); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// TestRunEnds has Run end with ctx, and give the service time for its last words;
// with the service's error; and without a service that does not end.
func TestRunEnds(t *testing.T) {
	broken := errors.New("no disk space")
	for _, test := range []struct {
		name  string
		serve func(ctx context.Context, over <-chan struct{}) error // over: Run has returned
		want  error
		after time.Duration
	}{
		{"at once", func(ctx context.Context, _ <-chan struct{}) error { <-ctx.Done(); return ctx.Err() }, nil, time.Minute},
		{"last words", func(ctx context.Context, _ <-chan struct{}) error {
			<-ctx.Done()
			time.Sleep(20 * time.Second)
			return nil
		}, nil, 80 * time.Second},
		{"done", func(context.Context, <-chan struct{}) error { return nil }, nil, 0},
		{"broken", func(context.Context, <-chan struct{}) error { return broken }, broken, 0},
		{"deaf", func(_ context.Context, over <-chan struct{}) error { <-over; return nil }, onelease.ErrPatience, 105 * time.Second},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD258, func(w *world) {
				over := make(chan struct{})
				defer close(over)
				cfg := embeddedRouters(w.config())
				cfg.Service = backend.ServiceFunc(func(ctx context.Context, _ backend.Node) error { return test.serve(ctx, over) })
				ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
				defer cancel()
				began := time.Now()
				err := onelease.Run(ctx, cfg)
				if !errors.Is(err, test.want) || err != nil && test.want == nil {
					t.Errorf("error %v, want %v", err, test.want)
				}
				if took := time.Since(began); took < test.after || took > test.after+20*time.Second {
					t.Errorf("it took %v, want about %v", took, test.after)
				}
			})
		})
	}
}

// TestPatienceIsTold: a service knows how long it may take.
func TestPatienceIsTold(t *testing.T) {
	for patience, want := range map[time.Duration]time.Duration{0: 30 * time.Second, 5 * time.Minute: 285 * time.Second} {
		inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD258, func(w *world) {
			cfg := embeddedRouters(w.config())
			cfg.Patience = patience
			var told time.Duration
			cfg.Service = backend.ServiceFunc(func(ctx context.Context, _ backend.Node) error {
				<-ctx.Done()
				told = backend.TimeToEnd(ctx)
				return nil
			})
			ctx, cancel := context.WithTimeout(w.ctx, time.Minute)
			defer cancel()
			if err := onelease.Run(ctx, cfg); err != nil || told != want {
				t.Errorf("with a Patience of %v it is told %v, %v; want %v", patience, told, err, want)
			}
		})
	}
}
