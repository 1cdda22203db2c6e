package samclient

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
)

// A Direct is an open DATAGRAM or RAW session without UDP: what is sent and received
// goes over the control connection. Send may be called from any goroutine.
type Direct struct {
	session
	verb      string
	datagrams chan Datagram
	closing   chan struct{}
	closeOnce sync.Once
	reading   sync.WaitGroup

	mu  sync.Mutex
	out []byte // a command with its payload
}

// OpenDirect creates a session; see Open.
func OpenDirect(ctx context.Context, bridge string, o Options) (*Direct, error) {
	d := &Direct{
		session:   session{id: "direct-" + rand.Text()},
		verb:      o.style(),
		datagrams: make(chan Datagram, backlog),
		closing:   make(chan struct{}),
	}
	if err := d.create(ctx, bridge, d.verb, o); err != nil {
		return nil, err
	}
	d.reading.Go(d.receive)
	return d, nil
}

// Datagrams delivers what is received. It is closed when the session has ended.
func (d *Direct) Datagrams() <-chan Datagram { return d.datagrams }

// Send hands a datagram for a Destination (I2P base64) to the router. Nothing says whether
// it arrives.
func (d *Direct) Send(destination string, payload []byte) error {
	if len(payload) > MaxPayload {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(payload), MaxPayload)
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.out = append(append(d.out[:0], d.verb...), " SEND DESTINATION="...)
	d.out = append(append(d.out, destination...), " SIZE="...)
	d.out = append(strconv.AppendInt(d.out, int64(len(payload)), 10), '\n')
	d.out = append(d.out, payload...)
	if _, err := d.control.conn.Write(d.out); err != nil {
		return fmt.Errorf("sam: send datagram: %w", err)
	}
	return nil
}

// Close ends the session and waits for its goroutine.
func (d *Direct) Close() error {
	d.closeOnce.Do(func() {
		close(d.closing)
		d.control.conn.Close()
	})
	d.reading.Wait()
	return nil
}

func (d *Direct) receive() {
	defer close(d.datagrams)
	for {
		got, err := readReceived(d.control.lines, d.verb)
		if err != nil {
			return // its end is the news
		}
		select {
		case d.datagrams <- got:
		case <-d.closing:
			return
		}
	}
}

// readReceived reads one "DATAGRAM RECEIVED" or "RAW RECEIVED" and its payload.
func readReceived(lines *bufio.Reader, verb string) (Datagram, error) {
	line, err := lines.ReadString('\n')
	if err != nil {
		return Datagram{}, err
	}
	values, err := parseAnswer(line, verb+" RECEIVED")
	if err != nil {
		return Datagram{}, err
	}
	size, err := strconv.Atoi(strings.TrimSpace(values["SIZE"]))
	if err != nil || size < 0 || size > 1<<16 {
		return Datagram{}, fmt.Errorf("%w: a datagram of size %.20q", ErrProtocol, values["SIZE"])
	}
	var payload bytes.Buffer
	if _, err := io.CopyN(&payload, lines, int64(size)); err != nil {
		return Datagram{}, fmt.Errorf("sam: read datagram: %w", err)
	}
	return Datagram{From: values["DESTINATION"], Payload: payload.Bytes()}, nil
}

var _ io.Closer = (*Direct)(nil)
