package samclient

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
)

// ErrRefused means that the bridge understood a command and said no; the error's text has
// its answer.
var ErrRefused = errors.New("sam: refused")

// ErrProtocol means an answer that is not SAM 3.1.
var ErrProtocol = errors.New("sam: unexpected answer")

// A control is a control connection to a bridge, after the handshake.
type control struct {
	conn  net.Conn
	lines *bufio.Reader
}

// dial connects and shakes hands. The connection is closed when ctx ends before release
// is called.
func dial(ctx context.Context, bridge string) (c *control, release func() bool, err error) {
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", bridge)
	if err != nil {
		return nil, nil, fmt.Errorf("sam: dial bridge: %w", err)
	}
	release = context.AfterFunc(ctx, func() { conn.Close() })
	c = &control{conn, bufio.NewReader(conn)}
	if _, err := c.ask("HELLO VERSION MIN=3.1 MAX=3.1", "HELLO REPLY"); err != nil {
		release()
		conn.Close()
		return nil, nil, firstOf(context.Cause(ctx), err)
	}
	return c, release, nil
}

// ask sends one command and returns the KEY=VALUE pairs of the answer, which must begin
// with the words given and, where it has a RESULT, say OK.
func (c *control) ask(command, answer string) (map[string]string, error) {
	if _, err := c.conn.Write([]byte(command + "\n")); err != nil {
		return nil, fmt.Errorf("sam: send command: %w", err)
	}
	line, err := c.lines.ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("sam: read %s: %w", answer, err)
	}
	return parseAnswer(line, answer)
}

// parseAnswer reads an answer line. Errors quote it, which is safe: only an OK carries a
// private key.
func parseAnswer(line, answer string) (map[string]string, error) {
	rest, ok := strings.CutPrefix(strings.TrimSpace(line), answer+" ")
	if !ok {
		words, _, _ := strings.Cut(line, "=")
		return nil, fmt.Errorf("%w: want %s, got %.40q", ErrProtocol, answer, words)
	}
	values := make(map[string]string)
	for _, field := range strings.Fields(rest) {
		key, value, _ := strings.Cut(field, "=")
		values[key] = value
	}
	if result, ok := values["RESULT"]; ok && result != "OK" {
		return nil, fmt.Errorf("%w: %s %s", ErrRefused, answer, rest)
	}
	return values, nil
}

// Generate asks the bridge for a new Destination and its keys, both in I2P base64, with
// an Ed25519 signing key.
func Generate(ctx context.Context, bridge string) (destination, privateKey string, err error) {
	return GenerateOf(ctx, bridge, "7")
}

// GenerateOf is Generate with another SIGNATURE_TYPE, a name or a number.
func GenerateOf(ctx context.Context, bridge, signatureType string) (destination, privateKey string, err error) {
	c, release, err := dial(ctx, bridge)
	if err != nil {
		return "", "", err
	}
	defer c.conn.Close()
	defer release()
	values, err := c.ask("DEST GENERATE SIGNATURE_TYPE="+signatureType, "DEST REPLY")
	if err != nil {
		return "", "", firstOf(context.Cause(ctx), err)
	}
	return values["PUB"], values["PRIV"], nil
}

func firstOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
