package samconform

import (
	"testing"
	"time"

	"github.com/onelease/onelease/test/i2pd"
)

// TestI2PD runs the suite against a stock i2pd, and prints beside ours what it supports.
// That rows fail there is no failure of ours; that all fail is one of the test's.
func TestI2PD(t *testing.T) {
	i2pd.Require(t)
	t.Parallel()
	network := i2pd.Start(t, i2pd.Config{Routers: 8})
	router, other := network.Router(7), network.Router(6)
	stock := &target{
		name: "i2pd " + network.Version, tcp: router.SAMAddr(), udp: router.SAMUDPAddr(), aside: other.SAMAddr(),
		// With an outbound tunnel of no hops sessions are published sooner, see i2pd.Config.
		params: "inbound.length=1 outbound.length=0 inbound.quantity=2 outbound.quantity=1 i2cp.leaseSetEncType=4",
		quick:  4 * time.Second, slow: 50 * time.Second, resend: time.Second,
	}
	if failure := stock.findNewest(t.Context()); failure != "" {
		t.Fatal(failure)
	}
	certificate, err := selfSigned()
	if err != nil {
		t.Fatal(err)
	}
	stock.certificate = certificate
	begin := time.Now()
	theirs := runAll(t.Context(), stock, chosen(t), 24)
	t.Logf("%s: %s, all in %.1f s", stock.name, summary(theirs), time.Since(begin).Seconds())
	columns := []column{{"Onelease", examineOurs(t)}, {stock.name, theirs}}
	t.Logf("side by side:\n%s", sideBySide(columns))
	if supported(theirs) == 0 {
		t.Error("i2pd supports no row: something is wrong with the suite")
	}
	if *update {
		writePage(t, columns)
	}
}
