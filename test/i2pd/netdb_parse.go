package i2pd

import (
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// ErrPage means a webconsole page that is not as i2pd 2.45.1 to 2.58 write it: there the
// LeaseSets page is the same but for a sentence that says that it is empty.
var ErrPage = errors.New("unknown webconsole format")

// consoleTime is how the webconsole writes times, in the router's time zone, which is UTC.
const consoleTime = "02/01/2006 15:04:05.000"

const leaseSetsHeading = "<b>LeaseSets:</b>"

var (
	consoleBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	consoleBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~")

	labelLine = regexp.MustCompile(`<label for="slide\d+">([a-z2-7]+)</label>`)
	fieldLine = regexp.MustCompile(`^<b>(Store type|Expires|Gateway|TunnelID|EndDate):</b> (.*)<br>$`)
	countLine = regexp.MustCompile(`^<b>Non Expired Leases: (\d+)</b><br>$`)
)

// parseLeaseSets reads the page of a floodfill that lists its LeaseSets.
func parseLeaseSets(page string) (map[[32]byte]LeaseSet, error) {
	_, list, ok := strings.Cut(page, leaseSetsHeading)
	if !ok {
		return nil, fmt.Errorf("%w: no heading %q", ErrPage, leaseSetsHeading)
	}
	found := make(map[[32]byte]LeaseSet)
	// Every LeaseSet is a div of its own; before the first there is only the list's head.
	for _, div := range strings.Split(list, `<div class="leaseset listitem`)[1:] {
		ls, err := parseLeaseSet(div)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrPage, err)
		}
		found[ls.Hash] = ls
	}
	return found, nil
}

func parseLeaseSet(div string) (LeaseSet, error) {
	label := labelLine.FindStringSubmatch(div)
	if label == nil {
		return LeaseSet{}, errors.New("LeaseSet without a label")
	}
	ls := LeaseSet{Valid: !strings.Contains(div, `class="invalid"`)}
	if err := decodeHash(&ls.Hash, consoleBase32.DecodeString, label[1]); err != nil {
		return LeaseSet{}, err
	}
	announced := 0
	for line := range strings.Lines(div) {
		line = strings.TrimSpace(line)
		if m := countLine.FindStringSubmatch(line); m != nil {
			announced, _ = strconv.Atoi(m[1]) // digits
		} else if m := fieldLine.FindStringSubmatch(line); m != nil {
			if err := ls.set(m[1], m[2]); err != nil {
				return LeaseSet{}, fmt.Errorf("%s: %w", m[1], err)
			}
		}
	}
	if announced != len(ls.Leases) {
		return LeaseSet{}, fmt.Errorf("%d leases announced, %d found", announced, len(ls.Leases))
	}
	return ls, nil
}

// set takes one field of the page. Gateway begins a lease; the others of a lease follow it.
func (ls *LeaseSet) set(field, value string) (err error) {
	if field == "Gateway" {
		ls.Leases = append(ls.Leases, Lease{})
	}
	lease := &Lease{}
	if n := len(ls.Leases); n > 0 {
		lease = &ls.Leases[n-1]
	}
	switch field {
	case "Store type":
		ls.StoreType, err = strconv.Atoi(value)
	case "Expires":
		ls.Expires, err = time.Parse(consoleTime, value)
	case "Gateway":
		err = decodeHash(&lease.Gateway, consoleBase64.DecodeString, value)
	case "TunnelID":
		var id uint64
		id, err = strconv.ParseUint(value, 10, 32)
		lease.TunnelID = uint32(id)
	case "EndDate":
		lease.End, err = time.Parse(consoleTime, value)
	}
	return err
}

func decodeHash(hash *[32]byte, decode func(string) ([]byte, error), text string) error {
	raw, err := decode(text)
	if err != nil {
		return err
	}
	if len(raw) != len(hash) {
		return fmt.Errorf("hash of %d bytes", len(raw))
	}
	copy(hash[:], raw)
	return nil
}
