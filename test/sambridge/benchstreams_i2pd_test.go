package sambridge

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

const (
	// oneSize is what a stream transfers when it is alone, in bytes, and manySize when
	// it is one of many.
	oneSize  = 12 << 20
	manySize = 1 << 20
	many     = 16
	// opened is how many streams are opened in a turn, opening how many at a time.
	opened  = 64
	opening = 8
	// asked is how many bytes make their round trip in a turn.
	asked = 200
)

func (s sides) benchStreams(b *testing.B, f *far) {
	for _, up := range []bool{false, true} {
		name := "Download"
		if up {
			name = "Upload"
		}
		b.Run(name+"1", func(b *testing.B) { s.benchTransfer(b, f, up, 1, oneSize) })
		b.Run(fmt.Sprint(name, many), func(b *testing.B) { s.benchTransfer(b, f, up, many, manySize) })
	}
	b.Run("Open", func(b *testing.B) { s.benchOpen(b, f) })
	b.Run("RoundTrip", func(b *testing.B) { s.benchRoundTrip(b, f) })
}

// benchTransfer moves bytes by so many streams at once.
func (s sides) benchTransfer(b *testing.B, f *far, up bool, streams int, size int64) {
	s.compare(b, "MB/s", false, func(side *side) (float64, error) {
		begun := time.Now()
		group, ctx := errgroup.WithContext(b.Context())
		for range streams {
			group.Go(func() error {
				if up {
					return put(ctx, side.streams, f, size)
				}
				return get(ctx, side.streams, f, size)
			})
		}
		err := group.Wait()
		return float64(size) * float64(streams) / 1e6 / time.Since(begun).Seconds(), err
	})
}

// get downloads by a stream of its own.
func get(ctx context.Context, s *samclient.Streams, f *far, size int64) error {
	conn, err := dial(ctx, s, f)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return streamservice.Get(conn, streamservice.Transfer{Size: size, Seed: 1}, &streamservice.Meter{})
}

// put uploads.
func put(ctx context.Context, s *samclient.Streams, f *far, size int64) error {
	conn, err := dial(ctx, s, f)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	return streamservice.Put(conn, streamservice.Transfer{Size: size, Seed: 1})
}

// benchOpen opens streams, some at a time, and has each bring a byte: STREAM CONNECT
// alone says only that the LeaseSet is known.
func (s sides) benchOpen(b *testing.B, f *far) {
	s.compare(b, "streams/s", false, func(side *side) (float64, error) {
		begun := time.Now()
		group, ctx := errgroup.WithContext(b.Context())
		group.SetLimit(opening)
		for range opened {
			group.Go(func() error { return get(ctx, side.streams, f, 1) })
		}
		err := group.Wait()
		return opened / time.Since(begun).Seconds(), err
	})
}

// benchRoundTrip sends a few bytes there and back on a stream that is open.
func (s sides) benchRoundTrip(b *testing.B, f *far) {
	p99s := map[*side][]float64{}
	s.compare(b, "p50-ms", true, func(side *side) (float64, error) {
		took, err := askMany(b.Context(), side.streams, f)
		if err != nil {
			return 0, err
		}
		p99s[side] = append(p99s[side], took[len(took)*99/100])
		return took[len(took)/2], nil
	})
	for _, side := range s {
		b.ReportMetric(median(p99s[side]), side.name+"-p99-ms")
	}
}

// askMany returns how long each round trip took, in milliseconds, the shortest first.
func askMany(ctx context.Context, s *samclient.Streams, f *far) (took []float64, err error) {
	conn, err := dial(ctx, s, f)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	echo, err := streamservice.NewEcho(conn)
	if err != nil {
		return nil, err
	}
	for range asked {
		d, err := echo.AskUntil("x", time.Now().Add(time.Minute))
		if err != nil {
			return nil, err
		}
		took = append(took, d.Seconds()*1000)
	}
	slices.Sort(took)
	return took, nil
}
