package webconsole

import (
	"errors"
	"os"
	"strings"
	"testing"
	"time"
)

func goldenPage(tb testing.TB) string {
	tb.Helper()
	page, err := os.ReadFile("testdata/leasesets-2.45.1.html")
	if err != nil {
		tb.Fatal(err)
	}
	return string(page)
}

// leaseSets parses a page of a router in UTC.
func leaseSets(page string) (map[[32]byte]LeaseSet, error) {
	p, err := Parse(page, time.UTC)
	return p.LeaseSets, err
}

func TestParseLeaseSets(t *testing.T) {
	got, err := leaseSets(goldenPage(t))
	if err != nil || len(got) != 3 {
		t.Fatalf("%d LeaseSets, %v", len(got), err)
	}
	var hash [32]byte
	if err := decodeHash(&hash, consoleBase32.DecodeString, "bwk74xv3r4pngumhsyhl7cee55lvq3chvju6qypmd5zydmffgvqa"); err != nil {
		t.Fatal(err)
	}
	ls, ok := got[hash]
	if !ok || ls.Hash != hash || ls.StoreType != 3 || !ls.Valid || len(ls.Leases) != 1 {
		t.Fatalf("got %+v", ls)
	}
	want := Lease{TunnelID: 421657795, End: time.Date(2026, 11, 21, 11, 4, 20, 0, time.UTC)}
	if err := decodeHash(&want.Gateway, consoleBase64.DecodeString, "oM2ZmraKspSInp~gozS51j7zpV22N0fZQ0DmmKtwCTQ="); err != nil {
		t.Fatal(err)
	}
	if ls.Leases[0] != want {
		t.Errorf("lease %+v, want %+v", ls.Leases[0], want)
	}
}

// The two ways in which i2pd says that there is nothing: 2.45.1 and 2.58 word the second
// differently.
func TestParseNoLeaseSets(t *testing.T) {
	for page, floodfill := range map[string]bool{
		"<b>LeaseSets:</b> 0<br>\r\n":                           true,
		"<b>LeaseSets:</b> not floodfill.<br>\r\n":              false,
		"<b>LeaseSets:</b> floodfill mode is disabled.<br>\r\n": false,
	} {
		if got, err := Parse(page, time.UTC); err != nil || len(got.LeaseSets) != 0 || got.Floodfill != floodfill {
			t.Errorf("%q: %v, %v", page, got, err)
		}
	}
}

// Times are in the router's zone.
func TestParseInZone(t *testing.T) {
	zone := time.FixedZone("east", 3600)
	here, err := leaseSets(goldenPage(t))
	if err != nil {
		t.Fatal(err)
	}
	there, err := Parse(goldenPage(t), zone)
	if err != nil || !there.Floodfill {
		t.Fatal(there.Floodfill, err)
	}
	for hash, ls := range here {
		if got := there.LeaseSets[hash].Expires; !got.Equal(ls.Expires.Add(-time.Hour)) {
			t.Errorf("%v, want an hour before %v", got, ls.Expires)
		}
	}
}

func TestParseMarksInvalid(t *testing.T) {
	page := strings.Replace(goldenPage(t), `<div class="slide">`,
		`<div class="invalid">!! Invalid !! </div>`+"\r\n"+`<div class="slide">`, 1)
	got, err := leaseSets(page)
	if err != nil {
		t.Fatal(err)
	}
	invalid := 0
	for _, ls := range got {
		if !ls.Valid {
			invalid++
		}
	}
	if invalid != 1 {
		t.Errorf("%d of %d invalid, want 1", invalid, len(got))
	}
}

// A page of another format must not pass for an empty netDB or a shorter LeaseSet.
func TestParseRefusesOtherFormats(t *testing.T) {
	page := goldenPage(t)
	for name, bad := range map[string]string{
		"no heading":  "<html><b>Lease Sets</b></html>",
		"label":       strings.Replace(page, `<label for="slide`, `<label for="tab`, 1),
		"fewer":       strings.Replace(page, "<b>Gateway:</b>", "<b>Router:</b>", 1),
		"time":        strings.Replace(page, "<b>EndDate:</b> ", "<b>EndDate:</b> 0", 1),
		"tunnel":      strings.Replace(page, "<b>TunnelID:</b> ", "<b>TunnelID:</b> -", 1),
		"store type":  strings.Replace(page, "<b>Store type:</b> ", "<b>Store type:</b> LS", 1),
		"gateway cut": strings.Replace(page, "<b>Gateway:</b> ", "<b>Gateway:</b> AAAA", 1),
	} {
		if bad == page {
			t.Errorf("%s: the golden page has nothing to spoil", name)
		}
		if _, err := leaseSets(bad); !errors.Is(err, ErrPage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func FuzzParseLeaseSets(f *testing.F) {
	f.Add(goldenPage(f))
	f.Fuzz(func(t *testing.T, page string) {
		got, err := leaseSets(page)
		if err != nil && !errors.Is(err, ErrPage) {
			t.Errorf("unmarked error: %v", err)
		}
		for hash, ls := range got {
			if ls.Hash != hash {
				t.Errorf("%x holds %x", hash, ls.Hash)
			}
		}
	})
}
