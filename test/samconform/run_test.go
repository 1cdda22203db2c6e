package samconform

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"slices"
	"sync"
	"testing"

	"github.com/onelease/onelease/test/i2pd"
)

var (
	update   = flag.Bool("update", false, "write docs/sam-conformance.md anew; needs real routers")
	onlyRows = flag.String("rows", "", "run only the rows whose section or words match this regular expression")
)

func TestMain(m *testing.M) { os.Exit(i2pd.Main(m)) }

// runAll examines the rows, so many at once: most of them wait for tunnels most of the
// time. The results are in the order of the rows.
func runAll(ctx context.Context, t *target, rows []row, atOnce int) []result {
	defer t.pools.close()
	results, turns := make([]result, len(rows)), make(chan struct{}, atOnce)
	var wait sync.WaitGroup
	for i, r := range rows {
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			results[i] = examine(ctx, t, r)
		})
	}
	wait.Wait()
	return results
}

// chosen are the rows that -rows asks for.
func chosen(t testing.TB) []row {
	only, err := regexp.Compile(*onlyRows)
	if err != nil {
		t.Fatalf("-rows: %v", err)
	}
	var found []row
	for _, r := range rows() {
		if only.MatchString(r.section + " " + r.says) {
			found = append(found, r)
		}
	}
	return found
}

// TestRowsAreNamedOnce: two rows of one section must not say the same.
func TestRowsAreNamedOnce(t *testing.T) {
	names := map[string]bool{}
	for _, r := range rows() {
		name := r.section + ": " + r.says
		if names[name] {
			t.Errorf("twice: %s", name)
		}
		names[name] = true
		if r.since < "3.0" || r.since > "3.3" || r.run == nil {
			t.Errorf("%s: since %q, run %v", name, r.since, r.run != nil)
		}
	}
}

// supported counts.
func supported(results []result) (n int) {
	for _, r := range results {
		if r.ok() {
			n++
		}
	}
	return n
}

// summary is a line for the log.
func summary(results []result) string {
	longest := slices.MaxFunc(results, func(a, b result) int { return cmp.Compare(a.took, b.took) })
	return fmt.Sprintf("%d of %d rows supported, the longest took %.1f s (%s)",
		supported(results), len(results), longest.took.Seconds(), longest.row.says)
}
