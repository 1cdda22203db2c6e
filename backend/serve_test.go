package backend

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"syscall"
	"testing"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/pluginwire"
)

// testServices are what the test binary can be as a plugin.
var testServices = map[string]func() Service{
	"probe": func() Service { return &probe{} },
	"plain": func() Service { return ServiceFunc(func(context.Context, Node) error { return nil }) },
}

// A probe does what streams to its port ask for, and tells what came of it.
type probe struct {
	Port     uint16   `toml:"port" comment:"I2P port"`
	Greeting string   `toml:"greeting" comment:"sent first"`
	MaxAge   Duration `toml:"max-age"`
	node     Node
}

func (p *probe) SetDefaults() {
	if p.Port == 0 {
		p.Port = 80
	}
}

func (p *probe) Check() error {
	if p.Greeting == "bad" {
		return errors.New(`probe: setting greeting: "bad" is rude`)
	}
	return nil
}

func (p *probe) Serve(ctx context.Context, node Node) error {
	s := *p
	s.SetDefaults()
	s.node = node
	ln, err := node.Listen(s.Port)
	if err != nil {
		return err
	}
	end := make(chan error)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go s.obey(c, end)
		}
	}()
	select {
	case <-ctx.Done():
		if s.Greeting == "stubborn" {
			select {}
		}
		return errors.New("told to end")
	case err := <-end:
		return err
	}
}

func (p *probe) obey(c net.Conn, end chan<- error) {
	defer c.Close()
	in := bufio.NewReader(c)
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	fmt.Fprint(c, p.Greeting)
	command, arg, _ := strings.Cut(strings.TrimSpace(line), " ")
	switch command {
	case "echo":
		io.Copy(c, in)
		c.(interface{ CloseWrite() error }).CloseWrite()
	case "addrs":
		fmt.Fprint(c, c.LocalAddr(), " ", c.RemoteAddr(), " ", p.node.Destination().Base32())
	case "dial":
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		to, err := p.node.DialContext(ctx, "tcp", arg)
		if err != nil {
			fmt.Fprint(c, tell(err))
			return
		}
		io.Copy(to, in)
		to.Close()
	case "lookup":
		dest, err := p.node.Lookup(context.Background(), arg)
		fmt.Fprint(c, dest.Base32(), tell(err))
	case "listen":
		_, err := p.node.Listen(7)
		fmt.Fprint(c, tell(err))
	case "read":
		_, err := io.Copy(io.Discard, in)
		p.node.Logger().Warn("read", "error", tell(err), "n", 7)
	case "packets":
		conn, err := p.node.ListenPacket(Datagram, 7)
		if err != nil {
			fmt.Fprint(c, tell(err))
			return
		}
		echoAll(conn)
	case "print":
		fmt.Println("on stdout", arg)
		fmt.Fprintln(os.Stderr, "on stderr", arg)
		p.node.Logger().Debug("not to be seen")
		slog.Info("by slog")
	case "panic":
		panic("a bug")
	case "end":
		var err error
		if arg != "" {
			err = errors.New(arg)
		}
		end <- err
	}
}

// echoAll answers datagrams; an empty one is answered by its error.
func echoAll(conn net.PacketConn) {
	buffer := make([]byte, 2000)
	for {
		n, from, err := conn.ReadFrom(buffer)
		if err != nil {
			return
		}
		if _, err = conn.WriteTo(buffer[:n], from); err != nil {
			conn.WriteTo([]byte(tell(err)), i2p.NewAddr(from.(*Addr).Destination, 1))
		}
		if string(buffer[:n]) == "big" {
			_, err = conn.WriteTo(make([]byte, 1001), from)
			conn.WriteTo([]byte(tell(err)), from)
		}
		if string(buffer[:n]) == "close" {
			conn.Close()
		}
	}
}

// tell names what an error is for errors.Is.
func tell(err error) string {
	text := ""
	for name, target := range map[string]error{
		"refused": streaming.ErrRefused, "ECONNREFUSED": syscall.ECONNREFUSED, "reset": streaming.ErrReset, "timeout": streaming.ErrTimeout,
		"in use": ErrPortInUse, "no frontend": ErrNoFrontend, "no signer": ErrNoSigner, "not found": sam.ResultKeyNotFound,
		"too large": ErrTooLarge, "closed": net.ErrClosed, "EOF": io.EOF, "config": ErrConfig,
	} {
		if errors.Is(err, target) {
			text += "[" + name + "]"
		}
	}
	if err != nil {
		text += " " + err.Error()
	}
	return text
}

// probing is a probe that runs, and its port.
func probing(t *testing.T, settings string) (*fakeHost, *pluginpb.Open) {
	t.Helper()
	h := startPlugin(t, "probe")
	if err := h.begin(settings); err != nil {
		t.Fatalf("%v; log: %s", err, h.log)
	}
	return h, within(t, "the port is open", h.opened)
}

// ask sends a command and returns all of the answer.
func (h *fakeHost) ask(port *pluginpb.Open, command string) string {
	h.t.Helper()
	c := h.stream(port)
	io.WriteString(c, command+"\n")
	c.CloseWrite()
	answer, err := io.ReadAll(c)
	if err != nil {
		h.t.Fatalf("%s: %v; log: %s", command, err, h.log)
	}
	return string(answer)
}

func wantAll(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not have %q", text, part)
		}
	}
}

func TestPluginDescribes(t *testing.T) {
	t.Parallel()
	h := startPlugin(t, "probe")
	d, err := h.calls.Describe(t.Context(), &pluginpb.DescribeRequest{})
	if err != nil || d.Name != "probe" || d.Version != "1.2" {
		t.Fatal(d, err)
	}
	wantAll(t, d.Settings, "# I2P port\nport = 80\n", "# sent first\ngreeting = ''\n", "max-age = '0s'\n")
	h.client.Kill()
	if code := h.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestPluginSettings(t *testing.T) {
	t.Parallel()
	for settings, says := range map[string]string{
		"port = 80\ngreting = 'x'":  `settings of probe: line 2: unknown key "greting": did you mean "greeting"?`,
		"port = 'x'":                "line 1",
		"port = 70000":              "line 1",
		"[":                         "line 1",
		"greeting = 'bad'":          `settings of probe: setting greeting: "bad" is rude`,
		"node = 1":                  `unknown key "node"`,
		"max-age = 'a while'":       "is no duration",
		"port = 80\n[port]\nx = 1 ": "line 2",
	} {
		if err := newPluginProgram(&probe{}, []ServeOption{ServeName("probe")}).configure(settings); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", settings, err, says)
		}
	}
	h := startPlugin(t, "probe")
	if err := h.begin("prt = 1"); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), `did you mean "port"`) {
		t.Error(err)
	}
	if code := h.exit(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	h = startPlugin(t, "plain")
	if err := h.begin("x = 1"); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "it has none") {
		t.Errorf("settings for a service that has none: %v", err)
	}
	h, port := probing(t, "port = 8080\ngreeting = 'hello '")
	if port.Port != 8080 {
		t.Errorf("it opened %v", port)
	}
	wantAll(t, h.ask(port, "addrs"), "hello ", ".b32.i2p:8080 ", ".b32.i2p:99 "+h.dest.Base32())
}

func TestPluginStreams(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	data := make([]byte, 1<<20)
	rand.Read(data)
	done := make(chan struct{})
	for range 8 {
		go func() {
			defer func() { done <- struct{}{} }()
			c := h.stream(port)
			go func() {
				io.WriteString(c, "echo\n")
				c.Write(data)
				c.CloseWrite()
			}()
			if got, err := io.ReadAll(c); err != nil || !bytes.Equal(got, data) {
				t.Errorf("%d bytes came back, %v", len(got), err)
			}
			if err := c.AwaitClose(); err != nil {
				t.Error(err)
			}
		}()
	}
	for range 8 {
		within(t, "a stream is done", done)
	}
	for what, end := range map[string]func(*pluginwire.Conn){
		"[reset]":   func(c *pluginwire.Conn) { c.Reset() },
		"[timeout]": func(c *pluginwire.Conn) { c.Abort(streaming.ErrTimeout) },
	} {
		c := h.stream(port)
		io.WriteString(c, "read\n"+strings.Repeat("x", 100_000))
		end(c)
		h.awaitLog(`"error":"` + what)
	}
	wantAll(t, h.log.String(), `"@level":"warn"`, `"@message":"read"`, `"@timestamp":"2`, `"n":7`)
}

func (h *fakeHost) awaitLog(text string) {
	h.t.Helper()
	for by := time.Now().Add(patience); !strings.Contains(h.log.String(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(by) {
			h.t.Fatalf("no %q in the log: %s", text, h.log)
		}
	}
}

func TestPluginDials(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	c := h.stream(port)
	io.WriteString(c, "dial example.i2p:25\nhello there")
	c.CloseWrite()
	d := within(t, "it dials", h.dials)
	if d.address != "example.i2p:25" || d.limit <= 0 || d.limit > patience {
		t.Errorf("%q, %v", d.address, d.limit)
	}
	d.unwatch()
	d.Begin(nil, i2p.NewAddr(h.dest, 25))
	if got, err := io.ReadAll(d); string(got) != "hello there" || err != nil {
		t.Errorf("%q, %v", got, err)
	}
	go func() {
		d := <-h.dials
		d.unwatch()
		d.Refuse(&net.OpError{Op: "dial", Net: "i2p", Err: fmt.Errorf("example.i2p: %w", streaming.ErrRefused)})
	}()
	wantAll(t, h.ask(port, "dial example.i2p:25"), "[refused]", "[ECONNREFUSED]", " dial i2p: example.i2p: stream refused")
}

func TestPluginLookupsAndPorts(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	wantAll(t, h.ask(port, "lookup example.i2p"), h.dest.Base32())
	h.lookupError = fmt.Errorf("look up x: %w", sam.ResultKeyNotFound)
	wantAll(t, h.ask(port, "lookup x"), "[not found]", "look up x: KEY_NOT_FOUND")
	for name, err := range map[string]error{
		"in use": fmt.Errorf("listen on port 7: %w", streaming.ErrPortInUse), "no frontend": ErrNoFrontend, "no signer": ErrNoSigner, "config": ErrConfig,
	} {
		h.openError = err
		wantAll(t, h.ask(port, "listen"), "["+name+"]", " "+err.Error())
		wantAll(t, h.ask(port, "packets"), "["+name+"]", " "+err.Error())
	}
}

func TestPluginPackets(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	c := h.stream(port)
	io.WriteString(c, "packets\n")
	open := within(t, "the port is open", h.opened)
	if open.Kind != uint32(Datagram) || open.Port != 7 {
		t.Fatal(open)
	}
	conn := within(t, "the port is connected", h.packets)
	conn.Begin()
	remote := i2p.NewAddr(newKeys(t).Destination, 3)
	buffer := make([]byte, 2000)
	trip := func(text string, from *Addr) (string, *Addr) {
		conn.WriteTo([]byte(text), from)
		n, to, err := conn.ReadFrom(buffer)
		if err != nil {
			t.Fatal(err)
		}
		return string(buffer[:n]), to.(*Addr)
	}
	if text, to := trip("hello", remote); text != "hello" || *to != *remote {
		t.Errorf("%q to %v", text, to)
	}
	// The answer to a hash is looked up once, by the plugin.
	byHash := &Addr{Hash: h.dest.Hash(), Port: 5}
	for range 2 {
		if text, to := trip("hash", byHash); text != "hash" || to.Destination != h.dest || to.Port != 5 {
			t.Errorf("%q to %v", text, to)
		}
		h.lookupError = sam.ResultKeyNotFound
	}
	trip("big", remote)
	if n, _, err := conn.ReadFrom(buffer); err != nil || !strings.Contains(string(buffer[:n]), "[too large]") {
		t.Errorf("%q, %v", buffer[:n], err)
	}
	trip("close", remote)
	if id := within(t, "the port is closed", h.closed); id != open.Id {
		t.Errorf("port %d was closed", id)
	}
}

func TestPluginDrains(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	c := h.stream(port)
	io.WriteString(c, "echo\nhello")
	c.SetReadDeadline(time.Now().Add(patience))
	buffer := make([]byte, 5)
	if _, err := io.ReadFull(c, buffer); err != nil {
		t.Fatal(err)
	}
	h.drain(patience)
	if id := within(t, "the port is closed", h.closed); id != port.Id {
		t.Errorf("port %d was closed", id)
	}
	io.WriteString(c, "again")
	if _, err := io.ReadFull(c, buffer); err != nil || string(buffer) != "again" {
		t.Errorf("%q, %v: a stream must go on until Drain's limit", buffer, err)
	}
	c.CloseWrite()
	if rest, err := io.ReadAll(c); len(rest) > 0 || err != nil {
		t.Errorf("%q, %v", rest, err)
	}
	if err := within(t, "Run ends", h.runErr); err != nil {
		t.Error(err)
	}
	if code := h.exit(); code != 0 {
		t.Errorf("exit code %d", code)
	}
}

func TestPluginIsCutOffAtDrainsLimit(t *testing.T) {
	t.Parallel()
	for settings, code := range map[string]codes.Code{"": codes.OK, "greeting = 'stubborn'": codes.DeadlineExceeded} {
		h, port := probing(t, settings)
		c := h.stream(port)
		io.WriteString(c, "echo\n")
		h.drain(50 * time.Millisecond)
		if _, err := io.Copy(io.Discard, c); !errors.Is(err, streaming.ErrReset) {
			t.Errorf("%q: what was open is %v", settings, err)
		}
		if err := within(t, "Run ends", h.runErr); status.Code(err) != code {
			t.Errorf("%q: %v", settings, err)
		}
		h.exit()
	}
}

func TestPluginEnds(t *testing.T) {
	t.Parallel()
	for command, want := range map[string]struct {
		code int
		err  string
	}{"end": {0, ""}, "end no disk": {1, "service: no disk"}} {
		h, port := probing(t, "")
		c := h.stream(port)
		io.WriteString(c, command+"\n")
		err := within(t, "Run ends", h.runErr)
		if status.Convert(err).Message() != want.err {
			t.Errorf("%s: %v", command, err)
		}
		if code := h.exit(); code != want.code {
			t.Errorf("%s: exit code %d", command, code)
		}
	}
}

func TestPluginPanics(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	c := h.stream(port)
	io.WriteString(c, "panic\n")
	_, err := io.Copy(io.Discard, c)
	if !errors.Is(err, pluginwire.ErrBroken) {
		t.Errorf("its stream: %v", err)
	}
	if code := h.exit(); code != 2 {
		t.Errorf("exit code %d", code)
	}
	wantAll(t, h.log.String(), "panic: a bug", "serve_test.go")
	if err := within(t, "Run ends", h.runErr); status.Code(err) != codes.Unavailable {
		t.Error(err)
	}
}

func TestWhatAPluginPrintsIsLogged(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	h.ask(port, "print 1")
	for _, text := range []string{"on stdout 1", "on stderr 1", "by slog"} {
		h.awaitLog(text)
	}
	if strings.Contains(h.log.String(), "not to be seen") {
		t.Error("debug was not asked for")
	}
}

func TestPluginEndsWithItsHost(t *testing.T) {
	t.Parallel()
	h, port := probing(t, "")
	h.stream(port)
	h.cancel()
	h.exit()
	if err := within(t, "Run ends", h.runErr); status.Code(err) != codes.Canceled {
		t.Error(err)
	}
}

// A plugin that was started and never called does not outlive who started it.
func TestPluginEndsWithItsParent(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("/bin/sh", "-c", `"$0" & read line`, os.Args[0])
	cmd.Env = append(os.Environ(), testService+"=probe", pluginwire.CookieKey+"="+pluginwire.Cookie, "TMPDIR="+t.TempDir())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "1|1|unix|") {
		t.Errorf("%q, %v", line, err)
	}
	in.Close() // the shell ends
	done := make(chan error)
	go func() { _, err := io.ReadAll(lines); done <- err }()
	if err := within(t, "the plugin ends", done); err != nil {
		t.Error(err)
	}
	cmd.Wait()
}

func TestIntroduction(t *testing.T) {
	t.Parallel()
	s := newPluginProgram(&probe{}, []ServeOption{ServeName("probe"), ServeVersion("1.2")})
	say := func(args ...string) (string, string, int) {
		var out, err strings.Builder
		code := s.introduce(args, &out, &err)
		return out.String(), err.String(), code
	}
	for _, args := range [][]string{nil, {"--help"}} {
		out, err, code := say(args...)
		if err != "" || code != 0 {
			t.Errorf("%q: %s, %d", args, err, code)
		}
		wantAll(t, out, "probe 1.2 is a plugin", "onelease plugin add "+s.program, "--settings FILE", "    # I2P port\n    port = 80\n")
	}
	if out, err, code := say("--version"); out != "probe 1.2\n" || err != "" || code != 0 {
		t.Errorf("%q, %q, %d", out, err, code)
	}
	if out, err, code := say("--port", "7"); out != "" || !strings.Contains(err, "--port") || code != 2 {
		t.Errorf("%q, %q, %d", out, err, code)
	}
	s = newPluginProgram(ServiceFunc(nil), nil)
	if out, _, code := say(); !strings.Contains(out, "no settings") || code != 0 {
		t.Errorf("%q, %d", out, code)
	}
	cmd := exec.Command(os.Args[0], "--version")
	cmd.Env = append(os.Environ(), testService+"=probe")
	if out, err := cmd.Output(); string(out) != "probe 1.2\n" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}

func TestNameAndVersion(t *testing.T) {
	for path, want := range map[string]string{
		"example.org/x/cmd/counter": "counter", "example.org/counter/v2": "counter", "v2": "v2",
		"command-line-arguments": "program", "": "program",
	} {
		if got := nameOf(&debug.BuildInfo{Path: path}, "/usr/bin/program"); got != want {
			t.Errorf("%q is called %q", path, got)
		}
	}
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "0123456789abcdef"}, {Key: "vcs.modified", Value: "true"}}}
	info.Main.Version = "(devel)"
	if got := versionOf(info); got != "devel-0123456789ab+dirty" {
		t.Error(got)
	}
	info.Main.Version = "v1.2.3"
	if got := versionOf(info); got != "v1.2.3" {
		t.Error(got)
	}
}

func TestPluginLog(t *testing.T) {
	var b bytes.Buffer
	log := newPluginLog(&b, slog.LevelDebug-4)
	log.Log(t.Context(), slog.LevelDebug-4, "least", slog.Group("g", "level", "x", "msg", "y"))
	log.Log(t.Context(), slog.LevelWarn+2, "more", "time", "now", "level", 3)
	lines := strings.Split(b.String(), "\n")
	wantAll(t, lines[0], `"@level":"trace","@message":"least","g":{"level":"x","msg":"y"}`)
	wantAll(t, lines[1], `"@level":"warn","@message":"more","time":"now","level":3`)
}
