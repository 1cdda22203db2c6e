package main

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/internal/daemon"
	siteplugin "github.com/onelease/onelease/plugins/site"
	"github.com/onelease/onelease/test/embedded"
)

// versionMark is what a test's plugin has at its end, before its version.
const versionMark = "\nONELEASE-TEST-VERSION="

// servePlugin has the test binary be a plugin, of the version that was appended to it.
func servePlugin() {
	self, err := os.Executable()
	if err != nil {
		panic(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		panic(err)
	}
	_, version, _ := bytes.Cut(program[len(program)-100:], []byte(versionMark))
	backend.Serve(&siteplugin.Service{}, backend.ServeName("site"), backend.ServeVersion(string(version)))
}

// sitePlugin is the program of that plugin.
func sitePlugin(t *testing.T, version string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(self)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "site-"+version)
	if err := os.WriteFile(path, append(program, versionMark+version...), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// A deployment is a site with frontends on an embedded network, and a visitor there.
type deployment struct {
	*site
	network   *embedded.Network
	visitor   *embedded.Remote
	b32       string
	frontends []string // flags for backends
	i2cp      string   // address of a router
}

// newDeployment has a router that serves and one that publishes.
func newDeployment(t *testing.T) *deployment {
	t.Helper()
	d := &deployment{site: newSite(t), network: embedded.Start(embedded.Config{Members: 2, Profile: simnet.I2PD245})}
	t.Cleanup(d.network.Close)
	d.visitor = d.network.Remote()
	d.running["b1"].names(d.visitor)
	sam := freeAddr(t)
	for i, name := range []string{"member-1", "member-2"} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		router := d.network.Router(name)
		go func() { _ = router.ServeI2CP(ln) }() // ends with the listener
		t.Cleanup(func() { ln.Close() })
		d.i2cp = ln.Addr().String()
		d.join("frontend", name)
		role := [][]string{{"--member", "--sam", sam}, {"--publisher"}}[i]
		start(t, append([]string{"frontend", "--dir", d.of(name), "--router", ln.Addr().String()}, role...)...).names(d.visitor)
	}
	d.frontends = []string{"--frontend", "member-1=" + sam}
	d.b32 = d.members().Destination
	return d
}

// backend runs one with those services.
func (d *deployment) backend(args ...string) *process {
	d.t.Helper()
	b := start(d.t, append(append([]string{"backend"}, d.frontends...), args...)...)
	b.says("backend runs")
	b.names(d.visitor)
	return b
}

// get fetches a page by a stream of its own.
func (d *deployment) get(path string) (string, error) {
	client := http.Client{Timeout: 40 * time.Second, Transport: &http.Transport{DialContext: d.visitor.DialContext, DisableKeepAlives: true}}
	response, err := client.Get("http://" + d.b32 + path)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return strings.TrimSpace(string(body)), err
}

func (d *deployment) wantPage(want string) {
	d.t.Helper()
	if got, err := d.get("/"); got != want || err != nil {
		d.t.Errorf("the page is %q, %v; want %q", got, err, want)
	}
}

// status of the backend that runs with that directory.
func (d *deployment) status(dir string) (s daemon.Status) {
	d.t.Helper()
	if err := json.Unmarshal([]byte(do(d.t, "backend", "status", "--dir", dir, "--json")), &s); err != nil {
		d.t.Fatal(err)
	}
	return s
}

// plugin is the process of the backend's only plugin, and its version.
func (d *deployment) plugin(dir string) (pid int, version string) {
	d.t.Helper()
	for _, i := range d.status(dir).Services[0].Instances {
		if i.State == "running" {
			return i.PID, i.Version
		}
	}
	return 0, ""
}

// page makes a directory with that front page, and a file that takes a while.
func page(t *testing.T, text string) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range map[string][]byte{"index.html": []byte(text), "large.bin": make([]byte, 8<<20)} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// begin begins a download; what it returns reads the rest.
func (d *deployment) begin(path string) func() (int64, error) {
	d.t.Helper()
	client := http.Client{Transport: &http.Transport{DialContext: d.visitor.DialContext, DisableKeepAlives: true}}
	response, err := client.Get("http://" + d.b32 + path)
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { response.Body.Close() })
	return func() (int64, error) { return io.Copy(io.Discard, response.Body) }
}
