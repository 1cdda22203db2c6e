package owner

import "math"

// MaxWeight is the greatest weight of a backend.
const MaxWeight = 1<<16 - 1

// Score ranks a backend for a key: of those that are there, the one of the highest
// score gets it (weighted rendezvous hashing). Each gets keys in proportion to its
// weight, at least 1, and when one comes or goes, or changes its weight, no key moves
// between two others.
func Score(key uint64, tag uint16, weight int) float64 {
	x := mix(key ^ mix(uint64(tag)+1))
	uniform := (float64(x>>11) + 0.5) / (1 << 53) // between 0 and 1, and neither
	return float64(weight) / -math.Log(uniform)
}

// mix has the finishing steps of splitmix64.
func mix(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}
