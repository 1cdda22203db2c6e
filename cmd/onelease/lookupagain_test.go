package main

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p/i2cp"
)

// TestLookAgain: an answer that comes at once and says that there is nothing is not believed
// at first, one that took its time is.
func TestLookAgain(t *testing.T) {
	broken := errors.New("connection lost")
	for name, test := range map[string]struct {
		takes   time.Duration
		answers []error
		want    error
		looks   int
		before  time.Duration
	}{
		"found":           {0, []error{nil}, nil, 1, 0},
		"found later":     {0, []error{i2cp.ErrNotFound, i2cp.ErrNotFound, nil}, nil, 3, 2 * lookPause},
		"not there":       {0, []error{i2cp.ErrNotFound, i2cp.ErrNotFound, i2cp.ErrNotFound}, i2cp.ErrNotFound, 3, 2 * lookPause},
		"looked for long": {12 * time.Second, []error{i2cp.ErrNotFound}, i2cp.ErrNotFound, 1, 12 * time.Second},
		"another error":   {0, []error{broken}, broken, 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				looks, began := 0, time.Now()
				err := lookAgain(t.Context(), func() error {
					looks++
					time.Sleep(test.takes)
					return test.answers[looks-1]
				})
				if !errors.Is(err, test.want) || looks != test.looks || time.Since(began) != test.before {
					t.Errorf("%v after %d looks in %v", err, looks, time.Since(began))
				}
			})
		})
	}
}

// Who is told to end does not look again.
func TestLookAgainEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	looks := 0
	err := lookAgain(ctx, func() error {
		looks++
		cancel()
		return i2cp.ErrNotFound
	})
	if looks != 1 || !errors.Is(err, i2cp.ErrNotFound) {
		t.Errorf("%d looks, %v", looks, err)
	}
}
