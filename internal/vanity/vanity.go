// Package vanity looks for a Destination whose b32 address begins with given
// characters, with all cores. It does not make the keys: it takes some, and changes
// eight bytes of the Destination that nobody uses until the hash is right.
//
//	search, err := vanity.New("shop")
//	keys, err = search.Run(ctx, keys, runtime.NumCPU())
//
// The signing key stays as it was made, so a Destination that was found is as strong
// as any. What changes is the end of the padding, or of the unused encryption key
// where a signing key leaves no padding ("KeysAndCert"); i2pd and Java I2P read neither.
// The padding otherwise repeats one block (proposal 161), so the Destination is
// eight bytes longer when compressed.
package vanity

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/onelease/onelease/i2p"
)

// ErrPrefix says that no address begins so, or none that will be found.
var ErrPrefix = errors.New("not a prefix of b32 addresses that can be searched for")

// MaxPrefix is how many characters can be searched for at all: twelve take 36 years
// at a thousand million addresses a second.
const MaxPrefix = 11

// LongestSearch is how long a search may take on the average.
const LongestSearch = 365 * 24 * time.Hour

const alphabet = "abcdefghijklmnopqrstuvwxyz234567"

// batch is how many addresses a worker tries before it looks whether it should end.
const batch = 1 << 12

// A Search is one for a prefix. It runs once.
type Search struct {
	want, mask uint64 // of the hash's first eight bytes
	expected   float64
	tried      atomic.Uint64
}

// New refuses with ErrPrefix what is empty, has characters that no b32 address has, or
// more than MaxPrefix of them. Capitals are taken as small letters.
func New(prefix string) (*Search, error) {
	s := &Search{expected: math.Pow(32, float64(len(prefix)))}
	if prefix == "" {
		return nil, fmt.Errorf("an empty prefix: %w: give some of a-z and 2-7", ErrPrefix)
	}
	for i, c := range strings.ToLower(prefix) {
		n := strings.IndexRune(alphabet, c)
		if n < 0 {
			return nil, fmt.Errorf("prefix %.20q has %q: %w: addresses have a-z and 2-7 only", prefix, c, ErrPrefix)
		}
		if i < MaxPrefix {
			s.want = s.want<<5 | uint64(n)
		}
	}
	if len(prefix) > MaxPrefix {
		return nil, fmt.Errorf("prefix of %d characters: %w: it would take lifetimes; give %d at most, and 6 to have it in minutes", len(prefix), ErrPrefix, MaxPrefix)
	}
	free := 64 - 5*len(prefix)
	s.want, s.mask = s.want<<free, math.MaxUint64<<free
	return s, nil
}

// Expected is how many addresses have to be tried on the average.
func (s *Search) Expected() float64 { return s.expected }

// Tried is how many have been tried so far. It may be called at any time.
func (s *Search) Tried() uint64 { return s.tried.Load() }

// Takes is how long the search takes on the average, at that many addresses a second;
// centuries are cut to some.
func (s *Search) Takes(rate float64) time.Duration {
	const most = float64(math.MaxInt64 / 2)
	return time.Duration(min(s.expected/rate*float64(time.Second), most))
}

// Run returns keys with a Destination that has the prefix, or the error of ctx. The keys
// must not be offline-signed: that signature would be of another Destination.
func (s *Search) Run(ctx context.Context, keys *i2p.Keys, workers int) (*i2p.Keys, error) {
	if keys.Offline != nil {
		return nil, fmt.Errorf("keys of a transient key: %w", i2p.ErrInvalid)
	}
	ctx, found := context.WithCancel(ctx)
	defer found()
	results := make(chan []byte, workers)
	var working sync.WaitGroup
	for i := range workers {
		t := newTrial(keys.Destination, uint64(i)<<56)
		working.Go(func() {
			if dest := s.work(ctx, t); dest != nil {
				results <- dest
				found()
			}
		})
	}
	working.Wait()
	select {
	case dest := <-results:
		return with(keys, dest)
	default:
		return nil, context.Cause(ctx)
	}
}

// work tries until t has the prefix, which is returned, or ctx ends.
func (s *Search) work(ctx context.Context, t *trial) []byte {
	for ctx.Err() == nil {
		for range batch {
			if t.next()&s.mask == s.want {
				s.tried.Add(batch)
				return t.destination
			}
		}
		s.tried.Add(batch)
	}
	return nil
}

// with is keys with another encoding of the Destination.
func with(keys *i2p.Keys, destination []byte) (*i2p.Keys, error) {
	dest, _, err := i2p.ParseDestination(destination)
	if err != nil {
		return nil, err
	}
	changed := i2p.Keys{Destination: dest, Encryption: keys.Encryption, Signing: keys.Signing}
	return i2p.ParseKeys(changed.Bytes()) // checks that they still belong together
}
