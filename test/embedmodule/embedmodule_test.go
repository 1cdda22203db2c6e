// Package embedmodule_test is a user of the module: it makes one of its own, outside
// the repository, with the program that README.md shows.
package embedmodule_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// repository is where this module is.
const repository = "../.."

// mostLines is how long func main may be.
const mostLines = 10

// A module is the user's.
type module struct {
	t   *testing.T
	dir string
}

// newModule has the program of README.md, our go.sum, and nothing that is
// downloaded but by the go command, if its cache has not what ours needs.
func newModule(t *testing.T) *module {
	t.Helper()
	root, err := filepath.Abs(repository)
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	m := &module{t, t.TempDir()}
	m.write("main.go", readmeProgram(t))
	m.write("go.sum", sums)
	m.write("go.mod", []byte("module example.com/site\n\ngo 1.26.0\n\nrequire github.com/onelease/onelease v0.0.0\n\nreplace github.com/onelease/onelease => "+root+"\n"))
	return m
}

func (m *module) write(name string, content []byte) {
	m.t.Helper()
	if err := os.WriteFile(filepath.Join(m.dir, name), content, 0o600); err != nil {
		m.t.Fatal(err)
	}
}

// run runs a command in the module and returns what it wrote.
func (m *module) run(name string, args ...string) string {
	m.t.Helper()
	cmd := exec.CommandContext(m.t.Context(), name, args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=-mod=mod", "GOWORK=off")
	var log bytes.Buffer
	cmd.Stderr = &log
	out, err := cmd.Output()
	if err != nil {
		m.t.Fatalf("%s %s: %v\n%s%s", name, strings.Join(args, " "), err, out, log.Bytes())
	}
	return string(out)
}

// readmeProgram is the first whole program in README.md.
func readmeProgram(t *testing.T) []byte {
	t.Helper()
	readme, err := os.ReadFile(filepath.Join(repository, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile("(?s)```go\n(package main\n.*?)```").FindSubmatch(readme)
	if block == nil {
		t.Fatal("README.md shows no program")
	}
	return block[1]
}

// mainLines is how many lines are in the body of func main.
func mainLines(t *testing.T, program []byte) int {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "main.go", program, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "main" {
			return files.Position(f.Body.Rbrace).Line - files.Position(f.Body.Lbrace).Line - 1
		}
	}
	t.Fatal("there is no func main")
	return 0
}

// TestModule has the program build and pass vet, be fetched from a remote, and
// bring neither raft nor its database: as packages, and as modules to be downloaded
// and looked over.
func TestModule(t *testing.T) {
	m := newModule(t)
	if lines := mainLines(t, readmeProgram(t)); lines > mostLines {
		t.Errorf("func main has %d lines, want %d at most", lines, mostLines)
	}
	m.run("go", "mod", "tidy")
	m.run("go", "build", "-o", "site", ".")
	m.run("go", "vet", ".")
	if page := m.run("./site"); !strings.Contains(page, `<a href="main.go">`) {
		t.Errorf("what the remote fetched is %q, want the list of files", page)
	}
	needs, err := os.ReadFile(filepath.Join(m.dir, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	packages := m.run("go", "list", "-deps", ".")
	if !strings.Contains(packages, "github.com/onelease/onelease/balancer\n") {
		t.Errorf("go list shows no balancer:\n%s", packages)
	}
	for _, unwanted := range []string{"hashicorp/raft", "bbolt", "boltdb"} {
		if strings.Contains(packages+string(needs), unwanted) {
			t.Errorf("the program depends on %s:\n%s\n%s", unwanted, needs, packages)
		}
	}
}
