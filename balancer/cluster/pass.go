package cluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/ownsocket"
	"github.com/onelease/onelease/internal/pki"
)

// ErrNotRunning: commands with a balancer's directory need the balancer, and it does not run.
var ErrNotRunning = errors.New("no balancer runs with that directory")

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

// UnlockHere gives the balancer that runs with dir the Destination's keys, to be held in
// memory. The errors are those of Commander.
func UnlockHere(ctx context.Context, dir string, keys *i2p.Keys) error {
	content := keys.Bytes()
	defer clear(content)
	_, err := askSocket(ctx, dir, "/unlock", content)
	return err
}

// passOf asks the balancer of dir. One of an earlier version gives none, and has a CA
// whose key is open.
func passOf(ctx context.Context, dir string, csr []byte) ([]byte, error) {
	cert, err := askSocket(ctx, dir, "/pass", csr)
	if !errors.Is(err, ErrNotRunning) && !errors.Is(err, ownsocket.ErrLongPath) {
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

func askSocket(ctx context.Context, dir, what string, content []byte) ([]byte, error) {
	path := socketPath(dir)
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://balancer"+what, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	response, err := ownsocket.Transport(path).RoundTrip(request)
	if err != nil {
		return nil, notRunning(path, err)
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAsked))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("%w: %s", ErrRefused, bytes.TrimSpace(answer))
	}
	return answer, err
}

// notRunning says what to do about a socket that does not answer.
func notRunning(path string, err error) error {
	switch {
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%w: give the command as the user that runs the balancer, or as root", err)
	case ownsocket.NobodyListens(err):
		return fmt.Errorf("%w (%s): start it, or use an operator's directory (\"onelease cluster invite --role operator\")", ErrNotRunning, path)
	}
	return fmt.Errorf("ask the balancer: %w", err)
}
