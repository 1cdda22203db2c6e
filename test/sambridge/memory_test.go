package sambridge

import (
	"fmt"
	"maps"
	"math"
	"runtime"
	"slices"
	"strings"
)

// profileRate is the mean number of bytes between two samples of the heap.
const profileRate = 4096

// A memory is what a process holds, after its garbage is gone.
type memory struct {
	Heap, Stacks int64 // bytes in use
	Goroutines   int
	// HeapOf is the heap by the innermost package of ours that asked for it, from a
	// profile, so about. StartedBy are goroutines by the package that began them.
	HeapOf, StartedBy map[string]int64
}

// measure measures this process.
func measure() memory {
	for range 3 { // what finalizers hold goes with the second
		runtime.GC()
	}
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return memory{
		Heap: int64(stats.HeapAlloc), Stacks: int64(stats.StackInuse), Goroutines: runtime.NumGoroutine(),
		HeapOf: heapByPackage(), StartedBy: goroutinesByPackage(),
	}
}

func heapByPackage() map[string]int64 {
	records := make([]runtime.MemProfileRecord, 10_000)
	for {
		n, ok := runtime.MemProfile(records, false)
		if ok {
			records = records[:n]
			break
		}
		records = make([]runtime.MemProfileRecord, n+1000)
	}
	of := map[string]int64{}
	for _, r := range records {
		of[packageOf(r.Stack(), false)] += scaled(r.InUseBytes(), r.InUseObjects())
	}
	return of
}

// scaled is what a sample stands for, as pprof reckons it.
func scaled(bytes, objects int64) int64 {
	if objects == 0 {
		return 0
	}
	mean := float64(bytes) / float64(objects)
	return int64(float64(bytes) / (1 - math.Exp(-mean/profileRate)))
}

func goroutinesByPackage() map[string]int64 {
	records := make([]runtime.StackRecord, runtime.NumGoroutine()+1000)
	n, _ := runtime.GoroutineProfile(records)
	by := map[string]int64{}
	for _, r := range records[:n] {
		by[packageOf(r.Stack(), true)]++
	}
	return by
}

const module = "github.com/onelease/onelease/"

// packageOf is the package of ours that is innermost in a stack, or outermost.
func packageOf(stack []uintptr, outermost bool) string {
	found := "other"
	for frames := runtime.CallersFrames(stack); ; {
		frame, more := frames.Next()
		if name, ours := strings.CutPrefix(frame.Function, module); ours {
			found = name[:strings.IndexAny(name+".", ".")]
			if !outermost {
				return found
			}
		}
		if !more {
			return found
		}
	}
}

// since is what has come between two measurements.
func (m memory) since(before memory) memory {
	return memory{
		Heap: m.Heap - before.Heap, Stacks: m.Stacks - before.Stacks, Goroutines: m.Goroutines - before.Goroutines,
		HeapOf: difference(m.HeapOf, before.HeapOf), StartedBy: difference(m.StartedBy, before.StartedBy),
	}
}

func difference(now, before map[string]int64) map[string]int64 {
	d := maps.Clone(now)
	for key, n := range before {
		d[key] -= n
	}
	return d
}

// per is the memory of one of n, for logs.
func (m memory) per(n int) string {
	return fmt.Sprintf("heap %.1f KiB, stacks %.1f KiB, %.2f goroutines; heap by package: %s; goroutines: %s",
		kib(m.Heap)/float64(n), kib(m.Stacks)/float64(n), float64(m.Goroutines)/float64(n),
		largest(m.HeapOf, float64(n)*1024, "%s %.1f KiB"), largest(m.StartedBy, float64(n), "%s %.2f"))
}

func kib(n int64) float64 { return float64(n) / 1024 }

// total is heap and stacks in bytes.
func (m memory) total() int64 { return m.Heap + m.Stacks }

// largest lists what is more than a twentieth of a unit, the largest first.
func largest(of map[string]int64, unit float64, format string) string {
	var parts []string
	for _, key := range slices.SortedFunc(maps.Keys(of), func(a, b string) int { return int(of[b] - of[a]) }) {
		if n := float64(of[key]) / unit; n > 0.05 {
			parts = append(parts, fmt.Sprintf(format, key, n))
		}
	}
	return strings.Join(parts, ", ")
}
