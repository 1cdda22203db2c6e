package test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/test/i2pd"
)

// proxyPort is where the visitor's router has its HTTP proxy.
const proxyPort = "24444"

// fileSize is what a download of the visitor has, in bytes.
const fileSize = 5_000_000

// TestProxyPlugin is what most sites are: a web server that knows nothing of I2P, here
// nginx, behind the reverse proxy as a plugin on three members, and visitors that come by a
// stock router's HTTP proxy. It is there again at once when the plugin is killed.
func TestProxyPlugin(t *testing.T) {
	t.Parallel() // with what is as patient
	i2pd.Require(t)
	server := startNginx(t)
	visitor := remoteRouters[0]
	net := i2pd.Start(t, i2pd.Config{
		Routers: 13, Floodfills: floodfills, Killable: members,
		Args: map[int][]string{visitor: {
			"--httpproxy.enabled=1", "--httpproxy.address=127.0.0.1", "--httpproxy.port=" + proxyPort,
			"--httpproxy.inbound.length=1", "--httpproxy.outbound.length=1", "--httpproxy.i2cp.leaseSetEncType=4",
		}},
	})
	supervisor, err := plugin.New(plugin.Config{
		Name: "proxy", Path: own(t), Settings: fmt.Sprintf("target = %q\n", "http://"+server.addr), MustStart: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	host := startService(t, "proxy", threeMembers(net), supervisor.Serve)
	dest, err := i2p.ParseDestinationBase64(host.dest)
	if err != nil {
		t.Fatal(err)
	}
	site := "http://" + dest.Base32()
	awaitSite(t, net, dest, site+"/")

	server.checkVisitor(t, site)
	server.checkHeaders(t, site)
	server.checkFile(t, site)
	usual := timeOf(t, site+"/")
	killPluginAndFetch(t, supervisor, site, usual)
	server.checkFile(t, site)
}

// own is the test binary, which is the plugin: see TestMain.
func own(t *testing.T) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return self
}

// curl asks through the visitor's router.
func curl(t *testing.T, args ...string) ([]byte, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "curl", append([]string{"-sS", "--fail", "-x", "http://127.0.0.1:" + proxyPort}, args...)...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &said)
	}
	return out, err
}

// awaitSite waits until the site can be found: its tunnels and those of the visitor are
// being built, and the LeaseSet is on its way. A router that has looked it up in vain is slow
// to do so again, so nobody asks before it is there.
func awaitSite(t *testing.T, net *i2pd.Network, dest i2p.Destination, url string) {
	t.Helper()
	began := time.Now()
	for {
		err := errors.New("no floodfill has its LeaseSet")
		if found := net.LookupLeaseSet(t.Context(), dest.Hash()); len(found) > 0 {
			_, err = curl(t, url)
		}
		if err == nil {
			t.Logf("the site is there after %.1f s", time.Since(began).Seconds())
			return
		}
		if time.Since(began) > 90*time.Second {
			t.Fatalf("the site is not to be found: %v", err)
		}
		time.Sleep(500 * time.Millisecond) // of real routers
	}
}

// timeOf is how long a page takes now.
func timeOf(t *testing.T, url string) time.Duration {
	t.Helper()
	began := time.Now()
	if page, err := curl(t, url); err != nil || !strings.Contains(string(page), nginxPage) {
		t.Errorf("the page is %q: %v", page, err)
	}
	return time.Since(began)
}

// killPluginAndFetch kills it with -9, and asks for a page in the same moment.
func killPluginAndFetch(t *testing.T, s *plugin.Supervisor, site string, usual time.Duration) {
	t.Helper()
	stats := s.Stats()
	if len(stats.Instances) != 1 {
		t.Fatalf("not one process: %+v", stats)
	}
	if err := syscall.Kill(stats.Instances[0].PID, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	took := timeOf(t, site+"/")
	t.Logf("a page took %d ms, and %d ms right after kill -9 of the plugin", usual.Milliseconds(), took.Milliseconds())
	// A second for the plugin's start, and what the network may take more than before.
	if most := time.Second + 2*usual + 2*time.Second; took > most {
		t.Errorf("the page took %v after the kill, want at most %v", took, most)
	}
	if after := s.Stats(); after.Restarts != 1 || after.LastExit.Reason == "" {
		t.Errorf("after the kill: %+v", after)
	}
}

// freeAddr is a port of the loopback that was free just now.
func freeAddr(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

const nginxPage = "served by nginx"

// A nginxServer is a stock nginx with a configuration and files of its own.
type nginxServer struct {
	addr string
	dir  string
	sum  [32]byte // of the file
}

// nginxConf has no user, since there is one process; what it knows of visitors is in its log.
const nginxConf = `
daemon off;
master_process off;
pid %[1]s/nginx.pid;
error_log %[1]s/error.log;
events { worker_connections 64; }
http {
	log_format visitors '$request_uri|$http_x_i2p_destb32|$http_x_i2p_desthash|$http_x_i2p_destb64';
	access_log %[1]s/access.log visitors;
	client_body_temp_path %[1]s/body;
	proxy_temp_path %[1]s/proxy;
	fastcgi_temp_path %[1]s/fastcgi;
	uwsgi_temp_path %[1]s/uwsgi;
	scgi_temp_path %[1]s/scgi;
	server {
		listen %[2]s;
		root %[1]s/www;
	}
}
`

// startNginx runs one on the loopback until the test ends. Without nginx or curl the test
// is skipped, or fails, as it is without i2pd.
func startNginx(t *testing.T) *nginxServer {
	t.Helper()
	i2pd.RequireTool(t, "curl")
	binary := i2pd.RequireTool(t, "nginx")
	s := &nginxServer{addr: freeAddr(t), dir: t.TempDir()}
	s.write(t, "nginx.conf", []byte(fmt.Sprintf(nginxConf, s.dir, s.addr)))
	s.write(t, "www/index.html", []byte(nginxPage))
	file := make([]byte, fileSize)
	_, _ = rand.NewChaCha8([32]byte{1}).Read(file) // never fails
	s.sum = sha256.Sum256(file)
	s.write(t, "www/file.bin", file)

	cmd := exec.Command(binary, "-p", s.dir, "-c", filepath.Join(s.dir, "nginx.conf"), "-e", filepath.Join(s.dir, "error.log"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	for began := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		conn, err := net.Dial("tcp", s.addr)
		if err == nil {
			conn.Close()
			return s
		}
		if len(ended) > 0 || time.Since(began) > 20*time.Second {
			log, _ := os.ReadFile(filepath.Join(s.dir, "error.log"))
			t.Fatalf("nginx does not run: %v: %s", err, log)
		}
	}
}

func (s *nginxServer) write(t *testing.T, name string, content []byte) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	err := os.MkdirAll(filepath.Dir(path), 0o755)
	if err == nil {
		err = os.WriteFile(path, content, 0o644)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// checkVisitor wants nginx to be told who the visitor is, and nothing that they say.
func (s *nginxServer) checkVisitor(t *testing.T, site string) {
	t.Helper()
	forged := strings.Repeat("a", 52) + ".b32.i2p"
	if _, err := curl(t, "-H", "X-I2P-DestB32: "+forged, "-H", "X_I2P_DestB32: "+forged, site+"/?who"); err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(s.dir, "access.log"))
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(log), "/?who|")
	line, _, _ = strings.Cut(line, "\n")
	fields := strings.Split(line, "|")
	if !found || len(fields) != 3 {
		t.Fatalf("nginx has logged %q", log)
	}
	who, err := i2p.ParseDestinationBase64(fields[2])
	hash := who.Hash()
	if err != nil || fields[0] != who.Base32() || fields[1] != i2p.Base64.EncodeToString(hash[:]) {
		t.Errorf("the visitor is %.60q, hash %q, Destination %.20q: %v", fields[0], fields[1], fields[2], err)
	}
}

// checkHeaders wants no more to be told of the server than i2pd's own tunnels tell.
func (s *nginxServer) checkHeaders(t *testing.T, site string) {
	t.Helper()
	direct, err := exec.Command("curl", "-sS", "-D", "-", "-o", os.DevNull, "http://"+s.addr+"/").Output()
	if err != nil || !bytes.Contains(direct, []byte("\r\nServer: nginx")) || !bytes.Contains(direct, []byte("\r\nDate: ")) {
		t.Fatalf("nginx itself sends %q, %v", direct, err)
	}
	headers, err := curl(t, "-D", "-", "-o", os.DevNull, site+"/")
	if err != nil || !bytes.Contains(headers, []byte(" 200 ")) {
		t.Fatalf("%q, %v", headers, err)
	}
	for _, name := range []string{"Server", "Date", "X-Powered-By"} {
		if bytes.Contains(bytes.ToLower(headers), []byte("\r\n"+strings.ToLower(name)+":")) {
			t.Errorf("visitors are told %s: %q", name, headers)
		}
	}
}

// checkFile downloads a large one.
func (s *nginxServer) checkFile(t *testing.T, site string) {
	t.Helper()
	began := time.Now()
	file, err := curl(t, site+"/file.bin")
	if err != nil || sha256.Sum256(file) != s.sum {
		t.Errorf("the file came with %d bytes of %d: %v", len(file), fileSize, err)
		return
	}
	t.Logf("%.1f MB in %.1f s", float64(len(file))/1e6, time.Since(began).Seconds())
}
