package daemon

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"github.com/onelease/onelease/internal/ownsocket"
)

// ErrNotRunning says that no process listens.
var ErrNotRunning = errors.New("no backend runs there")

// maxAnswer bounds an answer, in bytes.
const maxAnswer = 16 << 20

// Ask returns how the backend with that control socket is.
func Ask(ctx context.Context, control string) (Status, error) {
	var s Status
	return s, Command(ctx, control, http.MethodGet, "/status", &s)
}

// Reload has a backend reload a service, and returns how that is then.
func Reload(ctx context.Context, control, service string) (ServiceStatus, error) {
	var s ServiceStatus
	return s, Command(ctx, control, http.MethodPost, "/reload/"+url.PathEscape(service), &s)
}

// Command asks a process at its control socket, and reads the answer. The errors are
// ErrNotRunning, and what is answered when it cannot be done.
func Command(ctx context.Context, control, method, path string, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, "http://backend"+path, nil)
	if err != nil {
		return err
	}
	response, err := ownsocket.Transport(control).RoundTrip(request)
	if err != nil {
		if ownsocket.NobodyListens(err) {
			return fmt.Errorf("%w: %w", ErrNotRunning, err)
		}
		return fmt.Errorf("ask the backend: %w", err)
	}
	defer response.Body.Close()
	return read(response, into)
}

func read(response *http.Response, into any) error {
	decoder := json.NewDecoder(io.LimitReader(response.Body, maxAnswer))
	if response.StatusCode == http.StatusOK {
		return decoder.Decode(into)
	}
	var p problem
	if err := decoder.Decode(&p); err != nil || p.Error == "" {
		return fmt.Errorf("the backend answers %s", response.Status)
	}
	return errors.New(p.Error)
}
