package main

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/internal/strict"
)

const (
	goodRouter   = "[[router]]\nname = \"a\"\naddress = \"127.0.0.1:7654\"\n"
	goodFrontend = "[[frontend]]\nname = \"a\"\naddress = \"127.0.0.1:7670\"\n"
	goodService  = "[[service]]\nbuiltin = \"echo\"\n"
	goodBackend  = "dir = \"d\"\n" + goodFrontend + goodService
)

// broken are files that cannot be used: the line, the key, and words of what to do.
var broken = []struct {
	role, text string
	line       int
	key, cure  string
}{
	{"sam", "lisen = [\"127.0.0.1:1\"]\n", 1, "lisen", `did you mean "listen"?`},
	{"sam", "\n\nfrobnicate = 1\n", 3, "frobnicate", "the keys are listen"},
	{"sam", "listen = \"127.0.0.1:1\"\n", 1, "listen", `["a", "b"]`},
	{"sam", "max-sessions = \"10\"\n", 1, "max-sessions", "without quotes"},
	{"sam", "auth = yes\n", 1, "auth", "true and false"},
	{"sam", "auth = \"yes\"\n", 1, "auth", "true or false, without quotes"},
	{"sam", "udp = none\n", 1, "udp", "in quotes"},
	{"sam", "users =\n", 1, "users", "key = value"},
	{"sam", "users = \"sam.users\n", 1, "users", "on the same line"},
	{"sam", "listen = [\"127.0.0.1:1\"\n", 1, "listen", "]"},
	{"sam", "[router]\nname = \"a\"\n", 1, "router", "[[router]]"},
	{"sam", "[[router]\nname = \"a\"\n", 1, "router", "[[name]]"},
	{"sam", goodRouter + "addres = \"x\"\n", 4, "router.addres", `did you mean "address"?`},
	{"sam", goodRouter + "password = \"hunter2\"\n", 4, "router.password", `"password-file"`},
	{"sam", goodRouter + "address = \"127.0.0.1:7655\"\n", 4, "address", "leave out one"},
	{"sam", goodRouter + "[[router]]\nname = \"b\"\naddress = \"7664\"\n", 6, "router.address", "127.0.0.1:7654"},
	{"sam", goodRouter + "[[router]]\naddress = \"127.0.0.1:7664\"\n", 4, "router.name", "give it one"},
	{"sam", "[[router]]\nname = \"a\"\naddress = \"192.0.2.1:7654\"\n", 3, "router.address", "onelease frontend"},
	{"sam", goodRouter + "roles = [\"king\"]\n", 4, "router.roles", "want member, publisher or refuge"},
	{"sam", goodRouter + "roles = [\"refuge\"]\n", 1, "router", "add the role to one"},
	{"sam", goodRouter + "dont-publish = \"maybe\"\n", 4, "router.dont-publish", "want normal, inverted"},
	{"sam", goodRouter + "password-file = \"p\"\n", 4, "router.password-file", "give both"},
	{"sam", "listen = [\"0.0.0.0:7656\"]\n" + goodRouter, 1, "listen", "listen on 127.0.0.1"},
	{"sam", "tls-key = \"k\"\n" + goodRouter, 1, "tls-key", "give both"},
	{"sam", "auth = true\n" + goodRouter, 1, "auth", "give --users"},
	{"sam", "udp = \"0.0.0.0:7655\"\n" + goodRouter, 1, "udp", "must be on the loopback"},
	{"sam", "max-streams = -1\n" + goodRouter, 1, "max-streams", "1 or more"},
	{"sam", "", 0, "router", "[[router]]"},
	{"backend", "drain_limit = \"5m\"\n", 1, "drain_limit", `did you mean "drain-limit"?`},
	{"backend", "drain-limit = 300\n", 1, "drain-limit", "such as 30s, 5m"},
	{"backend", "drain-limit = \"5 minutes\"\n", 1, "drain-limit", "such as 30s, 5m"},
	{"backend", "drain-limit = 5m\n", 1, "drain-limit", `write "..."`},
	{"backend", "keys = \"" + strings.Repeat("A", 1200) + "\"\n" + goodFrontend + goodService, 1, "keys", "want the path of a file"},
	{"backend", "passphrase = \"hunter2\"\n", 1, "passphrase", "only its owner may read"},
	{"backend", "keys = \"k\"\n" + goodBackend, 2, "dir", "either --dir"},
	{"backend", "name = \"x\"\n" + goodBackend, 1, "name", "certificate"},
	{"backend", "weight = 70000\n" + goodBackend, 1, "weight", "1 to 65535"},
	{"backend", "dir = \"d\"\n" + goodService, 0, "frontend", "give --frontend"},
	{"backend", "dir = \"d\"\n" + goodFrontend, 0, "service", "[[service]]"},
	{"backend", goodBackend + goodService, 7, "service.name", "another name"},
	{"backend", goodBackend + "plugin = \"x\"\n", 5, "service", "one of plugin, path and builtin"},
	{"backend", "dir = \"d\"\n" + goodFrontend + "[[service]]\nbuiltin = \"eco\"\n", 6, "service.builtin", "echo, proxy, site"},
	{"backend", goodBackend + "settings = { prot = 7 }\n", 7, "service.settings.prot", `did you mean "port"?`},
	{"backend", goodBackend + "[service.settings]\nport = \"7\"\n", 8, "service.settings.port", "0 to 65535"},
	{"backend", goodBackend + "settings-file = \"nowhere.toml\"\n", 7, "service.settings-file", "nowhere.toml"},
	{"backend", "keys = \"k\"\n[[frontend]]\nname = \"a\"\naddress = \"192.0.2.1:1\"\n" + goodService, 4, "frontend.address", "join a cluster"},
	{"frontend", "router = \"127.0.0.1:7654\"\n", 0, "dir", "onelease cluster join"},
	{"frontend", "dir = \"d\"\nrouter = \"192.0.2.1:7654\"\n", 2, "router", "beside its router"},
	{"frontend", "dir = \"d\"\nrouter-user = \"u\"\n", 2, "router-user", "give both"},
	{"frontend", "dir = \"d\"\nrouter-password = \"hunter2\"\n", 2, "router-password", `"router-password-file"`},
	{"frontend", "dir = \"d\"\ndont-publish = \"no\"\n", 2, "dont-publish", "want normal, inverted or auto"},
	{"frontend", "dir = \"d\"\nmember = 1\n", 2, "member", "true or false"},
	{"frontend", "dir = \"d\"\nrefuge = true\nmember = true\n", 2, "refuge", "a router of its own"},
	{"frontend", "dir = \"d\"\nguests-of = [\"x\"]\n", 2, "guests-of", "give its host:port"},
	{"frontend", "dir = \"d\"\nguests = \"10.0.0.5:1\"\nguests-max = 0\n", 3, "guests-max", "want 1 or more"},
	{"frontend", "dir = \"d\"\nadmin = \"0.0.0.0:7680\"\n", 2, "admin", "or listen on 127.0.0.1"},
	{"sam", "admin-token-file = 3\n", 1, "admin-token-file", "a text in quotes"},
	{"backend", "dir = \"d\"\n\nadmin = \"7680\"\n" + goodFrontend + goodService, 3, "admin", "unix:PATH"},
	{"balancer", "dir = \"d\"\nadmin-token = \"hunter2\"\n", 2, "admin-token", `"admin-token-file"`},
	{"balancer", "dir = \"d\"\npreset = \"man\"\n", 2, "preset", "want lan or wan"},
	{"balancer", "dir = \"d\"\nmax-format = -1\n", 2, "max-format", "0 or more"},
	{"balancer", "dir = \"d\"\nlisten = \"7660\"\n", 2, "listen", "want host:port"},
	{"balancer", "dir = \"d\"\nidentity-file = \"i\"\npassphrase-file = \"p\"\n", 2, "identity-file", "give one of them"},
	{"up", goodRouter + goodService, 0, "dir", "which is made"},
	{"up", "dir = \"d\"\n" + goodRouter, 0, "service", "[[service]]"},
	{"up", "dir = \"d\"\n" + goodService, 0, "router", "[[router]]"},
	{"up", "dir = \"d\"\nhops = 9\n" + goodRouter + goodService, 2, "hops", "1 to 7"},
	{"up", "dir = \"d\"\ntunels = 3\n" + goodRouter + goodService, 2, "tunels", `did you mean "tunnels"?`},
	{"up", "dir = \"d\"\n" + goodRouter + "roles = [\"member\"]\n" + goodService, 2, "router", "small router"},
	{"up", "dir = \"d\"\n" + goodRouter + goodRouter + goodService, 6, "router.name", "another name"},
	{"up", "dir = \"d\"\n" + goodRouter + "roles = [\"refuge\", \"member\"]\n" + goodService, 5, "router.roles", "a router of its own"},
	{"up", "dir = \"d\"\n" + goodRouter + goodService + "settings = { prot = 7 }\n", 7, "service.settings.prot", `did you mean "port"?`},
	{"up", "dir = \"d\"\nkey = \"site.dat\"\n" + goodRouter + goodService, 2, "key", `did you mean "keys"?`},
	{"balancer", "dir = \"d\"\npassphrase = \"hunter2\"\n", 2, "passphrase", `"passphrase-file"`},
}

// TestBrokenFiles: each error names the line, the key and the cure, and no secret.
func TestBrokenFiles(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	for _, test := range broken {
		write(t, path, test.text)
		got, err := checkFile(path, test.role)
		if err != nil || got.OK || len(got.Problems) == 0 {
			t.Errorf("%s, %q: %+v, %v", test.role, test.text, got, err)
			continue
		}
		p := got.Problems[0]
		line := fmt.Sprintf("line %d", test.line)
		if p.Line != test.line || p.Key != test.key || test.line > 0 && !strings.HasPrefix(p.Error, line) {
			t.Errorf("%s, %q: line %d, key %q, want %d and %q: %s", test.role, test.text, p.Line, p.Key, test.line, test.key, p.Error)
		}
		last := test.key[strings.LastIndexByte(test.key, '.')+1:]
		if !strings.Contains(p.Error, last) || !strings.Contains(p.Error, test.cure) {
			t.Errorf("%s, %q: %q does not say %q and %q", test.role, test.text, p.Error, last, test.cure)
		}
		if strings.Contains(p.Error, "hunter2") || strings.Contains(p.Error, "AAAA") {
			t.Errorf("%s, %q: %q has a secret", test.role, test.text, p.Error)
		}
	}
}

// TestConfigCheck is the command: what it prints, and how it ends.
func TestConfigCheck(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good, bad := filepath.Join(dir, "sam.toml"), filepath.Join(dir, "backend-2.toml")
	write(t, good, goodRouter)
	other := filepath.Join(dir, "x.toml")
	write(t, other, goodRouter)
	write(t, bad, "drain_limit = \"5m\"\nweigth = 1\n")
	if r := try(t, "", "config", "check", good); r.code != 0 || !strings.Contains(r.out, "sam.toml: ok, for onelease sam") {
		t.Errorf("a good file: %+v", r)
	}
	r := try(t, "", "config", "check", good, bad)
	if r.code != exitUsage || !strings.Contains(r.out, bad+`: line 2: unknown key "weigth": did you mean "weight"?`) || !strings.Contains(r.said, "1 file of 2") {
		t.Errorf("a bad file: %+v", r)
	}
	r = try(t, "", "config", "check", "--json", good, bad)
	files := decode[configView](t, r.out)
	want := []problemView{
		{1, "drain_limit", `line 1: unknown key "drain_limit": did you mean "drain-limit"?`},
		{2, "weigth", `line 2: unknown key "weigth": did you mean "weight"?`},
	}
	if r.code != exitUsage || len(files) != 2 || !files[0].OK || files[1].Role != "backend" || !reflect.DeepEqual(files[1].Problems, want) {
		t.Errorf("JSON: %+v", r)
	}
	for args, words := range map[string][]string{
		"check":                           {"no file given"},
		"check " + other:                  {"does not begin with a role", "--role"},
		"check " + dir + "/none.toml":     {"none.toml", "no such file"},
		"check --role king " + good:       {`no role "king"`, "balancer, frontend, backend, sam, up"},
		"example":                         {"no role given"},
		"example king":                    {`no role "king"`},
		"check " + dir + "/sam-none.toml": {"no such file"},
	} {
		r := try(t, "", append([]string{"config"}, strings.Fields(args)...)...)
		for _, w := range words {
			if r.code != exitUsage || !strings.Contains(r.said+r.out, w) {
				t.Errorf("config %s: %+v does not say %q", args, r, w)
			}
		}
	}
}

// TestExamples: what is printed for a role can be used as it is; so can each key that is
// commented out, by its kind.
func TestExamples(t *testing.T) {
	for _, r := range roles {
		path := filepath.Join(t.TempDir(), "file")
		write(t, path, r.example())
		if got, err := checkFile(path, r.name); err != nil || !got.OK {
			t.Errorf("%s: %+v, %v", r.name, got, err)
		}
		if err := strict.Decode([]byte(uncomment(r.example())), r.empty()); err != nil {
			t.Errorf("%s with all keys: %v in\n%s", r.name, err, uncomment(r.example()))
		}
		if again := r.example(); strings.Contains(again, "hunter") || strings.Count(again, "\n") < 20 {
			t.Errorf("%s:\n%s", r.name, again)
		}
	}
}

// uncomment takes the # from lines that are no comments.
func uncomment(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "# ") {
			line = line[1:]
		}
		b.WriteString(line)
	}
	return b.String()
}

// TestKeysAreDescribed: each has what the example, the reference and a flag are made of,
// and there is a flag for each of the same default.
func TestKeysAreDescribed(t *testing.T) {
	commands := root()
	for _, r := range roles {
		cmd, _, err := commands.Find([]string{r.name})
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range strict.Keys(r.empty()) {
			described(t, r.name, k)
			flag := cmd.Flags().Lookup(k.Flag)
			if k.Flag != "-" && (flag == nil || k.Table == nil && !strings.Contains(flag.Usage, strings.Fields(k.Comment)[0])) {
				t.Errorf("%s: no flag for the key %s", r.name, k.Name)
			}
			for _, inner := range k.Table {
				described(t, r.name+"."+k.Name, inner)
			}
		}
	}
}

func described(t *testing.T, of string, k strict.Key) {
	t.Helper()
	if k.Comment == "" || k.Table == nil && k.Default == "" && k.Example == "" {
		t.Errorf("%s: the key %s has no comment, or neither a default nor an example", of, k.Name)
	}
	if k.Value != "" && k.Value != "duration" && !strings.Contains(k.Comment, k.Value) {
		t.Errorf("%s: the comment of %s does not have %q: %s", of, k.Name, k.Value, k.Comment)
	}
}

// TestDefaultsOfFiles: the tags say what the code does.
func TestDefaultsOfFiles(t *testing.T) {
	for _, of := range []func() any{func() any { return newFrontendFile() }, func() any { return newBalancerFile() }} {
		is := of()
		for _, k := range strict.Keys(is) {
			if k.Default == "" {
				if !fieldOf(reflect.ValueOf(is).Elem(), k.Name).IsZero() {
					t.Errorf("%T: %s has a default that no tag says", is, k.Name)
				}
				continue
			}
			again := of()
			if err := strict.Decode([]byte(k.Name+" = "+k.Default), again); err != nil || !reflect.DeepEqual(is, again) {
				t.Errorf("%T: %s = %s is not the default: %+v, %v", is, k.Name, k.Default, again, err)
			}
		}
	}
}

// TestFlagsOnTop: a flag replaces what the file says, and an error is of the line only if
// the file has the value.
func TestFlagsOnTop(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "frontend.toml")
	write(t, file, "dir = \"nowhere\"\ndont-publish = \"maybe\"\n")
	fails(t, exitUsage, []string{file + ": line 2:", `--dont-publish "maybe"`}, "", "frontend", "--config", file)
	fails(t, exitFailed, []string{filepath.Join(filepath.Dir(file), "nowhere"), "not the directory of a node"}, "", "frontend", "--config", file, "--dont-publish", "auto")
	r := try(t, "", "frontend", "--config", file, "--dont-publish", "perhaps")
	if r.code != exitUsage || strings.Contains(r.said, "line") || !strings.Contains(r.said, "perhaps") {
		t.Errorf("%+v", r)
	}
	fails(t, exitUsage, []string{"line 1", `did you mean "dir"`}, "", "balancer", "--config", secretFile(t, "dirr = \"x\"\n"))
}

// TestChangedKeys: those that only a start reads are named.
func TestChangedKeys(t *testing.T) {
	type table struct {
		Name string `toml:"name"`
		Free string `toml:"free" reload:"yes"`
	}
	type file struct {
		Weight int              `toml:"weight"`
		Limit  backend.Duration `toml:"limit"`
		Cert   string           `toml:"cert" reload:"yes"`
		Tables []table          `toml:"table"`
	}
	was := file{1, 2, "a", []table{{"x", "y"}}}
	for _, test := range []struct {
		is   file
		want string
	}{
		{was, ""},
		{file{1, 2, "b", []table{{"x", "z"}}}, ""},
		{file{2, 3, "a", []table{{"x", "y"}}}, "weight, limit"},
		{file{1, 2, "a", []table{{"q", "y"}}}, "table.name"},
		{file{1, 2, "a", nil}, "table"},
	} {
		c := configFile{keyFlags: keyFlags{keys: strict.Keys(was)}, path: "f"}
		got := fmt.Sprint(c.changed(&was, &test.is))
		if test.want == "" && got != "<nil>" || !strings.Contains(got, test.want) || test.want != "" && !strings.Contains(got, "anew") {
			t.Errorf("%+v: %s, want %q", test.is, got, test.want)
		}
	}
}
