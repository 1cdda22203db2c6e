package frontend

import (
	"bufio"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/onelease/onelease/internal/accept"
)

// serveSAM serves one listener until ctx ends, and closes it.
func (f *Frontend) serveSAM(ctx context.Context, ln net.Listener) error {
	if !isLocal(ln.Addr()) {
		ln = tls.NewListener(ln, f.cfg.SAMTLS)
	}
	if !f.cfg.Member {
		return refuseAll(ctx, ln)
	}
	if err := f.server.Serve(ctx, ln); err != nil {
		return fmt.Errorf("frontend %s: %w", f.cfg.Name, err)
	}
	return nil
}

// backendName is the name that a backend must have, empty for any: who comes in the
// clear comes from this machine.
func (c *Config) backendName(nc net.Conn) (string, error) {
	secured, ok := nc.(*tls.Conn)
	if !ok || c.BackendName == nil {
		return "", nil
	}
	return c.BackendName(secured.ConnectionState().PeerCertificates[0]) // SAMTLS demands one
}

// refusalTime is how long a backend that is refused may take to say HELLO.
const refusalTime = 5 * time.Second

// refuseAll tells every backend that comes why it cannot attach.
func refuseAll(ctx context.Context, ln net.Listener) error {
	return accept.Each(ctx, ln, "accept SAM clients", refuse)
}

// refuse answers the client's HELLO. To read that first keeps the connection
// from being reset, which would take the answer with it.
func refuse(ctx context.Context, nc net.Conn) {
	defer nc.Close()
	defer context.AfterFunc(ctx, func() { nc.Close() })()
	nc.SetDeadline(time.Now().Add(refusalTime))
	line := bufio.NewReader(io.LimitReader(nc, 1024))
	if _, err := line.ReadString('\n'); err != nil {
		return
	}
	fmt.Fprintf(nc, "HELLO REPLY RESULT=I2P_ERROR MESSAGE=\"%v\"\n", ErrPublisherOnly)
}
