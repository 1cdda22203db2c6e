package backend

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
	"github.com/onelease/onelease/internal/pluginwire"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

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
