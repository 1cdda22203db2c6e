package main

import (
	"bytes"
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/onelease/onelease/internal/strict"
)

var updateConfigDocs = flag.Bool("update-config", false, "write the generated tables of docs/configuration.md")

// configDocs has the generated tables between other text.
const configDocs = "../../docs/configuration.md"

// A configBlock is the table of a role.
var configBlock = regexp.MustCompile(`(?s)(<!-- generated: ([a-z]+); see make generate -->\n).*?(<!-- end -->)`)

// TestConfigDocs: the reference says what the tables of keys say; -update-config makes it so.
func TestConfigDocs(t *testing.T) {
	old, err := os.ReadFile(configDocs)
	if err != nil {
		t.Fatal(err)
	}
	left := roleNames()
	made := configBlock.ReplaceAllFunc(old, func(b []byte) []byte {
		parts := configBlock.FindSubmatch(b)
		r, err := roleCalled(string(parts[2]))
		if err != nil || len(left) == 0 || left[0] != r.name {
			t.Fatalf("a block %q, where that of one of %v should be: %v", parts[2], left, err)
		}
		left = left[1:]
		return fmt.Appendf(nil, "%s\n%s\n%s", parts[1], docsKeys(strict.Keys(r.empty())), parts[3])
	})
	switch {
	case len(left) > 0:
		t.Errorf("no block for %v", left)
	case bytes.Equal(old, made):
	case !*updateConfigDocs:
		t.Error("docs/configuration.md is out of date: run make generate")
	default:
		err = os.WriteFile(configDocs, made, 0o644)
	}
	if err != nil {
		t.Error(err)
	}
}

// docsKeys is a table of the keys, and of those of tables in it.
func docsKeys(keys []strict.Key) string {
	var b strings.Builder
	b.WriteString("| key | flag | value | default | what it is |\n|---|---|---|---|---|\n")
	for _, k := range keys {
		name := "`" + k.Name + "`"
		if k.Table != nil {
			name = "`[[" + k.Name + "]]`"
		}
		b.WriteString(docsKey(name, docsFlag(&k), &k))
		for _, inner := range k.Table {
			b.WriteString(docsKey("`"+k.Name+"."+inner.Name+"`", "", &inner))
		}
	}
	return b.String()
}

func docsFlag(k *strict.Key) string {
	if k.Flag == "-" {
		return ""
	}
	return "`--" + k.Flag + "`"
}

func docsKey(name, flag string, k *strict.Key) string {
	value, comment := k.Kind(), k.Comment
	if k.Value != "" {
		value += ": " + k.Value
	}
	if k.Reload {
		comment += "; read again on SIGHUP"
	}
	preset := ""
	if k.Default != "" {
		preset = "`" + k.Default + "`"
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s |\n", name, flag, value, preset, comment)
}
