package test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

const (
	// benchSize is what a stream transfers when it is alone, in bytes, and
	// benchManySize when it is one of benchMany.
	benchSize     = 16 << 20
	benchManySize = 2 << 20
	benchMany     = 16
	// benchRounds is how often all hosts take turns in one iteration, so that
	// what else goes on hits all alike.
	benchRounds = 3
	// benchLoss is the loss between routers, in percent.
	benchLoss = 2
)

// BenchmarkStreams measures streams to a Destination of ours on one router, on
// three, and to one whose streams a stock router terminates, all on the same
// routers at the same time. The other end is always a stock router's.
func BenchmarkStreams(b *testing.B) {
	routers := i2pd.Start(b, i2pd.Config{Routers: 13, Floodfills: floodfills})
	hosts := startHosts(b, routers)
	client := openStreams(b, routers.Router(remoteRouters[0]), i2pd.StreamOptions{})
	hosts.await(b, client)
	hosts.bench(b, client)
	b.Run(fmt.Sprintf("Loss%d", benchLoss), func(b *testing.B) {
		if err := routers.Lose(b.Context(), benchLoss); err != nil {
			b.Skip(err)
		}
		hosts.bench(b, client)
	})
}

func (hosts streamHosts) bench(b *testing.B, client *samclient.Streams) {
	for _, up := range []bool{false, true} {
		name := "Download"
		if up {
			name = "Upload"
		}
		b.Run(name+"1", func(b *testing.B) { hosts.benchTransfer(b, client, up, 1, benchSize) })
		b.Run(fmt.Sprint(name, benchMany), func(b *testing.B) { hosts.benchTransfer(b, client, up, benchMany, benchManySize) })
	}
	b.Run("FirstByte", func(b *testing.B) { hosts.benchFirstByte(b, client) })
}

// benchTransfer has all hosts take turns with so many streams at once.
func (hosts streamHosts) benchTransfer(b *testing.B, client *samclient.Streams, up bool, streams int, size int64) {
	rates := make([][]float64, len(hosts)) // bytes per second
	seed := uint64(time.Now().UnixNano())  // uploads are told apart by it
	for b.Loop() {
		for range benchRounds {
			for i, h := range hosts {
				begun := time.Now()
				h.all(b, client, up, streams, streamservice.Transfer{Size: size, Seed: seed})
				seed += uint64(streams)
				rates[i] = append(rates[i], float64(size)*float64(streams)/time.Since(begun).Seconds())
			}
		}
	}
	for i, h := range hosts {
		b.ReportMetric(median(rates[i])/1e6, h.name+"-MB/s")
		if h.node != nil && hosts[0].node == nil {
			b.ReportMetric(median(rates[i])/median(rates[0]), h.name+"/"+hosts[0].name)
		}
	}
}

// all transfers so many at once, and waits for all.
func (h *streamHost) all(b *testing.B, client *samclient.Streams, up bool, streams int, t streamservice.Transfer) {
	b.Helper()
	var runs []*streamRun
	for range streams {
		runs = append(runs, h.start(b.Context(), client, up, t, 5*time.Minute))
		t.Seed++
	}
	for _, r := range runs {
		if <-r.done; r.err != nil {
			b.Errorf("%v", r)
		}
	}
}

// benchFirstByte opens new streams, one after the other.
func (hosts streamHosts) benchFirstByte(b *testing.B, client *samclient.Streams) {
	took := make([][]float64, len(hosts)) // milliseconds
	for b.Loop() {
		for range 10 * benchRounds {
			for i, h := range hosts {
				r := h.start(b.Context(), client, false, streamservice.Transfer{Size: 1, Seed: 1}, time.Minute)
				if <-r.done; r.err != nil {
					b.Fatal(r)
				}
				took[i] = append(took[i], milliseconds(r.first()))
			}
		}
	}
	for i, h := range hosts {
		b.ReportMetric(median(took[i]), h.name+"-p50-ms")
		b.ReportMetric(slices.Max(took[i]), h.name+"-max-ms")
	}
}

// median sorts values.
func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}
