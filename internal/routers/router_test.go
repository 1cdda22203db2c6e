package routers

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// A password that others may read is refused, and the file is named.
func TestPasswordFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(path, []byte("secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := Router{Name: "a", Address: "127.0.0.1:7654", Roles: []string{Member, Publisher}, User: "u", PasswordFile: path}
	if got, err := r.Open(); err != nil || got.Password != "secret" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := os.Chmod(r.PasswordFile, 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := r.Open(); err == nil || !strings.Contains(err.Error(), r.PasswordFile) || strings.Contains(err.Error(), "secret") {
		t.Error(err)
	}
}

func TestParse(t *testing.T) {
	got, err := Parse("a=127.0.0.1:7654,member,publisher,inverted")
	want := Router{Name: "a", Address: "127.0.0.1:7654", Roles: []string{Member, Publisher}, DontPublish: "inverted"}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
}

// A router without roles is a member, and the only one is both.
func TestComplete(t *testing.T) {
	for _, c := range []struct {
		all    []Router
		others bool
		want   []string // roles of the first
	}{
		{[]Router{{Name: "a", Address: "127.0.0.1:1"}}, false, []string{Member, Publisher}},
		{[]Router{{Name: "a", Address: "127.0.0.1:1"}}, true, []string{Member}},
		{[]Router{{Name: "a", Address: "127.0.0.1:1"}, {Name: "b", Address: "127.0.0.1:2"}}, false, []string{Member}},
		{[]Router{{Name: "a", Address: "127.0.0.1:1", Roles: []string{Refuge}}}, false, []string{Refuge}},
	} {
		if err := Complete(c.all, c.others); err != nil || !reflect.DeepEqual(c.all[0].Roles, c.want) {
			t.Errorf("%+v, %v; want %v", c.all, err, c.want)
		}
	}
	if err := CheckNear([]Router{{Name: "a", Address: "192.0.2.1:7654"}}); err == nil || !strings.Contains(err.Error(), "192.0.2.1:7654 is not on this machine") {
		t.Error(err)
	}
}
