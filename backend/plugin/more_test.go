package plugin

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestDialAndLookup(t *testing.T) {
	r := start(t, Config{Path: program(t, "good-1")}, fast)
	for ask, want := range map[string]string{
		"self.i2p:9":   "1",
		"self.i2p:500": "error: stream refused",
		"other.i2p:1":  "error: KEY_NOT_FOUND",
		"?self.i2p":    fmt.Sprintf("%d ERROR_CODE_NONE", r.node.dest.Size()),
		"?other.i2p":   "0 ERROR_CODE_UNREACHABLE",
	} {
		if got := r.ask(ask); got != want {
			t.Errorf("%s: %q, want %q", ask, got, want)
		}
	}
	began := time.Now()
	if got := r.ask("nobody.i2p:1"); !strings.HasPrefix(got, "error: ") || time.Since(began) < 950*time.Millisecond {
		t.Errorf("a dial with a limit of a second: %q after %v", got, time.Since(began))
	}
}

// ask sends a line to the proxy port.
func (r *rig) ask(line string) string {
	r.t.Helper()
	c := r.node.await(r.t, proxyPort)
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	fmt.Fprintln(c, line)
	c.(memStream).CloseWrite()
	b, err := io.ReadAll(c)
	if err != nil {
		r.t.Errorf("%s: %v", line, err)
	}
	return string(b)
}

func (r *rig) packets() *memPackets {
	r.t.Helper()
	var p *memPackets
	until(r.t, "the port for datagrams", func() bool {
		r.node.mu.Lock()
		defer r.node.mu.Unlock()
		p = r.node.packets[portKey{18, echoPort}]
		return p != nil
	})
	return p
}

func TestDatagrams(t *testing.T) {
	for _, kind := range []string{"good", "served"} {
		t.Run(kind, func(t *testing.T) { testDatagrams(t, kind) })
	}
}

func testDatagrams(t *testing.T, kind string) {
	r := start(t, Config{Path: program(t, kind)}, fast)
	p := r.packets()
	for round := range 3 { // it dies in between
		pid := r.untilRunning()
		for i := range 100 {
			p.in <- fmt.Append(nil, round, " ", i)
		}
		for i := range 100 {
			select {
			case got := <-p.out:
				if string(got) != fmt.Sprint(round, " ", i) {
					t.Fatalf("round %d: %q, want %d", round, got, i)
				}
			case <-time.After(20 * time.Second):
				t.Fatalf("round %d: datagram %d did not come back", round, i)
			}
		}
		r.sup.killAll()
		until(t, "a restart", func() bool { now := r.pid(); return now != 0 && now != pid })
	}
	if s := r.sup.Stats(); s.PacketsIn != 300 || s.PacketsOut != 300 || s.DroppedIn != 0 || s.DroppedOut != 0 {
		t.Errorf("%+v", s)
	}
}

// A plugin that does not read datagrams loses them, and holds up nobody.
func TestDatagramsThatAreNotRead(t *testing.T) {
	r := start(t, Config{Path: program(t, "good")}, fast)
	n := beside(t, r.node)
	p := r.packets()
	p.in <- []byte("one")
	until(t, "an answer", func() bool { return len(p.out) == 1 })
	syscall.Kill(r.untilRunning(), syscall.SIGSTOP)
	packet := make([]byte, 10_000)
	until(t, "drops", func() bool {
		for range 100 {
			p.in <- packet
		}
		return r.sup.Stats().DroppedIn > 100
	})
	n.check(t)
}

// Streams under load break with their plugin, each with an error, and later ones are served.
func TestKillUnderLoad(t *testing.T) {
	for _, kind := range []string{"good", "served"} {
		t.Run(kind, func(t *testing.T) { testKills(t, kind) })
	}
}

func testKills(t *testing.T, kind string) {
	r := start(t, Config{Path: program(t, kind)}, fast)
	n := beside(t, r.node)
	r.node.await(t, echoPort).Close()
	load := r.load(8)
	for round := range 3 {
		pid := r.untilRunning()
		until(t, "streams", func() bool { return r.sup.Stats().Streams > uint64(100*(round+1)) })
		syscall.Kill(pid, syscall.SIGKILL)
		until(t, "a restart", func() bool { now := r.pid(); return now != 0 && now != pid })
	}
	streams, errs := load.end()
	t.Logf("%d streams, %d broke", streams, len(errs))
	if len(errs) > 3*8 {
		t.Errorf("%d of %d streams failed, want those at most that were open: %v", len(errs), streams, errs)
	}
	for _, err := range errs {
		if !strings.Contains(err.Error(), "reset") && !strings.Contains(err.Error(), "pipe") {
			t.Errorf("a stream ended by %v, want a reset", err)
		}
	}
	n.check(t)
	oneMore := r.node.await(t, echoPort)
	echo(t, oneMore, "at the end")
	oneMore.Close()
	r.stop()
	if s := r.sup.Stats(); s.StreamsOpen != 0 || s.Waiting != 0 || s.Ports != 0 {
		t.Errorf("%+v", s)
	}
}

// At the end of Serve streams are finished.
func TestDrainFinishesStreams(t *testing.T) {
	r := start(t, Config{Path: program(t, "good")}, fast)
	c := r.node.await(t, echoPort)
	echo(t, c, "before")
	r.end()
	r.untilLogged("draining the plugin")
	until(t, "the port to close", func() bool { return r.sup.Stats().Ports == 0 })
	echo(t, c, "while it drains")
	c.(memStream).CloseWrite()
	if _, err := io.ReadAll(c); err != nil {
		t.Error(err)
	}
	r.wait(nil)
}

func TestDescribe(t *testing.T) {
	d, err := Describe(t.Context(), Config{Name: "site", Path: program(t, "good-3"), Logger: slog.New(slog.DiscardHandler)})
	if err != nil || d.GetVersion() != "3" || d.GetName() != "fake" {
		t.Errorf("%v, %v", d, err)
	}
	path := program(t, "hang")
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := Describe(ctx, Config{Name: "site", Path: path, Logger: slog.New(slog.DiscardHandler)}); err == nil {
		t.Error("one that hangs was described")
	}
	noneOf(t, path)
}

// hostEnv has the path of a plugin for TestHost.
const hostEnv = "ONELEASE_TEST_HOST"

// TestHost is a host of its own process, for TestPluginsEndWithTheirHost.
func TestHost(t *testing.T) {
	path := os.Getenv(hostEnv)
	if path == "" {
		t.Skip("for another test")
	}
	r := start(t, Config{Path: path})
	fmt.Printf("plugin %d\n", r.untilRunning())
	select {}
}

func TestPluginsEndWithTheirHost(t *testing.T) {
	host := exec.Command(os.Args[0], "-test.run", "^TestHost$")
	dir, err := os.MkdirTemp("", "ol") // t.TempDir is too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir) // the host cannot
	host.Env = append(os.Environ(), hostEnv+"="+program(t, "good"), "TMPDIR="+dir)
	out, err := host.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	defer host.Wait()
	defer host.Process.Kill()
	var pid int
	for lines := bufio.NewScanner(out); pid == 0 && lines.Scan(); {
		fmt.Sscanf(lines.Text(), "plugin %d", &pid)
	}
	if pid == 0 || !lives(pid) {
		t.Fatalf("plugin %d does not run", pid)
	}
	host.Process.Kill()
	until(t, "the plugin's end", func() bool { return !lives(pid) })
}

func TestLimitsAreSet(t *testing.T) {
	r := start(t, Config{Path: program(t, "good"), Limits: Limits{MemoryMiB: 4096, OpenFiles: 333, Processes: 4444}})
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/limits", r.untilRunning()))
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"Max data size 4294967296 4294967296", "Max open files 333 333", "Max processes 4444 4444", "Max core file size 0 0"} {
		if !strings.Contains(strings.Join(strings.Fields(string(b)), " "), want) {
			t.Errorf("no %q in\n%s", want, b)
		}
	}
	env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", r.untilRunning()))
	for _, v := range strings.Split(strings.TrimRight(string(env), "\x00"), "\x00") {
		if name, _, _ := strings.Cut(v, "="); !strings.HasPrefix(name, "PLUGIN_") && name != "ONELEASE_PLUGIN" && name != "GOMEMLIMIT" && !strings.HasPrefix(v, "\n") {
			t.Errorf("in its environment: %.60q", v)
		}
	}
}

func TestConfigs(t *testing.T) {
	path := program(t, "good")
	for _, c := range []Config{
		{Path: path}, {Name: "site"}, {Name: "Site", Path: path}, {Name: "site", Path: path, SHA256: "12"},
		{Name: "site", Path: path, Settings: "a", SettingsFile: "b"}, {Name: "site", Path: path, StartLimit: -1},
		{Name: "site", Path: path, Limits: Limits{OpenFiles: 1}},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), "plugin configuration") {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
