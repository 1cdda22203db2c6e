package cluster

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc/status"

	"github.com/onelease/onelease/i2p"
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
	// maxAsked bounds a request and its answer, in bytes: a Destination's keys have 5 KB at
	// most, certificates 2.
	maxAsked = 16 << 10
	// socketTime is how long an answer under way may take when the balancer ends.
	socketTime = time.Second
)

// socketPath is where the balancer of a directory listens to who uses its machine.
func socketPath(dir string) string { return filepath.Join(dir, "commands.sock") }

// serveSocket serves who sits at the machine until the node ends: operators' certificates,
// and keys to unlock it with, which so cross no network.
func (n *Node) serveSocket() {
	path := socketPath(n.cfg.Dir)
	ln, err := ownsocket.Listen(path)
	if err != nil {
		n.cfg.Logger.Warn("no commands can be given with this balancer's directory: use an operator's", "error", err)
		return
	}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /pass", n.passFor)
	mux.HandleFunc("POST /unlock", n.unlockBy)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 10 * time.Second}
	n.running.Go(func() { _ = server.Serve(ln) }) // ends with the server
	n.running.Go(func() {
		<-n.ctx.Done()
		ctx, cancel := context.WithTimeout(context.Background(), socketTime)
		defer cancel()
		_ = server.Shutdown(ctx) // who is being answered uses the store, which is closed after this
		server.Close()
		os.Remove(path)
	})
}

// passFor answers a certificate request.
func (n *Node) passFor(w http.ResponseWriter, r *http.Request) {
	csr, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAsked))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	cert, err := n.pass(csr)
	if err != nil {
		http.Error(w, status.Convert(err).Message(), http.StatusConflict) // whose words Commander wraps
		return
	}
	n.cfg.Logger.Info("operator's certificate issued to a user of this machine", "name", n.info.Name, "life", passLife)
	_, _ = w.Write(cert) // who asked may be gone
}

// unlockBy takes the Destination's keys.
func (n *Node) unlockBy(w http.ResponseWriter, r *http.Request) {
	keys, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxAsked))
	if err == nil {
		err = n.unlockWith(keys)
	}
	if err != nil {
		http.Error(w, err.Error(), http.StatusConflict)
	}
}

// unlockWith overwrites the keys, a private key file, when it has taken them.
func (n *Node) unlockWith(keys []byte) error {
	defer clear(keys)
	parsed, err := i2p.ParseKeys(keys)
	if err == nil {
		err = n.Unlock(parsed)
	}
	if err == nil {
		n.cfg.Logger.Info("unlocked: the keys are held in memory")
	}
	return err
}

// pass signs an operator's certificate in the balancer's name, as long as it is a member.
func (n *Node) pass(csr []byte) ([]byte, error) {
	ca, err := n.authority()
	if err != nil {
		return nil, err
	}
	if !n.isMember(n.info.Name) {
		return nil, fmt.Errorf("balancer %q is not a member of the cluster: use another's directory, or an operator's", n.info.Name)
	}
	return ca.Sign(csr, pki.Identity{Cluster: n.info.Cluster, Role: pki.Operator, Name: n.info.Name}, passLife)
}
