// Package webconsole reads two pages of i2pd's webconsole. One lists the LeaseSets of its
// netDB: a floodfill's are the only ones that a stock router shows with their leases. The
// other lists the Destinations that the router has besides those of I2CP.
//
//	page, err := webconsole.Get(ctx, "127.0.0.1:7070", time.Local)
//	ls, ok := page.LeaseSets[hash]
//	hosted, err := webconsole.GetHosted(ctx, "127.0.0.1:7070")
//
// It knows i2pd alone, in English. Hashes are plain arrays, not package i2p's: these are
// facts from outside, that tests hold the project's own against.
package webconsole

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

// A LeaseSet is what a floodfill holds.
type LeaseSet struct {
	Hash      [32]byte // of the Destination
	StoreType int      // 1 LeaseSet, 3 LeaseSet2, 5 encrypted, 7 Meta
	Expires   time.Time
	Valid     bool    // the router finds the signature good
	Leases    []Lease // those that ended less than 51 s ago included; none for types 5 and 7
}

// A Lease is one inbound tunnel of a LeaseSet.
type Lease struct {
	Gateway  [32]byte // hash of the router
	TunnelID uint32
	End      time.Time // 1 s resolution in a LeaseSet2
}

// A Page is what one router shows.
type Page struct {
	// Floodfill is false if the router says that it is none; it then has no LeaseSets to show.
	Floodfill bool
	// LeaseSets are by the Destination's hash.
	LeaseSets map[[32]byte]LeaseSet
}

// ErrPage means a webconsole page that is not as i2pd 2.45.1 to 2.58 write it: there the
// LeaseSets page is the same but for a sentence that says that it is empty.
var ErrPage = errors.New("unknown webconsole format")

// consoleTime is how the webconsole writes times, in the router's time zone.
const consoleTime = "02/01/2006 15:04:05.000"

const leaseSetsHeading = "<b>LeaseSets:</b>"

var (
	consoleBase32 = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)
	consoleBase64 = base64.NewEncoding("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-~")

	labelLine = regexp.MustCompile(`<label for="slide\d+">([a-z2-7]+)</label>`)
	fieldLine = regexp.MustCompile(`^<b>(Store type|Expires|Gateway|TunnelID|EndDate):</b> (.*)<br>$`)
	countLine = regexp.MustCompile(`^<b>Non Expired Leases: (\d+)</b><br>$`)
)

// notFloodfill is how 2.45.1 and 2.58 say it after the heading.
var notFloodfill = regexp.MustCompile(`^[^<]*(not floodfill|floodfill mode is disabled)`)

// Parse reads the page that lists LeaseSets, of a router whose times are in the zone.
// The error is ErrPage.
func Parse(page string, zone *time.Location) (Page, error) {
	_, list, ok := strings.Cut(page, leaseSetsHeading)
	if !ok {
		return Page{}, fmt.Errorf("%w: no heading %q", ErrPage, leaseSetsHeading)
	}
	found := make(map[[32]byte]LeaseSet)
	// Every LeaseSet is a div of its own; before the first there is only the list's head.
	for _, div := range strings.Split(list, `<div class="leaseset listitem`)[1:] {
		ls, err := parseLeaseSet(div, zone)
		if err != nil {
			return Page{}, fmt.Errorf("%w: %w", ErrPage, err)
		}
		found[ls.Hash] = ls
	}
	return Page{Floodfill: !notFloodfill.MatchString(list), LeaseSets: found}, nil
}

func parseLeaseSet(div string, zone *time.Location) (LeaseSet, error) {
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
			if err := ls.set(m[1], m[2], zone); err != nil {
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
func (ls *LeaseSet) set(field, value string, zone *time.Location) (err error) {
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
		ls.Expires, err = time.ParseInLocation(consoleTime, value, zone)
	case "Gateway":
		err = decodeHash(&lease.Gateway, consoleBase64.DecodeString, value)
	case "TunnelID":
		var id uint64
		id, err = strconv.ParseUint(value, 10, 32)
		lease.TunnelID = uint32(id)
	case "EndDate":
		lease.End, err = time.ParseInLocation(consoleTime, value, zone)
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
