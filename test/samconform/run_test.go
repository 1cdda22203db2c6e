package samconform

import (
	"context"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

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

// summary counts.
func summary(results []result) string {
	supported, took := 0, time.Duration(0)
	for _, r := range results {
		if r.ok() {
			supported++
		}
		took = max(took, r.took)
	}
	return fmt.Sprintf("%d of %d rows supported, the longest took %.1f s", supported, len(results), took.Seconds())
}

// sideBySide is a table for the log.
func sideBySide(names []string, columns ...[]result) string {
	var b strings.Builder
	for i, r := range columns[0] {
		for n, column := range columns {
			fmt.Fprintf(&b, "%s %-5s ", names[n], verdict(column[i]))
		}
		fmt.Fprintf(&b, "| %s | %s: %s\n", r.row.since, r.row.section, r.row.says)
		for n, column := range columns {
			if column[i].failure != "" {
				fmt.Fprintf(&b, "      %s: %s\n", names[n], column[i].failure)
			}
		}
	}
	return b.String()
}

func verdict(r result) string {
	switch {
	case r.failure != "":
		return "no"
	case r.skipped != "":
		return "-"
	}
	return "yes"
}
