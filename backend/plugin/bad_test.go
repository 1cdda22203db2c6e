package plugin

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A service that fails is started again, ever more seldom, and nothing else suffers.
func TestServicesThatFail(t *testing.T) {
	r := start(t, Config{Path: program(t, "fails")}, fast)
	n := beside(t, r.node)
	until(t, "restarts", func() bool { return r.sup.Stats().Restarts >= 3 })
	n.check(t)
	r.stop()
	r.untilLogged("the database is away")
	if s := r.sup.Stats(); !strings.Contains(s.LastExit.Reason, "the database is away") {
		t.Errorf("%+v", s)
	}
}

func TestADoneServiceEndsServe(t *testing.T) {
	r := start(t, Config{Path: program(t, "done")})
	r.wait(nil)
}

func TestALogThatFloods(t *testing.T) {
	r := start(t, Config{Path: program(t, "floods")}, fast)
	n := beside(t, r.node)
	c := r.node.await(t, echoPort)
	echo(t, c, "hello")
	r.untilLogged("the plugin logs too much")
	until(t, "a second of it", func() bool { return strings.Count(r.logs.String(), "the plugin logs too much") >= 3 })
	echo(t, c, "still here")
	c.Close()
	n.check(t)
	r.stop()
	lines := strings.Count(r.logs.String(), `msg="all work`)
	if lines < logBurst || lines > logBurst+10*logRate || r.sup.Stats().LogSuppressed == 0 {
		t.Errorf("%d lines passed on, %d left out", lines, r.sup.Stats().LogSuppressed)
	}
}

func TestWhatAPluginPrints(t *testing.T) {
	r := start(t, Config{Path: program(t, "chatters")})
	for _, want := range []string{
		`level=INFO msg="on standard output" service=site`,
		`level=INFO msg="on standard error" service=site`,
		`level=WARN msg="in JSON" service=site n=7`,
		`level=INFO msg="straight to standard output" service=site`,
		`bytes more)" service=site`,
	} {
		r.untilLogged(want)
	}
	r.stop()
}

var childPID = regexp.MustCompile(`msg="child (\d+)"`)

func (r *rig) child() int {
	r.t.Helper()
	r.untilLogged("child ")
	pid, _ := strconv.Atoi(childPID.FindStringSubmatch(r.logs.String())[1])
	return pid
}

func lives(pid int) bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(b), ") Z ")
}

func TestChildrenDieWithThePlugin(t *testing.T) {
	r := start(t, Config{Path: program(t, "forks")}, fast)
	child := r.child()
	if !lives(child) {
		t.Fatal("no child")
	}
	syscall.Kill(r.untilRunning(), syscall.SIGKILL)
	until(t, "the child's end", func() bool { return !lives(child) })
	r.stop()
}

// What leaves the process group lives on: that is a limit. It is said, and nothing waits for it.
func TestWhatLeavesTheGroupIsNamed(t *testing.T) {
	r := start(t, Config{Path: program(t, "escapes")}, fast)
	child := r.child()
	defer syscall.Kill(child, syscall.SIGKILL)
	r.untilRunning()
	began := time.Now()
	r.stop()
	if took := time.Since(began); took > 3*time.Second {
		t.Errorf("it was waited for %v", took)
	}
	if !lives(child) || !strings.Contains(r.logs.String(), "has left its process group") {
		t.Errorf("lives: %v; the log does not name it", lives(child))
	}
}

func TestAPluginThatIgnoresDrainIsKilled(t *testing.T) {
	r := start(t, Config{Path: program(t, "stubborn"), DrainLimit: 300 * time.Millisecond})
	r.untilRunning()
	began := time.Now()
	r.stop()
	if took := time.Since(began); took < 300*time.Millisecond || took > 3*time.Second {
		t.Errorf("it took %v", took)
	}
	r.untilLogged("time to drain was over")
}

func TestAStoppedPluginIsKilled(t *testing.T) {
	r := start(t, Config{Path: program(t, "good")}, fast)
	n := beside(t, r.node)
	c := r.node.await(t, echoPort)
	echo(t, c, "hello")
	pid := r.untilRunning()
	syscall.Kill(pid, syscall.SIGSTOP)
	if _, err := io.ReadAll(c); err == nil {
		t.Error("its stream ended as if it were whole")
	}
	r.untilLogged("it hangs or was stopped")
	again := r.node.await(t, echoPort)
	echo(t, again, "again")
	again.Close()
	if r.untilRunning() == pid {
		t.Error("the same process")
	}
	n.check(t)
}

func TestStreamsThatAreRefused(t *testing.T) {
	r := start(t, Config{Path: program(t, "refuses")}, fast)
	n := beside(t, r.node)
	for range 50 {
		c := r.node.await(t, echoPort)
		if b, err := io.ReadAll(c); err == nil {
			t.Fatalf("read %q, want an error", b)
		}
	}
	n.check(t)
	if s := r.sup.Stats(); s.Streams != 50 || s.Broken != 50 || s.Restarts != 0 {
		t.Errorf("%+v", s)
	}
}

// Streams that the plugin does not accept are reset in time, and no more than 128
// are told of at once.
func TestStreamsThatNobodyAccepts(t *testing.T) {
	for _, kind := range []string{"sleeps", "deaf"} {
		r := start(t, Config{Path: program(t, kind), DrainLimit: 100 * time.Millisecond}, fast, func(s *Supervisor) { s.timing.accept = 500 * time.Millisecond })
		n := beside(t, r.node)
		var streams []io.Reader
		for range maxIncoming + 50 {
			streams = append(streams, r.node.await(t, echoPort))
		}
		if s := r.sup.Stats(); s.Waiting > maxIncoming {
			t.Errorf("%s: %d streams wait", kind, s.Waiting)
		}
		for _, c := range streams {
			if b, err := io.ReadAll(c); err == nil {
				t.Fatalf("%s: read %q, want an error", kind, b)
			}
		}
		n.check(t)
		if s := r.sup.Stats(); s.Unaccepted != uint64(len(streams)) || s.Waiting != 0 {
			t.Errorf("%s: %+v", kind, s)
		}
		r.stop()
	}
}

func TestAPluginThatBreaksTheProtocol(t *testing.T) {
	r := start(t, Config{Path: program(t, "breaks")}, fast)
	n := beside(t, r.node)
	r.untilLogged("no such stream: ")
	r.untilLogged("not waiting for this plugin")
	echo(t, r.node.await(t, versionPort), "")
	n.check(t)
	if s := r.sup.Stats(); s.Restarts != 0 {
		t.Errorf("%+v", s)
	}
}

// A plugin that takes memory without end is ended by its limit: what it says then
// depends on whether a thread or the heap was to get the last of it.
func TestMemoryIsLimited(t *testing.T) {
	r := start(t, Config{Path: program(t, "hungry"), MustStart: true, StartLimit: time.Minute, Limits: Limits{MemoryMiB: 512}})
	n := beside(t, r.node)
	if err := <-r.done; err == nil || !strings.Contains(err.Error(), "ended before it was ready") {
		t.Errorf("Serve: %v", err)
	}
	n.check(t)
}

func TestStreamsAreLimited(t *testing.T) {
	r := start(t, Config{Path: program(t, "good"), Limits: Limits{Streams: 5}}, fast)
	var open []io.Closer
	for range 4 { // and the port for datagrams
		c := r.node.await(t, echoPort)
		echo(t, c, "one of four")
		open = append(open, c)
	}
	if b, err := io.ReadAll(r.node.await(t, echoPort)); err == nil {
		t.Errorf("the fifth reads %q, want an error", b)
	}
	r.untilLogged("as many streams as it may")
	for _, c := range open {
		c.Close()
	}
	r.stop()
}
