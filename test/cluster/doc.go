// Package cluster tests a whole service: balancers that are processes of their
// own, an embedded I2P network, frontends, a backend, and remotes whose requests
// and streams go on while balancers are killed, stopped, cut off, given wrong
// clocks and full disks. It has nothing but tests:
//
//	go test -race -count=1 -v ./test/cluster
//	ONELEASE_SOAK=1 go test -race -count=1 -v -timeout 60m ./test/cluster
//
// # How it is judged
//
// By the history of the run, as in the robustness tests of etcd and in Jepsen:
// every LeaseSet that a frontend took or refused, every one that a router was
// given and that floodfills took, every change that an operator was told was
// made, every look at the replicated state. model_test.go has what all of it must
// be explained by, judged_test.go shows that the checks can fail.
//
// # Processes and networks
//
// A balancer is this test binary, started again; for TestRollingUpgrade also as the
// go command builds it with the tag onelease_nextformat. On Linux the tests run in new
// network, PID and mount namespaces, and each balancer of TestPartitions in
// another network namespace: nothing has a name outside, and the kernel ends and
// removes all of it when the tests end, however they end. Where namespaces cannot
// be had TestPartitions is skipped; ONELEASE_REQUIRE_NETNS=1 makes that a failure.
package cluster
