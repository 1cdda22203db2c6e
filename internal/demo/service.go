package demo

import (
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/plugins/echo"
)

const (
	// downloadPort is where the service takes streams.
	downloadPort = 80
	// chunk is what a download gets each chunkEvery.
	chunk      = 1600
	chunkEvery = 100 * time.Millisecond
	// requestSize is that of a request for a download: its seed and its size in
	// bytes, 8 each.
	requestSize = 16
)

// A service echoes datagrams, and on streams serves downloads.
type service struct{ served *seeds }

// Serve implements backend.Service.
func (s service) Serve(ctx context.Context, node backend.Node) error {
	ln, err := node.Listen(downloadPort)
	if err != nil {
		return err
	}
	group, ctx := errgroup.WithContext(ctx)
	defer context.AfterFunc(ctx, func() { ln.Close() })()
	group.Go(func() error { return echo.Service{Port: echoPort}.Serve(ctx, node) })
	for {
		conn, err := ln.Accept()
		if err != nil {
			return group.Wait()
		}
		group.Go(func() error {
			s.serveDownload(ctx, conn)
			return nil
		})
	}
}

// serveDownload answers one request. What goes wrong its client sees.
func (s service) serveDownload(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	request := make([]byte, requestSize)
	if _, err := io.ReadFull(conn, request); err != nil {
		return
	}
	seed := binary.BigEndian.Uint64(request)
	s.served.add(seed)
	bytes := seeded(seed)
	buffer := make([]byte, chunk)
	left := int64(binary.BigEndian.Uint64(request[8:]))
	for due := time.Now(); left > 0 && rest(ctx, time.Until(due)); due = due.Add(chunkEvery) {
		b := buffer[:min(left, chunk)]
		bytes.Read(b)
		if _, err := conn.Write(b); err != nil {
			return
		}
		left -= int64(len(b))
	}
}

// seeded is the bytes of the download with that seed.
func seeded(seed uint64) *rand.ChaCha8 {
	var full [32]byte
	binary.BigEndian.PutUint64(full[:], seed)
	return rand.NewChaCha8(full)
}

var _ backend.Service = service{}
