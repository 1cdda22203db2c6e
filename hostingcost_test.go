package onelease_test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/test/embedded"
)

// BenchmarkHosting says what a Destination costs that is open and does nothing, with
// what the embedded routers, in the same process, have for it.
func BenchmarkHosting(b *testing.B) {
	for _, publish := range []bool{false, true} {
		b.Run(fmt.Sprintf("publish=%v", publish), func(b *testing.B) {
			for range b.N {
				benchmarkHosting(b, publish)
			}
		})
	}
}

const benchDestinations = 200

func benchmarkHosting(b *testing.B, publish bool) {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	hosting, err := onelease.NewHosting(onelease.HostingConfig{Routers: network.Routers(), Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		b.Fatal(err)
	}
	defer hosting.Close()
	memory, goroutines := footprint()
	began := time.Now()
	var group sync.WaitGroup
	for range benchDestinations {
		group.Go(func() {
			ctx, cancel := context.WithTimeout(b.Context(), time.Minute)
			defer cancel()
			if _, err := hosting.Open(ctx, onelease.Opening{Publish: publish}); err != nil {
				b.Error(err)
			}
		})
	}
	group.Wait()
	b.ReportMetric(time.Since(began).Seconds(), "s/open")
	time.Sleep(20 * time.Second)
	cpu := cpuTime()
	time.Sleep(10 * time.Second)
	b.ReportMetric(float64((cpuTime()-cpu).Microseconds())/10/benchDestinations, "µs-CPU/s/dest")
	memory2, goroutines2 := footprint()
	if f := os.Getenv("HEAPP"); f != "" {
		w, _ := os.Create(f)
		pprof.WriteHeapProfile(w)
		w.Close()
		w, _ = os.Create(f + ".gor")
		pprof.Lookup("goroutine").WriteTo(w, 1)
		w.Close()
	}
	b.ReportMetric(float64(memory2-memory)/benchDestinations/1024, "KiB/dest")
	b.ReportMetric(float64(goroutines2-goroutines)/benchDestinations, "goroutines/dest")
	b.ReportMetric(0, "ns/op")
}

func footprint() (memory, goroutines int) {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapInuse + m.StackInuse), runtime.NumGoroutine()
}

func cpuTime() time.Duration {
	var r syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &r)
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}
