package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p/simnet"
	"github.com/onelease/onelease/test/embedded"
)

// pageTime is how long looking at all pages may take.
const pageTime = 3 * time.Minute

// A watched page is what test/page/page.mjs is told of a node.
type watchedPage struct {
	URL     string   `json:"url"`
	Shows   string   `json:"shows"`
	Lost    string   `json:"lost,omitempty"` // once the router was killed
	Charts  []string `json:"charts,omitempty"`
	Busy    []string `json:"busy,omitempty"` // charts that show more than 0
	Token   string   `json:"token,omitempty"`
	Secrets []string `json:"secrets,omitempty"`
}

// TestPage looks at the pages of nodes in a real browser, as they are and when a router is
// killed. What it looks for is in test/page.
func TestPage(t *testing.T) {
	if os.Getenv("ONELEASE_PAGE") == "" {
		t.Skip("needs Chromium and Node: make test-page")
	}
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatal("install Chromium: ", err)
	}
	w := newPageWorld(t)
	w.visit("backend")
	config, err := json.Marshal(map[string]any{"chromium": chromium, "pages": w.pages, "locked": w.locked})
	if err != nil {
		t.Fatal(err)
	}
	looker(t, string(config), func() {
		w.network.Router("member-1").Kill()
	})
}

// looker runs page.mjs, which is to end well, and kills when it asks for that.
func looker(t *testing.T, config string, kill func()) {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../test/page")); err != nil {
		t.Fatal(err)
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--prefix", dir, "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("npm could not install what looks at pages; is there a network? %v\n%s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), pageTime)
	defer cancel()
	node := exec.CommandContext(ctx, "node", "page.mjs", config)
	node.Dir, node.WaitDelay = dir, time.Second
	var said bytes.Buffer
	node.Stderr = &said
	in, _ := node.StdinPipe()
	out, err := node.StdoutPipe()
	if err == nil {
		err = node.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if lines.Text() != "kill" {
			t.Log(lines.Text())
			continue
		}
		now := time.Now()
		kill()
		fmt.Fprintln(in, now.UnixMilli())
	}
	if err := node.Wait(); err != nil {
		t.Errorf("%v\n%s", err, said.Bytes())
	}
}

// A pageWorld is a node of each role on an embedded network.
type pageWorld struct {
	*site
	network *embedded.Network
	pages   map[string]watchedPage
	locked  watchedPage
}

func newPageWorld(t *testing.T) *pageWorld {
	w := &pageWorld{site: newSite(t), network: embedded.Start(embedded.Config{Profile: simnet.I2PD245}), pages: map[string]watchedPage{}}
	t.Cleanup(w.network.Close)
	w.kill("b1") // its socket is none that a browser could ask
	w.running["b1"] = w.watch("balancer", "[+] frontends: 3 of 3", "[!] frontends", []string{"Leases per router", "Publishes", "Failovers"},
		"--dir", w.of("b1"), "--identity-file", w.identity)
	w.running["b1"].says("this balancer leads")
	var links, routers []string
	for _, name := range []string{"member-1", "member-2", "publisher"} {
		links, routers = w.beside(name, links, routers)
	}
	w.join("backend", "worker")
	root := page(t, "hello")
	w.watch("backend", "[+] all-frontends: 2 of 2", "[!] all-frontends", []string{"Throughput of streams", "Stalls", "Packets per frontend"},
		append(links, "--dir", w.of("worker"), "--builtin", "site", "--set", fmt.Sprintf("site.root=%q", root))...)
	w.watch("sam", "[+] router member-1: up", "[!] router member-1", []string{"Destinations per router"},
		append(routers, "--listen", "127.0.0.1:0", "--udp", "none")...)
	w.watch("up", "[+] router member-1: session held", "[!] router member-1", []string{"Leases per router", "Publishes", "Failovers", "Throughput of streams", "Stalls"},
		append(routers, "--dir", w.of("site-1"), "--site", root)...)
	return w
}

// visit has a visitor fetch pages of the cluster's Destination until the test ends.
func (w *pageWorld) visit(role string) {
	page := w.pages[role]
	page.Busy = []string{"Throughput of streams", "Packets per frontend"}
	w.pages[role] = page
	client := http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: w.network.Remote().DialContext, DisableKeepAlives: true}}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan struct{})
	w.t.Cleanup(func() { stop(); <-ended })
	url := "http://" + w.members().Destination + "/"
	go func() {
		defer close(ended)
		for ctx.Err() == nil {
			request, _ := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
			if response, err := client.Do(request); err == nil { // it is not there yet, or was killed
				response.Body.Close()
			}
		}
	}()
}

// watch starts a node, and notes its page.
func (w *pageWorld) watch(role, shows, lost string, charts []string, args ...string) *process {
	at := freeAddr(w.t)
	p := start(w.t, append([]string{role, "--admin", at}, args...)...)
	w.pages[role] = watchedPage{URL: "http://" + at + "/", Shows: shows, Lost: lost, Charts: charts}
	return p
}

// beside starts the frontend beside a router, and adds flags for who uses them.
func (w *pageWorld) beside(name string, links, routers []string) (_, _ []string) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { ln.Close() })
	router := w.network.Router(name)
	go func() { _ = router.ServeI2CP(ln) }() // ends with the listener
	role, _, _ := strings.Cut(name, "-")
	w.join("frontend", name)
	args := []string{"--dir", w.of(name), "--router", ln.Addr().String(), "--" + role}
	routers = append(routers, "--router", name+"="+ln.Addr().String()+","+role+",normal")
	switch name {
	case "member-1":
		sam := freeAddr(w.t)
		w.watch("frontend", "[+] tunnels: ", "NOT READY", []string{"Inbound tunnels", "Packets"}, append(args, "--sam", sam)...)
		return append(links, "--frontend", name+"="+sam), routers
	case "member-2":
		sam := freeAddr(w.t)
		start(w.t, append([]string{"frontend", "--sam", sam}, args...)...)
		return append(links, "--frontend", name+"="+sam), routers
	}
	token := strings.Repeat("0123456789abcdef", 2)
	at := freeAddr(w.t)
	start(w.t, append([]string{"frontend", "--admin", at, "--admin-token-file", secretFile(w.t, token+"\n")}, args...)...)
	b32, _, _ := strings.Cut(w.members().Destination, ".")
	w.locked = watchedPage{URL: "http://" + at + "/", Shows: "[+] router: session held", Token: token, Secrets: []string{b32, name, "onelease_", "session held", filepath.Base(w.dir)}}
	return links, routers
}
