package strict

import (
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"

	"github.com/pelletier/go-toml/v2"
)

// A Table is a document as it is, of any keys.
type Table = map[string]any

// ParseTable reads a document.
func ParseTable(text string) (Table, error) {
	table := Table{}
	return table, syntax(toml.Unmarshal([]byte(text), &table), text)
}

// syntax is Problems for what is no TOML.
func syntax(err error, text string) error {
	if err == nil {
		return nil
	}
	return Problems{problemOf(err, []byte(text), reflect.TypeFor[Table]())}
}

// errValue says how a value is written.
var errValue = errors.New(`want key=value, a value as in TOML: 80, true, "text" in quotes, ["a", "b"]`)

// ParseAssignment reads "key=value" with a value as in TOML; a key with dots is one in a
// table.
func ParseAssignment(text string) (Table, error) {
	key, value, found := strings.Cut(text, "=")
	if !found || strings.TrimSpace(key) == "" {
		return nil, fmt.Errorf("%q: %w", text, errValue)
	}
	table := Table{}
	if err := toml.Unmarshal([]byte(key+" = "+value), &table); err != nil || len(table) != 1 {
		return nil, fmt.Errorf("%q: %w", text, errValue)
	}
	return table, nil
}

// Merge puts what is in over into table; what is a table in both is merged.
func Merge(table, over Table) Table {
	merged := maps.Clone(table)
	if merged == nil {
		merged = Table{}
	}
	for key, value := range over {
		inner, isTable := value.(Table)
		old, wasTable := merged[key].(Table)
		if isTable && wasTable {
			value = Merge(old, inner)
		}
		merged[key] = value
	}
	return merged
}

// MergeText is Merge for the text of a document. Without anything to merge the text stays
// as it is, comments and all.
func MergeText(text string, over Table) (string, error) {
	if len(over) == 0 {
		return text, nil
	}
	table, err := ParseTable(text)
	if err != nil {
		return "", err
	}
	merged, err := toml.Marshal(Merge(table, over))
	return string(merged), err
}
