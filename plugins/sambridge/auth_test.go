package sambridge

import (
	"context"
	"crypto/tls"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func init() { iterations = 1000 }

// asUser connects with a password.
func (w *world) asUser(name, password string) *client {
	w.t.Helper()
	c := w.connect()
	c.talk(`HELLO VERSION USER="`+name+`" PASSWORD="`+password+`"`, "HELLO REPLY RESULT=OK VERSION=3.3")
	return c
}

// A user's sessions are not there for others, and IDs are each user's own.
func TestUsersApart(t *testing.T) {
	inWorld(t, nil, func(w *world) {
		admin := w.hello()
		for _, name := range []string{"root", "alice", "bob"} {
			admin.talk("AUTH ADD USER="+name+" PASSWORD="+name+"-secret", "AUTH STATUS RESULT=OK")
		}
		admin.talk("AUTH LIST", `AUTH STATUS RESULT=OK USERS="alice bob root"`)
		admin.talk("AUTH ENABLE", "AUTH STATUS RESULT=OK")
		c := w.connect()
		c.talk("HELLO VERSION", "HELLO REPLY RESULT=I2P_ERROR MESSAGE=\"USER and PASSWORD required\"")
		c.ends()
		c = w.connect()
		c.talk("HELLO VERSION USER=alice PASSWORD=bob-secret", "HELLO REPLY RESULT=I2P_ERROR MESSAGE=\"Authorization failed\"")
		c.ends()

		for _, name := range []string{"alice", "bob"} {
			w.asUser(name, name+"-secret").session("STYLE=STREAM ID=mine")
		}
		w.asUser("alice", "alice-secret").session("STYLE=STREAM ID=alices")
		for _, line := range []string{"ACCEPT ID=alices", "CONNECT ID=alices DESTINATION=x.i2p", "FORWARD ID=alices PORT=1"} {
			w.asUser("bob", "bob-secret").talk("STREAM "+line, "STREAM STATUS RESULT=INVALID_ID MESSAGE=\"STREAM SESSION ID alices does not exist\"")
		}
		in := w.asUser("alice", "alice-secret")
		in.talk("STREAM ACCEPT ID=mine", "STREAM STATUS RESULT=OK")
		out := w.asUser("bob", "bob-secret")
		to := w.bridge.sessions.find("alice", "mine").Hosted.Keys().Destination.Base64()
		out.talk("STREAM CONNECT ID=mine DESTINATION="+to, "STREAM STATUS RESULT=OK")
		in.line()
		out.reaches(in, "from one user to the other")

		bob := w.asUser("bob", "bob-secret")
		for _, line := range []string{"DISABLE", "ENABLE", "LIST", "ADD USER=x PASSWORD=y", "REMOVE USER=alice"} {
			bob.talk("AUTH "+line, "AUTH STATUS RESULT=I2P_ERROR MESSAGE=\"AUTH is for administrators*")
		}
		root := w.asUser("root", "root-secret")
		root.talk("AUTH REMOVE USER=root", "AUTH STATUS RESULT=I2P_ERROR*")
		root.talk("AUTH REMOVE USER=bob", "AUTH STATUS RESULT=OK")
		w.connect().talk("HELLO VERSION USER=bob PASSWORD=bob-secret", "HELLO REPLY RESULT=I2P_ERROR*")
		root.talk("AUTH DISABLE", "AUTH STATUS RESULT=OK")
		w.hello().talk("STREAM ACCEPT ID=mine", "STREAM STATUS RESULT=INVALID_ID*")
		if n := w.bridge.Status().WrongPasswords; n != 3 {
			t.Errorf("%d wrong passwords", n)
		}
	})
}

// Wrong passwords of a source come ever more slowly; a right one that was given before is
// taken at once.
func TestWrongPasswords(t *testing.T) {
	inWorld(t, func(c *Config) { c.Users = new(Users); c.Users.Add("a", "right"); c.Auth = true }, func(w *world) {
		w.asUser("a", "right")
		began := time.Now()
		for range 12 {
			c := w.connect()
			c.talk("HELLO VERSION USER=a PASSWORD=wrong", "HELLO REPLY RESULT=I2P_ERROR*")
		}
		if took := time.Since(began); took < 30*time.Second || took > time.Minute {
			t.Errorf("12 wrong ones took %v", took)
		}
		began = time.Now()
		w.asUser("a", "right")
		if took := time.Since(began); took > time.Second {
			t.Errorf("the right one took %v", took)
		}
	})
}

func TestFailures(t *testing.T) {
	var f failures
	now := time.Now()
	for range 10 {
		f.admit("x", now)
		f.done("x", true, now)
	}
	if wait, ok := f.admit("x", now); !ok || wait < 9*time.Second {
		t.Errorf("the 11th waits %v, %v", wait, ok)
	}
	for range 5 {
		f.admit("x", now)
	}
	if _, ok := f.admit("x", now); ok {
		t.Error("many wait at once")
	}
	if wait, ok := f.admit("y", now); !ok || wait != 0 {
		t.Error("another source waits")
	}
	f = failures{}
	for i := range 2 * maxFailures {
		source := string(rune(i))
		f.admit(source, now)
		f.done(source, true, now)
	}
	if n := len(f.bySource); n > maxFailures {
		t.Errorf("%d sources are remembered", n)
	}
}

// What AUTH ADD makes outlives a restart, and is nobody else's to read.
func TestUsersFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	u, err := OpenUsers(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := u.Add("root", "hush"); err != nil {
		t.Fatal(err)
	}
	if err := u.Add("a b", "c"); err != nil {
		t.Fatal(err)
	}
	text, _ := os.ReadFile(path)
	if strings.Contains(string(text), "hush") {
		t.Error("the password is in the file")
	}
	if u, err = OpenUsers(path); err != nil {
		t.Fatal(err)
	}
	if admin, err := u.check("root", "hush"); !admin || err != nil {
		t.Errorf("root: %v, %v", admin, err)
	}
	if admin, err := u.check("a b", "c"); admin || err != nil {
		t.Errorf("a b: %v, %v", admin, err)
	}
	if _, err := u.check("a b", "hush"); err == nil {
		t.Error("another's password is right")
	}
	os.Chmod(path, 0o644)
	if _, err := OpenUsers(path); err == nil || !strings.Contains(err.Error(), "chmod 600") {
		t.Errorf("readable by all: %v", err)
	}
	for _, bad := range []string{"x", "eA== admin md5 1 AAAAAAAAAAAAAAAA " + strings.Repeat("A", 43) + "=", "eA== root pbkdf2-sha256 1 AAAAAAAAAAAAAAAA " + strings.Repeat("A", 43) + "="} {
		os.WriteFile(path, []byte(bad+"\n"), 0o600)
		os.Chmod(path, 0o600)
		if _, err := OpenUsers(path); err == nil || !strings.Contains(err.Error(), "line 1") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// What others can reach needs TLS, and there a password.
func TestOpenListener(t *testing.T) {
	ln := elsewhere{}
	w := newWorld(t, nil)
	_, err := New(Config{Hosting: w.hosting, Listeners: []net.Listener{ln}})
	if err == nil || !strings.Contains(err.Error(), "TLS") {
		t.Errorf("without TLS: %v", err)
	}
	for _, cfg := range []Config{
		{Listeners: []net.Listener{ln}, AllowPlain: true},
		{Hosting: w.hosting},
	} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%+v is taken", cfg)
		}
	}
	if _, err := New(Config{Hosting: w.hosting, Listeners: []net.Listener{ln}, AllowPlain: true}); err != nil {
		t.Error(err)
	}
}

// elsewhere is a listener that others can reach.
type elsewhere struct{ net.Listener }

func (elsewhere) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(10, 0, 0, 1), Port: 7656} }

func TestTLS(t *testing.T) {
	certificate, pool := certificateFor(t, "127.0.0.1")
	w := newWorld(t, func(c *Config) {
		c.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	})
	plain := w.dial
	w.dial = func() (net.Conn, error) {
		nc, err := plain()
		if err != nil {
			return nil, err
		}
		secure := tls.Client(nc, &tls.Config{RootCAs: pool, ServerName: "127.0.0.1"})
		return secure, secure.HandshakeContext(context.Background())
	}
	w.session("STYLE=STREAM ID=b")
	w.session("STYLE=STREAM ID=a")
	in := w.accept("b")
	out := w.stream("a", w.of("b"))
	in.line()
	out.reaches(in, strings.Repeat("secret", 100_000))
	in.reaches(out, "answer")
	out.CloseWrite()
	in.ends()
}
