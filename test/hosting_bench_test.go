package test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"runtime/metrics"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/test/embedded"
)

// benchHosted is how many Destinations BenchmarkHosting opens at once.
const benchHosted = 200

// BenchmarkHosting says what a Destination costs that comes and goes while it is open and does
// nothing, on two members, and with a publisher besides: memory, goroutines, and the time of a processor.
// What the embedded routers have for it, and do, is in it.
func BenchmarkHosting(b *testing.B) {
	for _, publish := range []bool{false, true} {
		b.Run(fmt.Sprintf("published=%v", publish), func(b *testing.B) {
			for b.Loop() {
				benchHosting(b, publish)
			}
		})
	}
}

func benchHosting(b *testing.B, publish bool) {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: network.Routers(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer hosting.Close()
	before := footprint()
	var group sync.WaitGroup
	for range benchHosted {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
			defer cancel()
			if _, err := hosting.Open(ctx, onelease.Opening{Publish: publish}); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	time.Sleep(20 * time.Second) // all tunnels are there
	open := footprint()
	const span = 10 * time.Second
	time.Sleep(span)
	later := footprint()
	each := func(from, to float64) float64 { return (to - from) / benchHosted }
	b.ReportMetric(each(before.memory, open.memory)/1024, "KiB/destination")
	b.ReportMetric(each(before.goroutines, open.goroutines), "goroutines/destination")
	b.ReportMetric(each(open.cpu, later.cpu)/span.Seconds()*1e6, "µs-CPU/s/destination")
	b.ReportMetric(0, "ns/op")
}

// A use is what this process has and has used.
type use struct {
	memory     float64 // bytes of heap and stacks in use
	goroutines float64
	cpu        float64 // seconds, without those of the collector
}

func footprint() use {
	runtime.GC()
	runtime.GC() // the first one's finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	cpu := []metrics.Sample{{Name: "/cpu/classes/user:cpu-seconds"}}
	metrics.Read(cpu)
	return use{float64(m.HeapInuse + m.StackInuse), float64(runtime.NumGoroutine()), cpu[0].Value.Float64()}
}
