package samconform

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"time"
)

const forwarding = "SAM Virtual Streams : FORWARD"

var forwardRows = []row{
	{forwarding, "3.0", "OK, then each stream is a connection to PORT that begins with the caller's line", onPair(func(c *check, a, b *session) {
		l := c.listen()
		c.forward(b, l, "")
		for range 2 {
			near := c.connect(a, b.public, "")
			far := l.next()
			far.caller(a, "")
			c.talk(near, far, 100)
		}
	}), ""},
	{forwarding, "3.0", "on 3.1 the line has the Destination alone", onPair(func(c *check, a, b *session) {
		l := c.listen()
		c.hello("3.1").ask("STREAM FORWARD ID=%s PORT=%d HOST=127.0.0.1", b.id, l.port).is("STREAM STATUS", "RESULT=OK")
		c.connect(a, b.public, "")
		if r := l.next().hear(); r.line != a.public {
			c.fail("%s; want the Destination and nothing after it", r)
		}
	}), ""},
	{forwarding, "3.0", "without HOST it is the address of the client's socket", onPair(func(c *check, a, b *session) {
		l := c.listen()
		c.hello(newest).ask("STREAM FORWARD ID=%s PORT=%d", b.id, l.port).is("STREAM STATUS", "RESULT=OK")
		near := c.connect(a, b.public, "")
		far := l.next()
		far.caller(a, "")
		c.talk(near, far, 10)
	}), ""},
	{forwarding, "3.0", "HOST may be a name", onPair(func(c *check, a, b *session) {
		l := c.listen()
		c.hello(newest).ask("STREAM FORWARD ID=%s PORT=%d HOST=localhost", b.id, l.port).is("STREAM STATUS", "RESULT=OK")
		c.connect(a, b.public, "")
		l.next().caller(a, "")
	}), ""},
	{forwarding, "3.0", "SILENT=true: OK all the same, then only the stream's bytes", onPair(func(c *check, a, b *session) {
		l := c.listen()
		c.forward(b, l, "SILENT=true")
		near, token := c.connect(a, b.public, ""), newToken()
		near.put(token)
		l.next().get(token)
	}), ""},
	{forwarding, "3.2", "ports of the stream are in the line", onPair(func(c *check, a, b *session) {
		l := c.listen()
		c.forward(b, l, "")
		c.connect(a, b.public, "FROM_PORT=7 TO_PORT=8")
		l.next().caller(a, "FROM_PORT=7 TO_PORT=8")
	}), ""},
	{forwarding, "3.2", "SSL=true: the connection to PORT is TLS", onPair(func(c *check, a, b *session) {
		l := c.listen()
		c.forward(b, l, "SSL=true")
		near := c.connect(a, b.public, "")
		far := l.nextTLS()
		far.caller(a, "")
		c.talk(near, far, 100)
	}), ""},
	{forwarding, "3.0", "an ID that there is not is INVALID_ID", func(c *check) {
		c.hello(newest).asks("STREAM FORWARD ID=%s PORT=9", newID()).is("STREAM STATUS", "RESULT=INVALID_ID")
	}, ""},
	{forwarding, "3.0", "without PORT it is I2P_ERROR", onPair(func(c *check, a, _ *session) {
		c.hello(newest).asks("STREAM FORWARD ID=%s", a.id).is("STREAM STATUS", "RESULT=I2P_ERROR")
	}), ""},
	{forwarding, "3.0", "PORT=70000 is I2P_ERROR", onPair(func(c *check, a, _ *session) {
		c.hello(newest).asks("STREAM FORWARD ID=%s PORT=70000", a.id).is("STREAM STATUS", "RESULT=I2P_ERROR")
	}), ""},
	{forwarding, "3.0", "FORWARD while an ACCEPT waits is an error", onPair(func(c *check, _, b *session) {
		c.accept(b, "")
		c.hello(newest).asks("STREAM FORWARD ID=%s PORT=9", b.id).refused("STREAM STATUS")
	}), ""},
	{forwarding, "3.0", "a second FORWARD is an error", onPair(func(c *check, _, b *session) {
		l := c.listen()
		c.forward(b, l, "")
		c.hello(newest).asks("STREAM FORWARD ID=%s PORT=%d", b.id, l.port).refused("STREAM STATUS")
	}), java},
	{forwarding, "3.0", "it ends with its socket: then an ACCEPT may wait", func(c *check) {
		two := c.pair(newest, "STREAM")
		c.forward(two.b, c.listen(), "").Close()
		var far *conn
		c.until("an ACCEPT after a FORWARD", func() bool {
			far = c.hello(newest)
			return far.asks("STREAM ACCEPT ID=%s", two.b.id).has("RESULT=OK")
		})
		near := c.connect(two.a, two.b.public, "")
		far.caller(two.a, "")
		c.talk(near, far, 10)
	}, ""},
	{forwarding, "3.0", "a stream ends when nobody listens at PORT", onPair(func(c *check, a, b *session) {
		l := c.listen()
		l.Close()
		c.forward(b, l, "")
		d := c.hello(newest)
		if r := d.ask("STREAM CONNECT ID=%s DESTINATION=%s", a.id, b.public); r.ended == "" && r.has("RESULT=OK") {
			d.gone("a stream that was forwarded to nobody")
		}
	}), ""},
}

// A listener is where streams are forwarded to.
type listener struct {
	*net.TCPListener
	c    *check
	port int
}

// listen listens for the row. The sessions are for no other row then: that must not find
// this one's FORWARD.
func (c *check) listen() *listener {
	c.spoiled = true
	l, err := net.ListenTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
	c.must(err)
	c.defers(func() { l.Close() })
	return &listener{l, c, l.Addr().(*net.TCPAddr).Port}
}

// forward has the session's streams forwarded, until the connection that it returns is
// closed.
func (c *check) forward(s *session, l *listener, options string) *conn {
	d := c.hello(newest)
	c.defers(d.leave)
	d.ask("STREAM FORWARD ID=%s PORT=%d HOST=127.0.0.1 %s", s.id, l.port, options).is("STREAM STATUS", "RESULT=OK")
	return d
}

// next takes the next connection.
func (l *listener) next() *conn {
	_ = l.SetDeadline(time.Now().Add(l.c.slow))
	raw, err := l.AcceptTCP()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		l.c.fail("nothing was forwarded in %v", l.c.slow)
	}
	l.c.must(err)
	l.c.defers(func() { raw.Close() })
	return l.c.wrap(raw)
}

// nextTLS is next with TLS.
func (l *listener) nextTLS() *conn {
	d := l.next()
	secure := tls.Server(d.Conn, &tls.Config{Certificates: []tls.Certificate{l.c.certificate}})
	_ = secure.SetDeadline(time.Now().Add(l.c.slow))
	if err := secure.HandshakeContext(l.c.ctx); err != nil {
		l.c.fail("no TLS: %v", err)
	}
	return l.c.wrap(secure)
}

// selfSigned makes a certificate of 127.0.0.1.
func selfSigned() (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("self-signed certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}
