// Package i2pd gives tests a private I2P network of stock i2pd routers: real
// processes, real tunnels, nothing mocked, and no way to the outside. It is not
// for production, and not for tests that the embedded network (i2p/simnet) can
// serve: starting a network takes seconds, not milliseconds.
//
// First use. The test package hands its TestMain over, once:
//
//	func TestMain(m *testing.M) { os.Exit(i2pd.Main(m)) }
//
// and a test asks for routers:
//
//	func TestSomething(t *testing.T) {
//		net := i2pd.Start(t, i2pd.Config{Routers: 12, Floodfills: 6, Killable: []int{10, 11}})
//		session := dialI2CP(net.Router(10).I2CPAddr())
//		...
//		net.Router(10).Kill()
//	}
//
// # When these tests run
//
// They are slow, so plain "go test ./..." skips them. ONELEASE_I2PD_TESTS=1 turns
// them on; where something is missing they skip and say what, and how to get it.
// ONELEASE_REQUIRE_I2PD=1 turns them on too, and makes a missing thing a failure: CI
// sets it. ONELEASE_I2PD names the i2pd binary, else it is looked for in PATH and at
// /usr/sbin/i2pd.
//
// # How it is closed
//
// Routers and test must share one network namespace with nothing but lo in it. Main
// runs the test binary a second time, in new network, PID and mount namespaces, and
// runs the tests there. The alternatives were a named namespace with "ip netns exec"
// (outlives a crash), and switching single threads with setns (a Go test cannot keep
// its goroutines on them). This way no namespace has a name, so none can be left
// behind: the inner test binary is process 1 of its PID namespace, and when it ends,
// however it ends, the kernel kills every router with it. The outer one only passes on
// output, signals and the exit code. The kernel kills the inner one should the outer
// one die (Pdeathsig); the outer one ends by itself should "go test" die.
//
// Files live in one directory per run, which is TMPDIR for the tests inside. The outer
// process removes it, and holds a lock on it meanwhile: the next run removes the
// directories that nobody holds, so that not even kill -9 leaves something for long.
package i2pd
