package sambridge

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

// Users are read again as a whole, or stay as they are.
func TestUsersReload(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	running, err := OpenUsers(path)
	if err != nil {
		t.Fatal(err)
	}
	add := func(u *Users, name string) {
		t.Helper()
		if err := u.Add(name, "secret"); err != nil {
			t.Fatal(err)
		}
	}
	want := func(names ...string) {
		t.Helper()
		if got := running.Names(); !reflect.DeepEqual(got, names) {
			t.Errorf("users %v, want %v", got, names)
		}
	}
	done := func() error { return nil }
	add(running, "alice")
	other, err := OpenUsers(path)
	if err != nil {
		t.Fatal(err)
	}
	add(other, "bob")
	failed := errors.New("the other half")
	if err := running.Reload(func() error { return failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
	want("alice")
	if err := running.Reload(done); err != nil {
		t.Error(err)
	}
	want("alice", "bob")
	if _, err := running.check("bob", "secret"); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func() error{
		func() error { return os.Chmod(path, 0o644) },
		func() error {
			return errors.Join(os.Chmod(path, 0o600), os.WriteFile(path, []byte("nonsense\n"), 0o600))
		},
		func() error { return os.Remove(path) },
	} {
		if err := spoil(); err != nil {
			t.Fatal(err)
		}
		err := running.Reload(func() error { t.Error("commits what cannot be read"); return nil })
		if err == nil {
			t.Error("users that cannot be read are taken")
		}
		want("alice", "bob")
	}
	if err := new(Users).Reload(done); err != nil {
		t.Error(err)
	}
}
