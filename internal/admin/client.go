package admin

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"github.com/onelease/onelease/internal/ownsocket"
	"github.com/onelease/onelease/internal/way"
)

// A Client asks a node how it is.
type Client struct {
	// Addr is what the node has as Config.Listen.
	Addr string
	// TokenFile has the token, if the node wants one.
	TokenFile string
	// CAFile is a PEM file with the certificate that the node's is issued by, or with
	// itself; the system's are used if it is empty. Off the loopback, and with a CAFile,
	// TLS is spoken.
	CAFile string
}

// maxReport bounds a report, in bytes.
const maxReport = 16 << 20

// ErrNotRunning says that no node can be watched at the address.
var ErrNotRunning = errors.New("no node answers there: does it run, with this --admin?")

// Report returns the Report of a node; its Status is a json.RawMessage.
func (c *Client) Report(ctx context.Context) (Report, error) {
	var raw json.RawMessage
	report := Report{Status: &raw}
	transport, url, err := c.transport()
	if err != nil {
		return report, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return report, fmt.Errorf("%w: --admin %s: %w", ErrConfig, c.Addr, err)
	}
	if c.TokenFile != "" {
		token, err := ReadToken(c.TokenFile)
		if err != nil {
			return report, err
		}
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := transport.RoundTrip(request)
	if err != nil {
		return report, explain(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxReport))
	switch {
	case err != nil:
		return report, fmt.Errorf("ask the node: %w", err)
	case response.StatusCode == http.StatusUnauthorized:
		return report, errors.New("the node wants a token, and has another one than this, if any: give --token-file")
	case response.StatusCode != http.StatusOK:
		return report, fmt.Errorf("the node answers %s: %s", response.Status, firstLine(body))
	}
	if err := json.Unmarshal(body, &report); err != nil || report.Role == "" {
		return report, errors.New("what listens there is no admin address of Onelease's")
	}
	report.Status = raw
	return report, nil
}

// transport leads to the node.
func (c *Client) transport() (*http.Transport, string, error) {
	if path, ok := strings.CutPrefix(c.Addr, Unix); ok {
		return ownsocket.Transport(path), "http://localhost/status.json", nil
	}
	t := &http.Transport{DisableKeepAlives: true}
	if _, _, err := net.SplitHostPort(c.Addr); err != nil {
		return nil, "", fmt.Errorf("%w: --admin %q: want host:port, such as 127.0.0.1:7680, or unix:PATH", ErrConfig, c.Addr)
	}
	if way.Loopback(c.Addr) && c.CAFile == "" {
		return t, "http://" + c.Addr + "/status.json", nil
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile != "" {
		text, err := os.ReadFile(c.CAFile)
		if err != nil {
			return nil, "", fmt.Errorf("CA: %w", err)
		}
		t.TLSClientConfig.RootCAs = x509.NewCertPool()
		if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(text) {
			return nil, "", fmt.Errorf("CA: %s has no certificate in PEM", c.CAFile)
		}
	}
	return t, "https://" + c.Addr + "/status.json", nil
}

func explain(err error) error {
	if ownsocket.NobodyListens(err) {
		return fmt.Errorf("%w: %w", ErrNotRunning, err)
	}
	return fmt.Errorf("ask the node: %w", err)
}

func firstLine(body []byte) string {
	line, _, _ := strings.Cut(string(body), "\n")
	return cmp.Or(line, "nothing")
}
