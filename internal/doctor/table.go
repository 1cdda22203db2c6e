package doctor

import "time"

// A Check is one thing that is looked at.
type Check struct {
	Name string
	// Means is what is well if nothing is found.
	Means string
	// Limit is how long it may take, for one thing.
	Limit time.Duration
	// Faults are what there is to find.
	Faults []Fault
}

// A Fault is what a check may find.
type Fault struct {
	// ID is unique in Table.
	ID string
	// State is Fail or Warn.
	State State
	// Means says what is wrong, Cure what to do.
	Means, Cure string
}

// Names of the checks.
const (
	checkNode        = "node"
	checkCertificate = "certificate"
	checkKeys        = "keys"
	checkFiles       = "files"
	checkDisk        = "disk"
	checkBalancers   = "balancers"
	checkRoles       = "roles"
	checkRouter      = "router"
	checkClock       = "clock"
	checkSession     = "session"
	checkTunnels     = "tunnels"
	checkOption      = "publish-option"
	checkNetDB       = "netdb"
	checkDuplicate   = "duplicate"
	checkCluster     = "cluster"
	checkLeases      = "leases"
	checkPorts       = "ports"
)

const (
	fileLimit  = 5 * time.Second
	probeLimit = 2 * time.Minute
)

// Table is all that is checked, in the order of reports: the files, the routers, and what
// the network knows.
var Table = []Check{
	{checkNode, "The directory of a node says whose it is", fileLimit, []Fault{
		{"node-unreadable", Fail, "node.json is missing, or not what was written",
			"Name a directory that onelease cluster init or onelease cluster join has made. If it was one, restore it from a backup, or join anew with another directory"},
	}},
	{checkCertificate, "Certificates are good, and for a while", fileLimit, []Fault{
		{"certificate-unusable", Fail, "A certificate cannot be read, is not that of its key, or not that of the node",
			"Restore node.crt, node.key and ca.crt from one backup, or join anew. A server's own certificate is PEM"},
		{"certificate-expired", Fail, "A certificate has run out",
			"A node's: join anew, with a new token (onelease cluster invite) and another directory. A server's own: have it renewed by who issued it"},
		{"certificate-early", Fail, "A certificate is good from a later time on",
			"Set this machine's clock by NTP, and that of the balancer or CA that issued it"},
		{"certificate-expiring", Warn, "A certificate runs out within 30 days",
			"A node's is renewed by itself while it runs: run it, and see the check balancers. A server's own: have it renewed by who issued it"},
	}},
	{checkKeys, "The Destination's key file can be used", fileLimit, []Fault{
		{"keys-unreadable", Fail, "The key file cannot be read",
			"Check the path, and that the user who runs Onelease owns it: chown USER FILE; chmod 600 FILE"},
		{"keys-malformed", Fail, "The key file is not one, or cut off",
			"Want a private key file of i2pd (.dat) or Java I2P (eepPriv.dat), or SAM's base64. Restore it from a backup: nothing else brings a key back"},
		{"keys-expired", Fail, "The offline signature of its transient key has run out",
			"Make another transient key where the Destination's own is kept: onelease key offline OWN NEW --for TIME"},
		{"keys-expiring", Warn, "The offline signature runs out within 30 days",
			"Make another transient key where the Destination's own is kept: onelease key offline OWN NEW --for TIME"},
	}},
	{checkFiles, "Secrets can be read by their owner only", fileLimit, []Fault{
		{"file-open", Fail, "Others may read or write a file with a secret",
			"chmod 600 FILE. If others use this machine, take the secret for known to them: whoever has a key file is the Destination"},
		{"ca-open", Warn, "A balancer's CA key is not sealed: an earlier version has left it open, and a copy of the directory is the cluster",
			"Start the balancer with what opens the Destination's keys, or unlock it: it seals ca.key and removes it. Delete copies of the file"},
	}},
	{checkDisk, "There is room to write", fileLimit, []Fault{
		{"disk-full", Fail, "Less than 16 MiB are free, or no inode",
			"Make room, or move the directory. A balancer that cannot write leaves the lead to others, and a frontend cannot keep which LeaseSet was the newest"},
		{"disk-low", Warn, "Less than 256 MiB are free",
			"Make room before it is full: logs and core dumps are what grows"},
	}},
	{checkBalancers, "Balancers answer, with the cluster's certificates", 10 * time.Second, []Fault{
		{"balancers-away", Fail, "No balancer of the cluster answers",
			"Start one (onelease balancer --dir DIR), and see that its port can be reached from here: address, firewall. If they have moved, name another by --balancer"},
		{"balancer-away", Warn, "A balancer does not answer; another one does",
			"Start it. With three balancers the loss of one more stops all signing"},
		{"balancer-stranger", Fail, "What answers is not a balancer of this cluster",
			"Check the address. If its certificate is said to be too old or too new, set the clocks of both machines by NTP"},
	}},
	{checkCluster, "The cluster has a leader, or onelease up answers, and all frontends are there", 15 * time.Second, []Fault{
		{"no-leader", Fail, "The setup runs, and no balancer leads",
			"Start a majority of the balancers that have a vote; see onelease cluster members, and onelease cluster recover --help if they are lost"},
		{"site-away", Fail, "The setup runs, and onelease up does not answer",
			"Start it with this --dir, or see its log: onelease up says at the start what it lacks"},
		{"frontend-away", Warn, "A frontend is not connected to the leader, or its router has no session",
			"Start it (onelease frontend --dir DIR; onelease up has one for each router), and check the router beside it: onelease doctor --router there"},
	}},
	{checkRoles, "There are members and publishers, and each router is one", fileLimit, []Fault{
		{"no-publisher", Fail, "No router is a publisher: nobody could find the Destination",
			"Give one the role publisher, best a small router that is nothing else"},
		{"no-member", Fail, "No router is a member: nothing would serve",
			"Give two routers the role member"},
		{"single-member", Warn, "Only one router is a member: when it is lost nothing serves",
			"Give a second router the role member"},
		{"both-roles", Warn, "A router is both member and publisher: it loses remotes to the others now and then",
			"Have a small second router publish; i2pd with notransit=true takes 15 MB"},
		{"router-twice", Fail, "Two entries are the same router: it refuses a second session of one Destination",
			"Name each router once, with all its roles; or correct the port of one"},
	}},
	{checkRouter, "The router answers as an I2CP server does", 15 * time.Second, []Fault{
		{"router-refused", Fail, "Nothing listens at the address",
			"Start the router, enable I2CP in it (i2pd: [i2cp] enabled = true), and check the port: 7654 unless it was changed"},
		{"router-unreachable", Fail, "The address cannot be connected to",
			"Check host and port; the router must be on this machine"},
		{"router-silent", Fail, "It takes the connection and says nothing",
			"The router hangs, or is just starting: see its log, restart it"},
		{"router-sam", Fail, "The address is that of a SAM bridge",
			"Give the router's I2CP port, not its SAM port: 7654 where SAM has 7656 (i2pd: [i2cp] enabled = true)"},
		{"router-http", Fail, "The address is that of an HTTP server: a router's console or proxy",
			"Give the router's I2CP port: 7654 unless it was changed"},
		{"router-stranger", Fail, "What answers there does not speak I2CP",
			"Give the router's I2CP port: 7654 unless it was changed. I2CP over TLS is not spoken: it must be off for the loopback"},
		{"router-password", Fail, "The router wants another user or password",
			"Give user and password-file in the configuration as they are in the router (Java I2P: i2cp.auth)"},
	}},
	{checkClock, "The router's clock is this machine's", 20 * time.Second, []Fault{
		{"clock-router", Fail, "The router's clock is off by more than 30 s: its tunnels and our LeaseSets will not do for the other",
			"Set the clocks of the router's machine and of this one by NTP, then restart the router"},
		{"clock-here", Fail, "All routers agree, and this machine's clock is off by more than 30 s",
			"Set this machine's clock by NTP"},
		{"clock-drift", Warn, "The router's clock is off by more than 5 s",
			"See that NTP runs on both machines, before it is 30 s"},
	}},
	{checkSession, "The router takes one more session", 15 * time.Second, []Fault{
		{"session-refused", Fail, "The router has no room for another session",
			"Raise its limit, or end other clients of it; a router that shuts down refuses as well"},
		{"session-invalid", Fail, "The router takes a right session for wrong",
			"Check the clock first, then whether the router is too old: it must know Ed25519 and LeaseSet2"},
		{"session-none", Fail, "The router makes no session and says nothing of it",
			"See the router's log; restart it"},
	}},
	{checkTunnels, "The router builds tunnels", probeLimit, []Fault{
		{"no-tunnels", Fail, "The router has built no tunnels for a client",
			"A router that has just begun needs some minutes. Else see in its console how many routers it knows and whether it is firewalled; open its port"},
	}},
	{checkOption, "The router reads i2cp.dontPublishLeaseSet as is set for it", probeLimit, []Fault{
		{"option-inverted", Fail, "It reads the option the other way round: a member's own leases are in the netDB in place of all routers', and a publisher publishes nothing",
			"Set what was found for this router: --router NAME=ADDR,ROLE,inverted or normal; --dont-publish of a frontend; or auto. i2pd 2.58 is inverted"},
	}},
	{checkNetDB, "The netDB has a LeaseSet of the Destination, while it runs", time.Minute, []Fault{
		{"netdb-nothing", Fail, "The setup runs, and a router finds nothing of it in the netDB",
			"Wait for a minute after the start. Then see that a publisher has its session (onelease cluster status), and the check publish-option"},
	}},
	{checkDuplicate, "No other machine hosts the Destination", time.Minute, []Fault{
		{"duplicate", Fail, "Nothing of this setup runs, and the netDB has a LeaseSet: another machine has the key, and no cluster with us. The last to publish would win, in turn",
			"If something of it ran within the last ten minutes, wait and check again. Else find the other machine and stop it, or have it join the cluster (onelease cluster invite). If you do not know it, the key is stolen"},
		{"duplicate-here", Fail, "A tunnel of a router here, or a program that speaks SAM to it, has the Destination beside us: the last to publish wins, in turn",
			"Take it out of that i2pd's tunnels.conf and restart i2pd, or end the program. Nobody but Onelease may have the key"},
	}},
	{checkLeases, "The leases in the netDB are those of the cluster's members", 30 * time.Second, []Fault{
		{"leases-strange", Fail, "No lease in the netDB is one of our frontends': another machine has the key, and publishes",
			"Check again after a minute, since all may just have ended. Then find the other machine and stop it, or have it join the cluster (onelease cluster invite). If you do not know it, the key is stolen"},
		{"leases-own", Fail, "All leases in the netDB are one member's, and others have tunnels: its router publishes its own LeaseSet in place of the merged one",
			"Check the option of that router: onelease doctor --router there, see publish-option; set --dont-publish of its frontend"},
	}},
	{checkPorts, "No port is open wider than it must", 10 * time.Second, []Fault{
		{"i2cp-open", Warn, "I2CP of the router answers on an address of the network too: who can reach it may use the router, and keys cross the network in the clear",
			"Bind it to 127.0.0.1 (i2pd: [i2cp] address = 127.0.0.1; Java I2P: i2cp.tcp.bindAllInterfaces=false)"},
		{"i2cp-remote", Fail, "The router is on another machine: keys would cross the network in the clear",
			"Run a frontend beside it (onelease frontend), or a router here"},
		{"listener-plain", Warn, "A SAM port is open to other machines, without TLS: passwords and keys cross the network in the clear",
			"Give --tls-cert and --tls-key, or listen on 127.0.0.1"},
	}},
}

// limit is that of a check.
func limit(check string) time.Duration {
	for _, c := range Table {
		if c.Name == check {
			return c.Limit
		}
	}
	panic("doctor: no check " + check + " in the table")
}
