package streaming

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestTransfers(t *testing.T) {
	for _, c := range []struct {
		name          string
		loss, twice   float64
		delay, jitter time.Duration
		size          int
		atMost        time.Duration
		rate          int
		queue         time.Duration
	}{
		{name: "clean", delay: 50 * time.Millisecond, size: 20 << 20, atMost: 15 * time.Second},
		{name: "lossy", delay: 50 * time.Millisecond, loss: 0.02, size: 20 << 20, atMost: 20 * time.Second},
		{name: "narrow", delay: 25 * time.Millisecond, rate: 1 << 20, queue: 100 * time.Millisecond, size: 10 << 20, atMost: 15 * time.Second},
		{name: "narrow, short queue", delay: 25 * time.Millisecond, rate: 1 << 20, queue: 20 * time.Millisecond, size: 10 << 20, atMost: 16 * time.Second},
		{name: "narrow, long queue", delay: 5 * time.Millisecond, rate: 1 << 20, queue: time.Second, size: 10 << 20, atMost: 20 * time.Second},
		{name: "narrow and lossy", delay: 25 * time.Millisecond, loss: 0.02, rate: 1 << 20, queue: 50 * time.Millisecond, size: 10 << 20, atMost: 16 * time.Second},
		{name: "bad", delay: 50 * time.Millisecond, loss: 0.1, twice: 0.05, jitter: 30 * time.Millisecond, size: 4 << 20, atMost: 60 * time.Second},
		{name: "reordering", delay: 20 * time.Millisecond, jitter: 100 * time.Millisecond, size: 4 << 20, atMost: 30 * time.Second},
		{name: "near", delay: time.Millisecond, jitter: time.Millisecond, size: 20 << 20, atMost: 10 * time.Second},
		{name: "awful", delay: 300 * time.Millisecond, loss: 0.3, twice: 0.3, jitter: time.Second, size: 256 << 10, atMost: 10 * time.Minute},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := newWire(1)
				a, b := w.add(t, Config{}), w.add(t, Config{})
				w.loss, w.twice, w.delay, w.jitter = c.loss, c.twice, c.delay, c.jitter
				w.rate, w.queue = c.rate, c.queue
				dialled, accepted := connect(t, a, b)
				start := time.Now()
				var both sync.WaitGroup
				both.Go(func() { transfer(t, dialled, accepted, 1, c.size) })
				both.Go(func() { transfer(t, accepted, dialled, 2, c.size) })
				both.Wait()
				took := time.Since(start)
				t.Logf("%v, %.1f MB/s each way, %+v", took, float64(c.size)/took.Seconds()/1e6, a.Stats())
				if took > c.atMost {
					t.Errorf("took %v, want at most %v", took, c.atMost)
				}
				dialled.Close()
				accepted.Close()
				time.Sleep(time.Minute)
				if open := a.Stats().Open + b.Stats().Open; open != 0 {
					t.Errorf("%d streams are left open", open)
				}
			})
		})
	}
}
