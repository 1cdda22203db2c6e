//go:build !race

package sambridge

const raceEnabled = false
