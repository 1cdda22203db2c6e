package admin

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/ownsocket"
	"github.com/onelease/onelease/internal/way"
)

// ErrConfig says that a Config cannot work; the message names the flag.
var ErrConfig = errors.New("admin address")

// Config is where a node can be watched, as the flags say.
type Config struct {
	// Listen is host:port, or Unix and the path of a socket that only our user may
	// connect to. Empty: nowhere.
	Listen string
	// TLSCert and TLSKey are files of PEM. Any address but the loopback needs them.
	TLSCert, TLSKey string
	// TokenFile has what clients must know, on one line, MinToken bytes at least. Any
	// address but the loopback needs it.
	TokenFile string
	// Logger is slog.Default() if nil.
	Logger *slog.Logger
}

// Unix begins an address that is the path of a socket.
const Unix = "unix:"

// MinToken is how long a token is at least, in bytes: what "openssl rand -hex 16" makes.
const MinToken = 32

// maxToken bounds what is read of its file, in bytes.
const maxToken = 4 << 10

func (c *Config) check() error {
	path, unix := strings.CutPrefix(c.Listen, Unix)
	local := unix || way.Loopback(c.Listen)
	_, _, err := net.SplitHostPort(c.Listen)
	switch {
	case c.Listen == "" && (c.TLSCert != "" || c.TLSKey != "" || c.TokenFile != ""):
		return errors.New("--admin-tls-cert, --admin-tls-key and --admin-token-file go with --admin: give its host:port")
	case c.Listen == "":
		return nil
	case unix && path == "":
		return errors.New("--admin unix: has no path; want unix:PATH, such as unix:/run/onelease/admin.sock")
	case unix && (c.TLSCert != "" || c.TLSKey != "" || c.TokenFile != ""):
		return errors.New("--admin unix: takes neither certificate nor token: only our user may connect there; leave them out")
	case !unix && err != nil:
		return fmt.Errorf("--admin %q: want host:port, such as 127.0.0.1:7680, or unix:PATH", c.Listen)
	case (c.TLSCert == "") != (c.TLSKey == ""):
		return errors.New("--admin-tls-cert and --admin-tls-key: give both, or none")
	case !local && (c.TLSCert == "" || c.TokenFile == ""):
		return fmt.Errorf("--admin %s is not on this machine alone, and others could watch; give --admin-tls-cert, --admin-tls-key and --admin-token-file, or listen on 127.0.0.1", c.Listen)
	}
	return nil
}

// An Endpoint is an address that is taken. A nil one is nowhere, and serves nobody.
type Endpoint struct {
	cfg   Config
	ln    net.Listener
	path  string // of a unix socket
	token []byte // its SHA-256, empty if none is asked for
	log   *slog.Logger
	once  sync.Once
}

// Open checks c and takes the address, so that what is wrong is known before anything
// runs. Without one it returns nil. Errors are ErrConfig, and those of files and sockets.
func Open(c Config) (*Endpoint, error) {
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	if c.Listen == "" {
		return nil, nil
	}
	e := &Endpoint{cfg: c, log: cmp.Or(c.Logger, slog.Default())}
	if err := e.readToken(); err != nil {
		return nil, err
	}
	config, err := c.readTLS()
	if err != nil {
		return nil, err
	}
	if err := e.listen(); err != nil {
		return nil, err
	}
	e.ln = limit(e.ln)
	if config != nil {
		e.ln = tls.NewListener(e.ln, config)
	}
	return e, nil
}

func (e *Endpoint) listen() (err error) {
	var unix bool
	if e.path, unix = strings.CutPrefix(e.cfg.Listen, Unix); unix {
		e.ln, err = ownsocket.Listen(e.path)
		return err
	}
	e.path = ""
	if e.ln, err = net.Listen("tcp", e.cfg.Listen); err != nil {
		return fmt.Errorf("listen for who watches: %w; give another --admin", err)
	}
	return nil
}

func (e *Endpoint) readToken() error {
	if e.cfg.TokenFile == "" {
		return nil
	}
	token, err := ReadToken(e.cfg.TokenFile)
	if err != nil {
		return err
	}
	e.token = digest(token)
	return nil
}

// ReadToken reads a token's file, which only its owner may read.
func ReadToken(path string) (string, error) {
	info, err := os.Stat(path)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	if info.Size() > maxToken {
		return "", fmt.Errorf("token: %s has %d bytes: want one line", path, info.Size())
	}
	if err := i2p.CheckKeyFile(path); err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("token: %w", err)
	}
	token := strings.TrimRight(string(text), "\r\n")
	if len(token) < MinToken || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("token: %s: want one line of %d characters or more, without spaces; \"openssl rand -hex 16\" makes one", path, MinToken)
	}
	return token, nil
}

// readTLS returns nil if there is no certificate.
func (c *Config) readTLS() (*tls.Config, error) {
	if c.TLSCert == "" {
		return nil, nil
	}
	if err := i2p.CheckKeyFile(c.TLSKey); err != nil {
		return nil, fmt.Errorf("key of the admin address's certificate: %w", err)
	}
	cert, err := tls.LoadX509KeyPair(c.TLSCert, c.TLSKey)
	if err != nil {
		return nil, fmt.Errorf("certificate of the admin address: %w", err)
	}
	return &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, nil
}

// Addr is where it listens, as --admin takes it; "" if nowhere.
func (e *Endpoint) Addr() string {
	switch {
	case e == nil:
		return ""
	case e.path != "":
		return Unix + e.path
	}
	return e.ln.Addr().String()
}

// Where says in words how to look.
func (e *Endpoint) Where() string {
	if e.path == "" && e.cfg.TLSCert == "" {
		return "watch it at http://" + e.Addr() + "/"
	}
	return "watch it: onelease status --admin " + e.Addr()
}

// Close gives the address back. After Serve there is no need of it.
func (e *Endpoint) Close() {
	if e == nil {
		return
	}
	e.once.Do(func() {
		e.ln.Close()
		if e.path != "" {
			os.Remove(e.path)
		}
	})
}
