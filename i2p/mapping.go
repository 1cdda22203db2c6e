package i2p

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"slices"
	"unicode/utf16"
)

// A Mapping is a set of options ("Mapping"): short strings by name.
type Mapping map[string]string

const (
	maxMappingSize   = 0xffff
	maxMappingString = 0xff
)

// AppendTo appends the encoded mapping, sorted by key so that it can be
// signed: size 2, then for each entry "len1 key = len1 value ;". Keys and
// values are UTF-8 of at most 255 bytes; other bytes are written as they are,
// but Java I2P reads them differently and then takes the signature for wrong.
func (m Mapping) AppendTo(b []byte) ([]byte, error) {
	start := len(b)
	b = append(b, 0, 0)
	for _, key := range slices.SortedFunc(maps.Keys(m), compareKeys) {
		value := m[key]
		if len(key) > maxMappingString || len(value) > maxMappingString {
			return nil, fmt.Errorf("option %.40q: key and value are at most 255 bytes: %w", key, ErrInvalid)
		}
		b = append(append(b, byte(len(key))), key...)
		b = append(append(b, '=', byte(len(value))), value...)
		b = append(b, ';')
	}
	size := len(b) - start - 2
	if size > maxMappingSize {
		return nil, fmt.Errorf("options of %d bytes, at most %d fit: %w", size, maxMappingSize, ErrInvalid)
	}
	binary.BigEndian.PutUint16(b[start:], uint16(size))
	return b, nil
}

// compareKeys orders keys as Java's String.compareTo does, by UTF-16 units,
// since Java I2P sorts again before it checks a signature. It differs from the
// order of the bytes only beyond U+D7FF. What is not UTF-8 goes by its bytes.
func compareKeys(a, b string) int {
	return cmp.Or(slices.Compare(utf16.Encode([]rune(a)), utf16.Encode([]rune(b))), cmp.Compare(a, b))
}

// ParseMapping reads the mapping at the start of b and returns it with the
// number of bytes it takes. The keys may be in any order. Keys that come twice
// are ErrInvalid: no signed mapping may have them, and Java I2P refuses them.
func ParseMapping(b []byte) (Mapping, int, error) {
	if len(b) < 2 {
		return nil, 0, fmt.Errorf("options: %w", ErrTruncated)
	}
	size := int(binary.BigEndian.Uint16(b))
	if len(b) < 2+size {
		return nil, 0, fmt.Errorf("options of %d bytes, want %d: %w", len(b)-2, size, ErrTruncated)
	}
	m := Mapping{}
	for rest := b[2 : 2+size]; len(rest) > 0; {
		key, value, n, err := parseOption(rest)
		if err != nil {
			return nil, 0, err
		}
		if _, twice := m[key]; twice {
			return nil, 0, fmt.Errorf("option %.40q comes twice: %w", key, ErrInvalid)
		}
		m[key] = value
		rest = rest[n:]
	}
	return m, 2 + size, nil
}

// parseOption reads one "len1 key = len1 value ;".
func parseOption(b []byte) (key, value string, n int, err error) {
	key, n, err = parseDelimited(b, '=')
	if err != nil {
		return "", "", 0, err
	}
	value, m, err := parseDelimited(b[n:], ';')
	return key, value, n + m, err
}

func parseDelimited(b []byte, end byte) (string, int, error) {
	if len(b) < 1 || len(b) < 2+int(b[0]) {
		return "", 0, fmt.Errorf("option: %w", ErrTruncated)
	}
	n := 1 + int(b[0])
	if b[n] != end {
		return "", 0, fmt.Errorf("option ends in %q, want %q: %w", b[n], end, ErrInvalid)
	}
	return string(b[1:n]), n + 1, nil
}
