package samd

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/onelease/onelease/internal/routers"
	"github.com/onelease/onelease/internal/strict"
)

const whole = `
listen = ["127.0.0.1:17656", "127.0.0.2:17656"]
udp = "none"
tls-cert = "sam.pem"
tls-key = "/etc/sam.key"
users = "users"
auth = true
max-sessions = 50
max-streams = 9
[[router]]
name = "a"
address = "127.0.0.1:7654"
roles = ["member", "publisher"]
dont-publish = "auto"
[[router]]
name = "b"
address = "[::1]:7664"
user = "u"
password-file = "b.password"
`

func TestReadConfig(t *testing.T) {
	path := writeFile(t, "sam.toml", whole)
	dir := filepath.Dir(path)
	var got Config
	if _, err := strict.ReadFile(path, &got); err != nil {
		t.Fatal(err)
	}
	want := Config{
		Listen: []string{"127.0.0.1:17656", "127.0.0.2:17656"}, UDP: NoUDP,
		TLSCert: filepath.Join(dir, "sam.pem"), TLSKey: "/etc/sam.key", Users: filepath.Join(dir, "users"),
		Auth: true, MaxSessions: 50, MaxStreams: 9,
		Routers: []routers.Router{
			{Name: "a", Address: "127.0.0.1:7654", Roles: []string{routers.Member, routers.Publisher}, DontPublish: "auto"},
			{Name: "b", Address: "[::1]:7664", User: "u", PasswordFile: filepath.Join(dir, "b.password")},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
	if _, err := got.complete(); err != nil {
		t.Error(err)
	}
}

// What is wrong in a file is named, and nothing is opened.
func TestWrongConfig(t *testing.T) {
	const frontend = "[[frontend]]\nname = \"a\"\naddress = \"b:1\"\n"
	const router = "[[router]]\nname = \"a\"\naddress = \"127.0.0.1:7654\"\n"
	for text, want := range map[string]string{
		"lisen = [\"127.0.0.1:1\"]\n":                `did you mean "listen"?`,
		"listen = \"127.0.0.1:1\"\n":                 "line 1",
		"[[router]]\nname = \"a\"\naddres = \"x\"\n": `did you mean "address"?`,
		"": "no router",
		"[[router]]\naddress = \"127.0.0.1:1\"\n":              "it has no name",
		"[[router]]\nname = \"a\"\n":                           "want host:port of its I2CP",
		router + "roles = [\"king\"]\n":                        `"king" is no role`,
		router + "roles = [\"refuge\"]\n":                      "no router is a member",
		router + "dont-publish = \"maybe\"\n":                  `dont-publish "maybe"`,
		router + "user = \"u\"\n":                              "user and password-file",
		"listen = [\"[::]:1\"]\nallow-plain = true\n" + router: "give --users",
		"udp = \"192.0.2.1:7655\"\n" + router:                  "must be on the loopback",
		"max-connections = -1\n" + router:                      "max-connections -1",
		"[[frontend]]\nname = \"a\"\naddress = \"b:1\"\n":      "give --dir",
		"dir = \"d\"\n" + router:                               "give --frontend",
		"dir = \"d\"\n" + frontend:                             "no router is a publisher",
		"dir = \"d\"\n" + frontend + "roles = [\"refuge\"]\n":  `"refuge" is no role`,
		"dir = \"d\"\n[[frontend]]\nname = \"a\"\n":            "host:port of its --guests",
	} {
		var c Config
		_, err := strict.ReadFile(writeFile(t, "sam.toml", text), &c)
		if err == nil {
			if _, err = New(c); !errors.Is(err, ErrConfig) {
				t.Errorf("%q: %v is no ErrConfig", text, err)
			}
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
}

// Defaults: where clients look, and roles that make sense.
func TestDefaults(t *testing.T) {
	c, err := Config{Routers: []routers.Router{{Name: "a", Address: "127.0.0.1:7654"}}}.complete()
	if err != nil || c.Listen[0] != DefaultListen || c.UDP != DefaultUDP || len(c.Routers[0].Roles) != 2 {
		t.Errorf("%+v, %v", c, err)
	}
	c, err = Config{Routers: []routers.Router{
		{Name: "a", Address: "127.0.0.1:7654"}, {Name: "b", Address: "127.0.0.1:7664", Roles: []string{routers.Publisher}},
	}}.complete()
	if err != nil || !reflect.DeepEqual(c.Routers[0].Roles, []string{routers.Member}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestParseFrontend(t *testing.T) {
	got, err := ParseFrontend("router-1=10.0.0.5:7671,member,publisher")
	want := Frontend{Name: "router-1", Address: "10.0.0.5:7671", Roles: []string{routers.Member, routers.Publisher}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := ParseFrontend("10.0.0.5:7671"); err == nil {
		t.Error("a frontend without a name")
	}
}

func writeFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The tags have the defaults that the code has: to write them changes nothing.
func TestDefaultsAreTagged(t *testing.T) {
	one := []routers.Router{{Name: "a", Address: "127.0.0.1:7654"}}
	want, err := Config{Routers: one}.complete()
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, k := range strict.Keys(Config{}) {
		if k.Default != "" && k.Table == nil {
			text.WriteString(k.Name + " = " + k.Default + "\n")
		}
	}
	written := Config{Routers: one}
	if err := strict.Decode([]byte(text.String()), &written); err != nil {
		t.Fatal(err)
	}
	if reflect.DeepEqual(written, Config{Routers: one}) {
		t.Error("no defaults")
	}
	got, err := written.complete()
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%+v, %v; want %+v", got, err, want)
	}
}
