package webconsole

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestGet(t *testing.T) {
	status, golden := http.StatusOK, goldenPage(t)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "page=leasesets" {
			t.Errorf("asked for %s", r.URL)
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, golden)
	}))
	defer server.Close()
	addr := strings.TrimPrefix(server.URL, "http://")
	if page, err := Get(t.Context(), addr, time.UTC); err != nil || len(page.LeaseSets) != 3 {
		t.Error(page, err)
	}
	for code, want := range map[int]error{http.StatusUnauthorized: ErrAsks, http.StatusForbidden: ErrAsks, http.StatusNotFound: ErrPage} {
		status = code
		if _, err := Get(t.Context(), addr, time.UTC); !errors.Is(err, want) {
			t.Errorf("%d: %v", code, err)
		}
	}
	server.Close()
	if _, err := Get(t.Context(), addr, time.UTC); err == nil {
		t.Error("a router that is not there has answered")
	}
}
