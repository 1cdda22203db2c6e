package plugins_test

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/backend/servicetest"
)

// TestHotUpgrade replaces a plugin while a hundred visitors download: what has begun
// ends as it would have, what comes meanwhile is served. ONELEASE_SOAK=1 does so
// twenty times.
func TestHotUpgrade(t *testing.T) {
	t.Parallel()
	const visitors, size = 100, 200_000
	root, want := siteOf(t, size)
	s, err := plugin.New(plugin.Config{
		Name: "site", Path: build(t, "plugins/site/cmd/site"), Settings: fmt.Sprintf("root = %q", root),
	})
	if err != nil {
		t.Fatal(err)
	}
	w := servicetest.Start(t, s, servicetest.Options{Frontends: 3})
	for s.Stats().Ports == 0 {
		time.Sleep(5 * time.Millisecond) // the process starts
	}
	clients := []*http.Client{w.Remote().Client(), w.Remote().Client(), w.Remote().Client()}
	upgrades := 1
	if os.Getenv("ONELEASE_SOAK") != "" {
		upgrades = 20
	}
	for range upgrades {
		upgrade(t, s, visitors, func(ctx context.Context, i int, begun chan<- struct{}) error {
			return download(ctx, clients[i%3], w.Address(80), begun, want)
		})
	}
	if st := s.Stats(); st.Broken != 0 || st.Unaccepted != 0 || st.Reloads != uint64(upgrades) {
		t.Errorf("%+v", st)
	}
}

// upgrade has that many visitors visit, and replaces the plugin when half of them have
// begun: the others are on their way, or come when the new one has taken over.
func upgrade(t *testing.T, s *plugin.Supervisor, visitors int, visit func(ctx context.Context, i int, begun chan<- struct{}) error) {
	begun := make(chan struct{}, visitors)
	downloads, ctx := errgroup.WithContext(t.Context())
	for i := range visitors {
		downloads.Go(func() error { return visit(ctx, i, begun) })
	}
	for range visitors / 2 {
		select {
		case <-begun:
		case <-ctx.Done():
		}
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Error(err)
	}
	if err := downloads.Wait(); err != nil {
		t.Error(err)
	}
}

func siteOf(t testing.TB, size int) (root string, want [sha256.Size]byte) {
	t.Helper()
	file := make([]byte, size)
	rand.NewChaCha8([32]byte{}).Read(file)
	root = t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "file"), file, 0o600); err != nil {
		t.Fatal(err)
	}
	return root, sha256.Sum256(file)
}

// download gets the file as slowly as I2P would bring it, says when it has begun, and
// compares.
func download(ctx context.Context, client *http.Client, address string, begun chan<- struct{}, want [sha256.Size]byte) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/file", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	begun <- struct{}{}
	hash := sha256.New()
	for chunk := make([]byte, 20_000); ; time.Sleep(100 * time.Millisecond) {
		n, err := io.ReadFull(response.Body, chunk)
		hash.Write(chunk[:n])
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if got := [sha256.Size]byte(hash.Sum(nil)); got != want {
		return fmt.Errorf("%d bytes are not those of the file", response.ContentLength)
	}
	return nil
}
