package i2pd

import (
	"fmt"
	"net/netip"
	"strings"
)

// Base ports; router number n listens on each base plus n. A SAM bridge also takes the UDP
// port below its TCP port.
const (
	transportPort = 20000
	httpPort      = 21000
	samPort       = 22000
	i2cpPort      = 23000
)

// maxNumber bounds router numbers: they are part of IP addresses.
const maxNumber = 200

// routerIP looks public, because i2pd 2.45.1 refuses 10.x and 127.x whatever it is told, and
// each router has a /16 of its own.
func routerIP(number int) netip.Addr {
	return netip.AddrFrom4([4]byte{30, byte(10 + number), byte(20 + number), byte(number)})
}

// confTemplate is a configuration that 2.45.1 and 2.58 run well with. What is not obvious:
// an addressbook that is disabled makes 2.45.1 crash on STREAM CONNECT, and one without
// defaulturl ends every router after three minutes; hence the dummy. Without a reseed
// threshold of 0 a router without peers tries to reach the world.
const confTemplate = `
netid = 99
host = %[1]s
address4 = %[1]s
port = %[2]d
ipv6 = false
nat = false
reservedrange = false
floodfill = %[3]t
notransit = %[4]t
bandwidth = X
share = 100
log = file
logfile = %[5]s
loglevel = warn
[limits]
transittunnels = 5000
[ntcp2]
enabled = true
published = true
port = %[2]d
[ssu2]
enabled = true
published = true
port = %[2]d
mtu4 = 1500
[http]
port = %[6]d
strictheaders = false
[sam]
enabled = true
port = %[7]d
[i2cp]
enabled = true
port = %[8]d
singlethread = true
[httpproxy]
enabled = false
[socksproxy]
enabled = false
[bob]
enabled = false
[i2pcontrol]
enabled = false
[upnp]
enabled = false
[reseed]
threshold = 0
verify = false
urls =
yggurls =
[nettime]
enabled = false
frompeers = false
[exploratory]
inbound.length = 1
outbound.length = 1
inbound.quantity = 2
outbound.quantity = 2
[persist]
profiles = false
addressbook = false
[addressbook]
enabled = true
defaulturl = http://%[9]s.b32.i2p/hosts.txt
subscriptions = http://%[9]s.b32.i2p/hosts.txt
`

func (r *Router) conf() string {
	return fmt.Sprintf(confTemplate, r.addr.Addr(), r.addr.Port(), r.floodfill, r.killable, r.logPath(),
		httpPort+r.number, samPort+r.number, r.i2cp, strings.Repeat("a", 52))
}
