package webconsole

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

func hostedPage(t *testing.T) string {
	t.Helper()
	page, err := os.ReadFile("testdata/local-2.45.1.html")
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

// The page is that of a router with its shared Destination, and with a client by I2CP, whose
// is none of the router's.
func TestGetHosted(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.RawQuery != "page=local_destinations" {
			t.Errorf("asked for %s", r.URL)
		}
		w.Write([]byte(hostedPage(t)))
	}))
	defer server.Close()
	hosted, err := GetHosted(t.Context(), strings.TrimPrefix(server.URL, "http://"))
	if err != nil || len(hosted) != 1 {
		t.Fatal(hosted, err)
	}
	for b32, want := range map[string]bool{
		"wnay3r5dal7s3iotqma6ricn6gbi4lcixl4eiza66t2xv7bufiaq": true,
		"t4vfxnpmdc2zdm4scr2orlk4tequ3avckxksd3qyoxn3mjq3tfoq": false,
	} {
		var hash [32]byte
		if err := decodeHash(&hash, consoleBase32.DecodeString, b32); err != nil || hosted[hash] != want {
			t.Errorf("%s: %v, %v", b32, hosted[hash], err)
		}
	}
}

// A page of another kind must not pass for a router that hosts nothing.
func TestParseHostedRefuses(t *testing.T) {
	for name, page := range map[string]string{
		"no heading": "<b>LeaseSets:</b> 0<br>",
		"short b32":  strings.Replace(hostedPage(t), "&b32=", "&b32=a", 1),
	} {
		if _, err := ParseHosted(page); !errors.Is(err, ErrPage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
