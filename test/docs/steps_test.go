package docs

import (
	"reflect"
	"strings"
	"testing"
)

const samplePage = `# A page

Text, and in it ` + "`onelease not-this`" + `.

    onelease key generate site.dat     # a comment
    onelease cluster status

    Destination  abc...xyz.b32.i2p
    LeaseSet     6 leases

Then

    for n in 1 2; do
        onelease invite r-$n
    done

    (umask 077; head -c 18 /dev/urandom > p)
    podman run \
        onelease
    cat > f <<EOF
    onelease is text here
    EOF

` + "```go\nonelease()\n```\n\n```sh\nmake demo\n```\n" + `
- In a list

      onelease status --admin x

    picture [onelease]
`

// TestSteps: commands are told from what is shown, and are whole.
func TestSteps(t *testing.T) {
	var got []string
	for _, s := range Steps(samplePage) {
		if s.Command != "" {
			got = append(got, "$ "+s.Command)
		} else {
			got = append(got, strings.Join(s.Shown, "\n"))
		}
		if line := strings.Split(samplePage, "\n")[s.Line-1]; !strings.Contains(line, strings.TrimSpace(s.Start())) {
			t.Errorf("%q is said to be in line %d, %q", s.Start(), s.Line, line)
		}
	}
	want := []string{
		"$ onelease key generate site.dat     # a comment",
		"$ onelease cluster status",
		"Destination  abc...xyz.b32.i2p\nLeaseSet     6 leases",
		"$ for n in 1 2; do\n    onelease invite r-$n\ndone",
		"$ (umask 077; head -c 18 /dev/urandom > p)",
		"$ podman run \\\n    onelease",
		"$ cat > f <<EOF\nonelease is text here\nEOF",
		"$ make demo",
		"$ onelease status --admin x",
		"picture [onelease]",
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("steps\n%s\nwant\n%s", strings.Join(got, "\n---\n"), strings.Join(want, "\n---\n"))
	}
}

// TestFits: numbers, addresses and space may differ, and nothing else.
func TestFits(t *testing.T) {
	output := "\nDestination  " + strings.Repeat("a", 52) + ".b32.i2p\nother\nLeaseSet   3 leases, 15 s old\nok    tunnels: it built some\n"
	for _, test := range []struct {
		shown string
		fits  bool
	}{
		{"Destination abc...xyz.b32.i2p\n...\nLeaseSet  6 leases, 5 s old", true},
		{"ok    tunnels: it built some", true},
		{"Destination  ...", true},
		{"LeaseSet  6 leases, 5 s old\nDestination abc...xyz.b32.i2p", false},
		{"LeaseSet  6 leases", false},
		{"ok tunnels: it built 3", false},
		{"other\nother", false},
		{"netDB  not looked up yet\nother", true},
	} {
		if err := (expected{lines: strings.Split(test.shown, "\n"), except: "netDB"}).fits(output); (err == nil) != test.fits {
			t.Errorf("%q: %v, want it to fit: %v", test.shown, err, test.fits)
		}
	}
}
