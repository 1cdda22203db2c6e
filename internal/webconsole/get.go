package webconsole

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// maxPage bounds a page of the webconsole, in bytes.
const maxPage = 16 << 20

// ErrAsks says that the webconsole wants a password, or to be called by another name.
var ErrAsks = errors.New("the webconsole lets only some in")

// Get reads the page of the webconsole at addr, "host:port", that lists LeaseSets; the
// router's times are in the zone: time.Local for one on this machine. The errors are ErrAsks,
// ErrPage, and those of connecting.
func Get(ctx context.Context, addr string, zone *time.Location) (Page, error) {
	page, err := fetch(ctx, addr, "leasesets")
	if err != nil {
		return Page{}, err
	}
	return Parse(page, zone)
}

// GetHosted reads the page that lists whose Destinations are on the router. The errors are
// those of Get.
func GetHosted(ctx context.Context, addr string) (Hosted, error) {
	page, err := fetch(ctx, addr, "local_destinations")
	if err != nil {
		return nil, err
	}
	return ParseHosted(page)
}

// fetch reads one page.
func fetch(ctx context.Context, addr, page string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/?page="+page, nil)
	if err != nil {
		return "", fmt.Errorf("webconsole: %w", err)
	}
	request.Close = true // leave no connection, and no goroutine, behind
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return "", fmt.Errorf("webconsole: %w", err)
	}
	defer response.Body.Close()
	switch response.StatusCode {
	case http.StatusOK:
	case http.StatusUnauthorized, http.StatusForbidden:
		return "", fmt.Errorf("webconsole: %s: %w: see auth and strictheaders in [http] of i2pd.conf", response.Status, ErrAsks)
	default:
		return "", fmt.Errorf("webconsole: %s: %w", response.Status, ErrPage)
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxPage))
	if err != nil {
		return "", fmt.Errorf("webconsole: %w", err)
	}
	return string(body), nil
}
