package sam

import (
	"fmt"
	"math"
	"strings"
)

// The versions of SAM 3 that are served, by their minor numbers.
const (
	// NewestMinor is the newest of them: 3.3.
	NewestMinor = 3

	major    = 3
	minorMax = 99
)

// Negotiate returns the minor number of the newest version within the limits
// of a client, which are optional.
func Negotiate(low, high string) (int, error) {
	least, err := version(low, "MIN", 0)
	if err != nil {
		return 0, err
	}
	most, err := version(high, "MAX", math.MaxInt)
	if err != nil {
		return 0, err
	}
	best := min(most, versionNumber(major, NewestMinor))
	if best < least || best < versionNumber(major, 0) {
		return 0, Refusef(ResultNoVersion, "versions 3.0 to 3.%d are served", NewestMinor)
	}
	return best - versionNumber(major, 0), nil
}

// version reads "3.1", or "3" for "3.0" ("SAM Connection Handshake").
func version(s, option string, fallback int) (int, error) {
	if s == "" {
		return fallback, nil
	}
	head, tail, dotted := strings.Cut(s, ".")
	if !dotted {
		tail = "0"
	}
	high, ok1 := decimal([]byte(head), minorMax)
	low, ok2 := decimal([]byte(tail), minorMax)
	if !ok1 || !ok2 {
		return 0, Refusef(ResultI2PError, "%s=%.20s: want a version such as 3.3", option, s)
	}
	return versionNumber(high, low), nil
}

func versionNumber(high, low int) int { return high*(minorMax+1) + low }

// AppendHello appends the reply to a HELLO that was agreed to.
func AppendHello(b []byte, minor int) []byte {
	b = AppendOption(AppendCommand(b, KindHelloReply), "RESULT", string(ResultOK))
	return append(AppendOption(b, "VERSION", fmt.Sprintf("%d.%d", major, minor)), '\n')
}
