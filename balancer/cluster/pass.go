package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/onelease/onelease/internal/ownsocket"
	"github.com/onelease/onelease/internal/pki"
)

// A balancer's certificate gives no commands: it lies open beside the balancer, which must
// be reached while it is locked. Commands with a balancer's directory have the balancer
// that runs there make an operator's certificate, for passLife, over a socket that only
// its own user and root may connect to. So a copy of the directory commands nothing, and
// who sits at the machine needs no certificate of their own.

const (
	// passLife is for a command and the wait for a leader, with clocks that differ.
	passLife = 15 * time.Minute
	// maxPass bounds a request and its answer, in bytes.
	maxPass = 16 << 10
)

// ErrNotRunning: commands with a balancer's directory need the balancer, and it does not run.
var ErrNotRunning = errors.New("no balancer runs with that directory")

// socketPath is where the balancer of a directory listens to who uses its machine.
func socketPath(dir string) string { return filepath.Join(dir, "commands.sock") }

// givePasses serves operators' certificates on the socket until the node ends.
func (n *Node) givePasses() {
	path := socketPath(n.cfg.Dir)
	ln, err := ownsocket.Listen(path)
	if err != nil {
		n.cfg.Logger.Warn("no commands can be given with this balancer's directory: use an operator's", "error", err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pass", n.passFor)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second}
	n.running.Go(func() { _ = server.Serve(ln) }) // ends with the server
	n.running.Go(func() {
		<-n.ctx.Done()
		server.Close()
		os.Remove(path)
	})
}

// passFor answers a certificate request.
func (n *Node) passFor(w http.ResponseWriter, r *http.Request) {
	csr, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPass))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	cert, err := n.pass(csr)
	if err != nil {
		http.Error(w, plain(err).Error(), http.StatusConflict)
		return
	}
	n.cfg.Logger.Info("operator's certificate issued to a user of this machine", "name", n.info.Name, "life", passLife)
	_, _ = w.Write(cert) // who asked may be gone
}

// pass signs an operator's certificate in the balancer's name, as long as it is a member.
func (n *Node) pass(csr []byte) ([]byte, error) {
	ca, err := n.authority()
	if err != nil {
		return nil, err
	}
	if !n.isMember(n.info.Name) {
		return nil, fmt.Errorf("balancer %q is not a member of the cluster: use another's directory, or an operator's: %w", n.info.Name, ErrRefused)
	}
	return ca.Sign(csr, pki.Identity{Cluster: n.info.Cluster, Role: pki.Operator, Name: n.info.Name}, passLife)
}

// Commander is a Client that may give commands: c itself with an operator's directory.
// With a balancer's it has a certificate from the balancer that runs there, for a quarter
// of an hour. The errors are ErrNotRunning, ErrRefused and those of the socket.
func (c *Client) Commander(ctx context.Context) (*Client, error) {
	own := c.creds.Credentials()
	if own.Identity().Role != pki.Balancer {
		return c, nil
	}
	pass, err := newPass(own, func(csr []byte) ([]byte, error) { return passOf(ctx, c.dir, csr) })
	if err != nil {
		return nil, fmt.Errorf("a certificate to give commands with: %w", err)
	}
	return &Client{creds: pki.Static(pass), addrs: c.addrs, dial: c.dial}, nil
}

// newPass has sign make an operator's credentials of the cluster that own is of.
func newPass(own *pki.Credentials, sign func(csr []byte) ([]byte, error)) (*pki.Credentials, error) {
	key, err := pki.NewKey()
	if err != nil {
		return nil, err
	}
	csr, err := pki.CSR(key, pki.Operator, own.Identity().Name)
	if err != nil {
		return nil, err
	}
	cert, err := sign(csr)
	if err != nil {
		return nil, err
	}
	return pki.NewCredentials(key, cert, own.CAPEM())
}

// passOf asks the balancer of dir. One of an earlier version gives none, and has a CA
// whose key is open.
func passOf(ctx context.Context, dir string, csr []byte) ([]byte, error) {
	cert, err := askPass(ctx, socketPath(dir), csr)
	if !errors.Is(err, ErrNotRunning) {
		return cert, err
	}
	ca, openErr := pki.LoadOpen(dir)
	if openErr != nil {
		return nil, err
	}
	own, openErr := pki.Load(dir)
	if openErr != nil {
		return nil, openErr
	}
	id := own.Identity()
	return ca.Sign(csr, pki.Identity{Cluster: id.Cluster, Role: pki.Operator, Name: id.Name}, passLife)
}

func askPass(ctx context.Context, path string, csr []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	transport := &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		},
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://balancer/pass", bytes.NewReader(csr))
	if err != nil {
		return nil, err
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return nil, notRunning(path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxPass))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w: %s", ErrRefused, bytes.TrimSpace(answer))
	}
	return answer, err
}

// notRunning says what to do about a socket that does not answer.
func notRunning(path string, err error) error {
	var op *net.OpError
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: give the command as the user that runs the balancer, or as root", err)
	case errors.As(err, &op) && op.Op == "dial":
		return fmt.Errorf("%w (%s): start it, or use an operator's directory (\"onelease cluster invite --role operator\")", ErrNotRunning, path)
	}
	return fmt.Errorf("ask the balancer: %w", err)
}
