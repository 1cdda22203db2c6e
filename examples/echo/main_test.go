package main

import (
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/backendtest"
	"github.com/onelease/onelease/i2p"
)

func TestShout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, err := i2p.GenerateKeys()
		if err != nil {
			t.Fatal(err)
		}
		f := backendtest.NewFrontend(keys.Destination)
		defer f.Close()
		host, err := backend.NewHost(backend.Config{
			Frontends: []backend.Frontend{{Name: "f", Dial: f.Dial}},
			Signer:    keys,
			Logger:    slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- backend.Run(ctx, host, backend.ServiceFunc(shout)) }()
		synctest.Wait()
		remote := backendtest.NewRemote(t, keys.Destination)
		f.Deliver(remote.Datagram(1, "hello"))
		synctest.Wait()
		if sent := f.Sent(); len(sent) != 1 || remote.Open(sent[0]) != "HELLO" {
			t.Errorf("sent %+v", sent)
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// The program as a user runs it, up to its end by a signal.
func TestRun(t *testing.T) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "keys.dat")
	if err := i2p.WriteKeyFile(file, keys, i2p.KeyBinary); err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		if c, err := ln.Accept(); err == nil {
			cancel() // it has come to the frontend
			c.Close()
		}
	}()
	if err := run(ctx, []string{file, ln.Addr().String()}); err != nil {
		t.Error(err)
	}
	if err := run(ctx, []string{file}); err == nil || !strings.Contains(err.Error(), "usage") {
		t.Errorf("without a frontend: %v", err)
	}
}
