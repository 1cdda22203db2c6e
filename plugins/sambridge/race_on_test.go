//go:build race

package sambridge

// raceEnabled: sync.Pool drops some of what is put in under the race detector,
// so allocations cannot be counted.
const raceEnabled = true
