package samconform

import (
	"crypto/tls"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd"
)

// stockRouters are as many as rows are asked on: each gets some that follow each other, so
// that one whose i2pd crashes takes few others along.
const stockRouters = 8

// TestI2PD runs the suite against a stock i2pd, and prints beside ours what it supports.
// That rows fail there is no failure of ours; that all fail is one of the test's.
func TestI2PD(t *testing.T) {
	i2pd.Require(t)
	t.Parallel()
	network := i2pd.Start(t, i2pd.Config{Routers: stockRouters})
	certificate, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	begin := time.Now()
	theirs := examineStock(t, network, certificate)
	t.Logf("i2pd %s: %s, all in %.1f s", network.Version, summary(theirs), time.Since(begin).Seconds())
	columns := []column{{"Onelease", examineOurs(t)}, {"i2pd " + network.Version, theirs}}
	t.Logf("side by side:\n%s", sideBySide(columns))
	if supported(theirs) == 0 {
		t.Error("i2pd supports no row: something is wrong with the suite")
	}
	if *update {
		writePage(t, columns)
	}
}

// examineStock asks each router its share of the rows.
func examineStock(t *testing.T, network *i2pd.Network, certificate tls.Certificate) []result {
	rows := chosen(t)
	shares := slices.Collect(slices.Chunk(rows, max(1, (len(rows)+stockRouters-1)/stockRouters)))
	results := make([][]result, len(shares))
	var wait sync.WaitGroup
	for i, share := range shares {
		wait.Go(func() { results[i] = examineRouter(t, network.Router(i), certificate, share) })
	}
	wait.Wait()
	for _, router := range network.Routers() {
		if err := router.Crash(); err != nil {
			t.Logf("%s crashed: %v", router, err)
		}
		router.Kill() // a crash is no failure of the test
	}
	return slices.Concat(results...)
}

// examineRouter asks one router. If that crashes, the rows that this may have cost are
// asked once more.
func examineRouter(t *testing.T, router *i2pd.Router, certificate tls.Certificate, rows []row) []result {
	results := runAll(t.Context(), stock(t, router, certificate), rows, 6)
	crash := router.Crash()
	if crash == nil {
		return results
	}
	t.Logf("%s crashed in the rows from %q on: %v", router, rows[0].says, crash)
	if err := router.Restart(t.Context()); err != nil {
		t.Errorf("restart %s: %v", router, err)
		return results
	}
	var again []row
	for _, r := range results {
		if r.cutOff() {
			again = append(again, r.row)
		}
	}
	second := runAll(t.Context(), stock(t, router, certificate), again, 6)
	for i := range results {
		if results[i].cutOff() {
			results[i], second = second[0].orCrash(), second[1:]
		}
	}
	return results
}

// cutOff says whether the row failed as rows do whose bridge has crashed.
func (r result) cutOff() bool {
	for _, how := range []string{"refused", "closed the", "reset", "EOF", "broken pipe"} {
		if strings.Contains(r.failure, how) {
			return true
		}
	}
	return false
}

// orCrash is the result, or that there is none if nobody listened.
func (r result) orCrash() result {
	if strings.Contains(r.failure, "connection refused") {
		r.failure, r.skipped = "", "not asked: i2pd crashed, twice, in rows beside this one"
	}
	return r
}

// stock is the SAM bridge of a router. With an outbound tunnel of no hops sessions are
// published sooner, and without the encryption type they have ElGamal only.
func stock(t *testing.T, router *i2pd.Router, certificate tls.Certificate) *target {
	s := &target{
		name: router.String(), tcp: router.SAMAddr(), udp: router.SAMUDPAddr(), aside: router.SAMAddr(), certificate: certificate,
		params: "inbound.length=1 outbound.length=0 inbound.quantity=2 outbound.quantity=1 i2cp.leaseSetEncType=4",
		quick:  5 * time.Second, slow: 50 * time.Second, delivery: 15 * time.Second, resend: time.Second,
	}
	if failure := s.findNewest(t.Context()); failure != "" {
		t.Errorf("%s: %s", router, failure)
	}
	return s
}
