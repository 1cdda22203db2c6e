package samclient

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// MaxPayload is the most bytes that a repliable datagram carries over SAM (samv3, "SAM
// Repliable Datagrams").
const MaxPayload = 31744

// ErrTooLarge means a payload of more than MaxPayload bytes.
var ErrTooLarge = errors.New("sam: datagram too large")

// backlog is how many received datagrams wait for a slow reader; after that the socket's
// own buffer fills, and more are lost, as with any UDP.
const backlog = 1024

// Options say how to open a session; the zero value is a transient Destination with
// Ed25519 keys.
type Options struct {
	PrivateKey string   // PRIV in I2P base64; empty: TRANSIENT
	UDPAddr    string   // of a Remote: the bridge's UDP host:port; empty: its TCP port minus one
	Raw        bool     // of a Remote or Direct: RAW in place of DATAGRAM; no Datagram says From whom
	Params     []string // more SESSION CREATE options, such as "inbound.length=1"
}

func (o Options) style() string {
	if o.Raw {
		return "RAW"
	}
	return "DATAGRAM"
}

// A Datagram came from another Destination, whose signature the router has checked.
type Datagram struct {
	From    string // Destination in I2P base64
	Payload []byte // the receiver's to keep
}

// A Remote is an open DATAGRAM session. Its methods may be called from any goroutine.
type Remote struct {
	session
	raw       bool
	udp       *net.UDPConn
	bridge    *net.UDPAddr
	datagrams chan Datagram
	closing   chan struct{}
	closeOnce sync.Once
	readers   sync.WaitGroup
}

// Open creates a session and waits until the router has built its tunnels; i2pd 2.45.1
// looks only every 20 s. When ctx ends first, the session ends too. Sessions are closed by
// Close, or by the bridge, which shows as a closed Datagrams channel.
func Open(ctx context.Context, bridge string, o Options) (*Remote, error) {
	r := &Remote{
		session:   session{id: "remote-" + rand.Text()},
		raw:       o.Raw,
		datagrams: make(chan Datagram, backlog),
		closing:   make(chan struct{}),
	}
	if err := r.listen(bridge, o.UDPAddr); err != nil {
		return nil, err
	}
	forward := r.udp.LocalAddr().(*net.UDPAddr)
	err := r.create(ctx, bridge, o.style(), o, "HOST="+forward.IP.String(), fmt.Sprintf("PORT=%d", forward.Port))
	if err != nil {
		r.udp.Close()
		return nil, err
	}
	r.readers.Add(2)
	go r.receive()
	go r.watch()
	return r, nil
}

func (r *Remote) listen(bridge, udpAddr string) (err error) {
	if udpAddr == "" {
		tcp, err := net.ResolveTCPAddr("tcp", bridge)
		if err != nil {
			return fmt.Errorf("sam: bridge address: %w", err)
		}
		udpAddr = (&net.UDPAddr{IP: tcp.IP, Port: tcp.Port - 1}).String()
	}
	if r.bridge, err = net.ResolveUDPAddr("udp", udpAddr); err != nil {
		return fmt.Errorf("sam: bridge UDP address: %w", err)
	}
	r.udp, err = net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return fmt.Errorf("sam: listen: %w", err)
	}
	return r.udp.SetReadBuffer(4 << 20)
}

// Datagrams delivers what is received. It is closed when the session has ended, by Close or
// by the bridge.
func (r *Remote) Datagrams() <-chan Datagram { return r.datagrams }

// Send hands a datagram for a Destination (I2P base64) to the router. Nothing says whether
// it arrives.
func (r *Remote) Send(destination string, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), MaxPayload)
	}
	packet := append([]byte("3.0 "+r.id+" "+destination+"\n"), payload...)
	if _, err := r.udp.WriteToUDP(packet, r.bridge); err != nil {
		return fmt.Errorf("sam: send datagram: %w", err)
	}
	return nil
}

// Close ends the session and waits for its goroutines.
func (r *Remote) Close() error {
	r.end()
	r.readers.Wait()
	return nil
}

func (r *Remote) end() {
	r.closeOnce.Do(func() {
		close(r.closing)
		r.control.conn.Close()
		r.udp.Close()
	})
}

// watch ends the session when the bridge closes the control connection.
func (r *Remote) watch() {
	defer r.readers.Done()
	_, _ = io.Copy(io.Discard, r.control.lines) // its end is the news
	r.end()
}

func (r *Remote) receive() {
	defer r.readers.Done()
	defer close(r.datagrams)
	buf := make([]byte, 64<<10)
	for {
		n, _, err := r.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			return // closed: nothing else fails on this socket
		}
		d, ok := Datagram{Payload: bytes.Clone(buf[:n])}, r.raw
		if !r.raw {
			d, ok = parseDatagram(buf[:n])
		}
		if !ok {
			continue
		}
		select {
		case r.datagrams <- d:
		case <-r.closing:
			return
		}
	}
}

// parseDatagram splits a forwarded datagram, "destination [options]\npayload", and copies
// it out of the buffer.
func parseDatagram(packet []byte) (Datagram, bool) {
	header, payload, ok := bytes.Cut(packet, []byte("\n"))
	from, _, _ := strings.Cut(string(header), " ")
	return Datagram{From: from, Payload: bytes.Clone(payload)}, ok && from != ""
}

var _ io.Closer = (*Remote)(nil)
