package test

import (
	"testing"
	"time"

	"github.com/onelease/onelease/balancer"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/streamservice"
)

// TestSoakLeaders kills the leader three times in ten minutes, under requests and
// under downloads that take as long.
func TestSoakLeaders(t *testing.T) {
	soakOnly(t)
	j := startJob(t, balancer.Policy{Tunnels: 3, Hops: 1})
	j.checkLeaseSet(members)
	j.addRemotes()
	j.ask(warmUpTime, nil)
	warm := time.Now()
	watch := j.watchNetDB()
	streams := j.download(600 * time.Second)
	for range 3 {
		j.ask(200*time.Second, j.killLeader)
	}
	watch()
	for _, run := range streams {
		<-run.done
		t.Log(run)
		if run.err != nil {
			t.Errorf("a stream broke: %v", run.err)
		}
	}
	if requests := j.tally.Since(warm); requests.Lost > 0 {
		j.logGaps()
		t.Errorf("requests: %+v", requests)
	} else {
		t.Logf("requests: %+v", requests)
	}
}

// download begins one slow download for each of the remotes' routers, which
// take about that long.
func (j *job) download(during time.Duration) (runs []*streamRun) {
	j.t.Helper()
	host := &streamHost{name: "cluster", dest: j.keys.Destination.Base64(), server: j.server}
	const rate = 20_000
	for n, i := range remoteRouters {
		client := openStreams(j.t, j.net.Router(i), i2pd.StreamOptions{})
		transfer := streamservice.Transfer{Size: int64(rate * during.Seconds()), Rate: rate, Seed: uint64(n + 1)}
		runs = append(runs, host.start(j.ctx, client, false, transfer, during+2*time.Minute))
	}
	return runs
}
