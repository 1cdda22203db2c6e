//go:build unix

package test

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/frontend"
	"github.com/onelease/onelease/frontend/guest"
	"github.com/onelease/onelease/frontend/guest/guesttest"
	"github.com/onelease/onelease/test/embedded"
)

// benchHosted is how many Destinations BenchmarkHosting opens at once.
const benchHosted = 200

// BenchmarkHosting says what a Destination costs that comes and goes while it is open and does
// nothing, on two members, and with a publisher besides: memory, goroutines, and the time of a processor.
// What the embedded routers have for it, and do, is in it. Guests are those whose frontends are in other
// processes; here they are in this one, and what both ends have is in it.
func BenchmarkHosting(b *testing.B) {
	for _, guests := range []bool{false, true} {
		for _, publish := range []bool{false, true} {
			b.Run(fmt.Sprintf("guests=%v/published=%v", guests, publish), func(b *testing.B) {
				for b.Loop() {
					benchHosting(b, guests, publish)
				}
			})
		}
	}
}

func benchHosting(b *testing.B, guests, publish bool) {
	network := embedded.Start(embedded.Config{})
	defer network.Close()
	cfg := onelease.HostingConfig{Routers: network.Routers(), Logger: slog.New(slog.DiscardHandler)}
	if guests {
		cfg.Routers = nil
		for _, r := range network.Routers() {
			server := guest.ServerConfig{Name: r.Name, Member: r.Member, Publisher: r.Publisher, Logger: cfg.Logger}
			p := guesttest.New(server, frontend.RouterConfig{Addr: r.Addr, Dial: r.Dial}, r.DontPublish)
			p.Start()
			defer p.Kill()
			cfg.Frontends = append(cfg.Frontends, onelease.RemoteFrontend{Name: r.Name, Dial: p.Dial, Member: r.Member, Publisher: r.Publisher})
		}
	}
	hosting, err := onelease.NewHosting(cfg)
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
	const span = 10 * time.Second
	began := footprint()
	time.Sleep(span)
	open := footprint() // what it took to look is in it
	each := func(from, to float64) float64 { return (to - from) / benchHosted }
	b.ReportMetric(each(before.memory, open.memory)/1024, "KiB/destination")
	b.ReportMetric(each(before.goroutines, open.goroutines), "goroutines/destination")
	b.ReportMetric(each(began.cpu, open.cpu)/span.Seconds()*1e6, "µs-CPU/s/destination")
	b.ReportMetric(0, "ns/op")
}

// A use is what this process has and has used.
type use struct {
	memory     float64 // bytes of heap and stacks in use
	goroutines float64
	cpu        float64 // seconds
}

func footprint() use {
	runtime.GC()
	runtime.GC() // the first one's finalizers
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	var r syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &r) // fails only for what is not there
	cpu := time.Duration(r.Utime.Nano() + r.Stime.Nano())
	return use{float64(m.HeapInuse + m.StackInuse), float64(runtime.NumGoroutine()), cpu.Seconds()}
}
