package webconsole

import (
	"fmt"
	"regexp"
	"strings"
)

// Hosted are the hashes of the Destinations that a router has by itself, or for programs that
// speak SAM or BOB: those of tunnels.conf, of its proxies, of sessions. Those of I2CP clients
// are not among them.
type Hosted map[[32]byte]bool

const hostedHeading = "<b>Local Destinations:</b>"

// hostedLink leads to the page of one; that of an I2CP client has no b32.
var hostedLink = regexp.MustCompile(`[?&]page=local_destination&b32=([a-z2-7]+)"`)

// ParseHosted reads the page that lists local Destinations, which i2pd 2.45.1 and 2.58 write
// alike. The error is ErrPage.
func ParseHosted(page string) (Hosted, error) {
	_, list, ok := strings.Cut(page, hostedHeading)
	if !ok {
		return nil, fmt.Errorf("%w: no heading %q", ErrPage, hostedHeading)
	}
	hosted := Hosted{}
	for _, link := range hostedLink.FindAllStringSubmatch(list, -1) {
		var hash [32]byte
		if err := decodeHash(&hash, consoleBase32.DecodeString, link[1]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPage, err)
		}
		hosted[hash] = true
	}
	return hosted, nil
}
