package backend

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Settings are a Service whose exported fields are its settings. That of a plugin
// is decoded from the TOML that its operator writes, so the fields have struct tags:
//
//	type Service struct {
//		Port   uint16           `toml:"port" comment:"I2P port; 0 is all"`
//		MaxAge backend.Duration `toml:"max-age" comment:"how long browsers keep a file"`
//	}
//
// A field at its zero value has its default, which Serve fills in by SetDefaults,
// on a copy. So a program may leave out what it does not care about, and the
// example of all settings that an operator is shown is SetDefaults of a zero
// Service. A field that must be set, since any default would publish what nobody
// meant to, is empty there, and its comment says so.
type Settings interface {
	Service
	// SetDefaults gives the fields that are zero their defaults.
	SetDefaults()
	// Check returns an error that names the setting that cannot work, and what
	// to do. Serve begins with it; calling it earlier tells the operator before
	// there is a network. It looks at files, but opens no port.
	Check() error
}

// A Duration is a time.Duration that is written "1h30m" in settings.
type Duration time.Duration

// String is d with units, without those at its end that are zero: "5m", not "5m0s".
func (d Duration) String() string {
	s := time.Duration(d).String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads what time.ParseDuration does, but for negative ones.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := time.ParseDuration(string(text))
	if err != nil || parsed < 0 {
		return fmt.Errorf("%.40q is no duration: want a number with a unit, such as 30s, 5m or 1h30m", text)
	}
	*d = Duration(parsed)
	return nil
}

// Check returns an error for what no setting means: a negative Duration, and one that
// was written as a number, which a decoder of TOML takes for nanoseconds.
func (d Duration) Check() error {
	if d < 0 || d > 0 && d < Duration(time.Millisecond) {
		return fmt.Errorf("%v cannot be meant: want a text with a unit, such as \"30s\"", d)
	}
	return nil
}

// A Size is a number of bytes that is written "64KiB" or "10MB" in settings.
type Size int64

// sizeUnits are the units that are read, without regard to case, the largest first.
var sizeUnits = []struct {
	name  string
	bytes Size
}{
	{"TiB", 1 << 40}, {"TB", 1e12}, {"GiB", 1 << 30}, {"GB", 1e9}, {"MiB", 1 << 20}, {"MB", 1e6},
	{"KiB", 1 << 10}, {"kB", 1e3}, {"B", 1}, {"", 1},
}

// String is s in the largest unit that says it exactly.
func (s Size) String() string {
	for _, u := range sizeUnits {
		if s != 0 && s%u.bytes == 0 {
			return strconv.FormatInt(int64(s/u.bytes), 10) + u.name
		}
	}
	return "0B"
}

// MarshalText implements encoding.TextMarshaler.
func (s Size) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

var errSize = errors.New("want a whole number of bytes with or without a unit, such as 512, 64KiB or 10MB")

// UnmarshalText reads a whole number with a unit, or of bytes.
func (s *Size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "bBkKmMgGtTiI ")
	unit := strings.TrimSpace(string(text)[len(digits):])
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return fmt.Errorf("%.40q is no size: %w", text, errSize)
	}
	for _, u := range sizeUnits {
		if strings.EqualFold(unit, u.name) {
			if size := Size(n) * u.bytes; size/u.bytes == Size(n) {
				*s = size
				return nil
			}
			return fmt.Errorf("%.40q is more than a size can be: %w", text, errSize)
		}
	}
	return fmt.Errorf("%.40q is no size: %w", text, errSize)
}
