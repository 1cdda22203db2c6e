package test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/test/i2pd"
	"github.com/onelease/onelease/test/i2pd/samclient"
	"github.com/onelease/onelease/test/streamservice"
)

// envStreamHosts says which hosts are compared, of "stock,one,three": one whose
// streams a stock router terminates, and Destinations of ours on one and on
// three routers.
const envStreamHosts = "ONELEASE_STREAM_HOSTS"

func hostNames() []string {
	if names := os.Getenv(envStreamHosts); names != "" {
		return strings.Split(names, ",")
	}
	return []string{"stock", "one", "three"}
}

// streamHosts are compared with each other.
type streamHosts []*streamHost

// startHosts starts them all on the same routers: those of the main job.
func startHosts(tb testing.TB, net *i2pd.Network) (hosts streamHosts) {
	tb.Helper()
	for _, name := range hostNames() {
		switch name {
		case "stock":
			hosts = append(hosts, startStock(tb, net.Router(members[0])))
		case "one":
			both := memberAt(net, members[0])
			both.Publisher = true
			hosts = append(hosts, startHost(tb, name, []onelease.Router{both}))
		case "three":
			hosts = append(hosts, startHost(tb, name, threeMembers(net)))
		default:
			tb.Fatalf("%s: unknown host %q", envStreamHosts, name)
		}
	}
	return hosts
}

// threeMembers are the routers of the main job.
func threeMembers(net *i2pd.Network) []onelease.Router { return withPublisher(net, members) }

// withPublisher are those members, and the publisher.
func withPublisher(net *i2pd.Network, members []int) []onelease.Router {
	routers := []onelease.Router{memberAt(net, publisher)}
	routers[0].Member, routers[0].Publisher = false, true
	for _, i := range members {
		routers = append(routers, memberAt(net, i))
	}
	return routers
}

// memberAt is that router of the network as a member.
func memberAt(net *i2pd.Network, i int) onelease.Router {
	return onelease.Router{Name: routerName(i), Addr: net.Router(i).I2CPAddr(), Member: true, DontPublish: quirkOf(net.Version)}
}

// await waits until each has served the client once.
func (hosts streamHosts) await(tb testing.TB, client *samclient.Streams) {
	tb.Helper()
	for _, h := range hosts {
		var last *streamRun
		took := await(tb, 3*time.Minute, "a first download of "+h.name, func() bool {
			last = h.start(tb.Context(), client, false, streamservice.Transfer{Size: 1000, Seed: 1}, 20*time.Second)
			<-last.done
			return last.err == nil
		})
		tb.Logf("%s serves after %.1f s: %v", h.name, took.Seconds(), last)
	}
}
