package plugin

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/internal/pluginwire"
)

// The test binary is its own plugin: by a link to it with the name of a kind in
// fakes, and what follows a dash is its version.
func TestMain(m *testing.M) {
	if os.Getenv(handshake.MagicCookieKey) == "" {
		os.Exit(m.Run())
	}
	kind, version, _ := strings.Cut(filepath.Base(os.Args[0]), "-")
	f := &fake{version: strings.TrimSuffix(version, ".plugin")}
	if kind == "served" {
		backend.Serve(backend.ServiceFunc(served), backend.ServeVersion(f.version))
	}
	if early := earlyFakes[kind]; early != nil {
		early()
		os.Exit(0)
	}
	f.run = fakes[kind]
	f.serve(handshake)
}

// earlyFakes misbehave before they are plugins.
var earlyFakes = map[string]func(){
	"garbage": func() { fmt.Println("Hello, World!\x1b[31m") },
	"quiet":   func() {},
	"hang":    func() { select {} },
	"binary":  func() { os.Stdout.Write(make([]byte, 1<<20)) },
	"tcp":     func() { fmt.Println("1|1|tcp|192.0.2.1:22|grpc|"); select {} },
	"netrpc":  func() { fmt.Println("1|1|unix|/tmp/none|netrpc|"); select {} },
	"nobody":  func() { fmt.Println("1|1|unix|/tmp/onelease-there-is-none|grpc|"); select {} },
	"dies":    func() { fmt.Fprintln(os.Stderr, "panic: cannot find my files"); os.Exit(3) },
	"future": func() {
		h := handshake
		h.ProtocolVersion = 7
		new(fake).serve(h)
	},
}

// fakes are what plugins do once they were told to start. What they return ends Run.
var fakes = map[string]func(*fake) error{
	"good":     (*fake).work,
	"unready":  func(f *fake) error { select {} },
	"settings": func(f *fake) error { return status.Error(codes.InvalidArgument, "line 3: no such key: colour") },
	"fails": func(f *fake) error {
		f.ready()
		return status.Error(codes.Internal, "the database is away")
	},
	"done": func(f *fake) error { f.ready(); return nil },
	"floods": func(f *fake) error {
		go func() {
			line := []byte(strings.Repeat("all work and no play ", 10) + "\n")
			for {
				syscall.Write(2, line)
			}
		}()
		return f.work()
	},
	"chatters": func(f *fake) error {
		fmt.Println("on standard output")
		fmt.Fprintln(os.Stderr, "on standard error")
		syscall.Write(2, []byte(`{"@level":"warn","@message":"in JSON","n":7}`+"\n"))
		syscall.Write(1, []byte("straight to standard output\n"+strings.Repeat("x", 100_000)+"\n"))
		return f.work()
	},
	"forks": func(f *fake) error {
		child := exec.Command("/bin/sleep", "1000")
		child.Stdout, child.Stderr = os.NewFile(1, ""), os.NewFile(2, "")
		if err := child.Start(); err != nil {
			return err
		}
		syscall.Write(2, fmt.Appendf(nil, "child %d\n", child.Process.Pid))
		return f.work()
	},
	"escapes": func(f *fake) error {
		child := exec.Command("/bin/sleep", "1000")
		child.Stdout, child.Stderr = os.NewFile(1, ""), os.NewFile(2, "")
		child.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		if err := child.Start(); err != nil {
			return err
		}
		syscall.Write(2, fmt.Appendf(nil, "child %d\n", child.Process.Pid))
		return f.work()
	},
	"stubborn": func(f *fake) error { f.stubborn = true; return f.work() },
	"refuses":  func(f *fake) error { f.handle = func(c *pluginwire.Conn) { c.Reset() }; return f.work() },
	"sleeps":   func(f *fake) error { f.ignore = true; return f.work() },
	"late":     func(f *fake) error { time.Sleep(300 * time.Millisecond); return f.work() },
	"portless": func(f *fake) error { f.portless = true; return f.work() },
	"deaf": func(f *fake) error {
		f.ready()
		f.open(1, 6, 7)
		select {}
	},
	"breaks": func(f *fake) error {
		f.ready()
		f.out.Send(&pluginpb.FromPlugin{})
		f.open(1, 4711, 1<<20)
		f.open(2, 6, 7)
		f.open(2, 6, 7)
		net.Dial("unix", f.start.DataSocket)
		if c, err := net.Dial("unix", f.start.DataSocket); err == nil {
			c.Write(make([]byte, 1000))
		}
		_, err := pluginwire.AcceptStream(context.Background(), f.start.DataSocket, f.token(), 99)
		fmt.Fprintf(os.Stderr, "no such stream: %v\n", err)
		return f.work()
	},
	"hungry": func(f *fake) error {
		for hoard := []byte{1}; ; {
			hoard = append(hoard, hoard...)
		}
	},
}
