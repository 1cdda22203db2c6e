package sambridge

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

// An optionRow is an I2CP or streaming option that the bridge heeds itself.
type optionRow struct {
	name string
	set  func(s *settings, value string) error
}

// settings is what options of a SESSION CREATE may change.
type settings struct {
	session *session
	streams *streaming.Config
	access  accessList
}

// optionRows are options of Java's streaming library and I2CP client ("Tunnel, I2CP, and
// Streaming Options") that mean something here. All other options go to the
// routers' sessions as they are, which ignore what they do not know.
var optionRows = []optionRow{
	{"i2cp.dontPublishLeaseSet", func(s *settings, v string) (err error) {
		s.session.dontPublish, err = readBool(v)
		return err
	}},
	{connectTimeout, func(s *settings, v string) error { return readConnectTime(v, &s.session.connectTime) }},
	{"i2p.streaming.inactivityTimeout", func(s *settings, v string) error {
		return readTime(v, 10*time.Second, 24*time.Hour, &s.streams.IdleTimeout)
	}},
	{"i2p.streaming.answerPings", func(s *settings, v string) error {
		answer, err := readBool(v)
		s.streams.NoPongs = !answer
		return err
	}},
	{"i2p.streaming.maxMessageSize", func(s *settings, v string) error {
		return readCount(v, 512, 32<<10, &s.streams.MaxPayload)
	}},
	{"i2p.streaming.maxConcurrentStreams", func(s *settings, v string) error {
		return readLimit(v, &s.streams.Limits.Streams)
	}},
	{"i2p.streaming.maxConnsPerMinute", func(s *settings, v string) error {
		return readLimit(v, &s.streams.Limits.PerMinute)
	}},
	{"i2p.streaming.maxConnsPerHour", func(s *settings, v string) error {
		return readLimit(v, &s.streams.Limits.PerHour)
	}},
	{"i2p.streaming.maxConnsPerDay", func(s *settings, v string) error {
		return readLimit(v, &s.streams.Limits.PerDay)
	}},
	{"i2p.streaming.maxTotalConnsPerMinute", func(s *settings, v string) error {
		return readLimit(v, &s.streams.Limits.TotalPerMinute)
	}},
	{"i2p.streaming.maxTotalConnsPerHour", func(s *settings, v string) error {
		return readLimit(v, &s.streams.Limits.TotalPerHour)
	}},
	{"i2p.streaming.maxTotalConnsPerDay", func(s *settings, v string) error {
		return readLimit(v, &s.streams.Limits.TotalPerDay)
	}},
	{"i2cp.enableAccessList", func(s *settings, v string) (err error) {
		s.access.allow, err = readBool(v)
		return err
	}},
	{"i2cp.enableBlackList", func(s *settings, v string) (err error) {
		s.access.block, err = readBool(v)
		return err
	}},
	{"i2cp.accessList", func(s *settings, v string) error { return s.access.read(v) }},
}

// readOptions sorts the options that are not SAM's own: to the session, to its
// streams, and the rest to the routers.
func (s *session) readOptions(cmd *sam.Command, o *onelease.Opening) error {
	set := settings{session: s, streams: &o.Backend.Streams}
	o.Options = i2p.Mapping{}
	for name, value := range cmd.Options() {
		if cmd.Kind.Own(name) {
			continue
		}
		if value == "" { // KEY, KEY= and KEY="" are true, as on Java
			value = "true"
		}
		if row := optionOf(name); row != nil {
			if err := row.set(&set, value); err != nil {
				return sam.Refusef(sam.ResultI2PError, "option %s=%.40q: %v", name, value, err)
			}
		}
		if !strings.HasPrefix(name, "i2p.streaming.") {
			o.Options[name] = value
		}
	}
	limits := &o.Backend.Streams.Limits
	if own := s.b.cfg.Limits.Streams; limits.Streams <= 0 || limits.Streams > own {
		limits.Streams = own
	}
	limits.StreamsPerRemote = limits.Streams // one remote may have all, as on Java
	limits.Allow = set.access.filter()
	return nil
}

func optionOf(name string) *optionRow {
	for i := range optionRows {
		if optionRows[i].name == name {
			return &optionRows[i]
		}
	}
	return nil
}

// An accessList says which remotes may begin streams.
type accessList struct {
	allow, block bool
	hashes       map[i2p.Hash]bool
}

// read reads Destinations' hashes, in base64 or as b32 addresses, with commas or
// spaces between.
func (a *accessList) read(value string) error {
	a.hashes = map[i2p.Hash]bool{}
	for name := range strings.FieldsFuncSeq(value, func(r rune) bool { return r == ',' || r == ' ' }) {
		hash, err := readHash(name)
		if err != nil {
			return err
		}
		a.hashes[hash] = true
	}
	return nil
}

func readHash(name string) (i2p.Hash, error) {
	if strings.HasSuffix(name, ".i2p") {
		return i2p.ParseBase32(name)
	}
	raw, err := i2p.Base64.DecodeString(name)
	if err != nil || len(raw) != i2p.HashSize {
		return i2p.Hash{}, fmt.Errorf("%.20q: want hashes in base64 or b32 addresses", name)
	}
	return i2p.Hash(raw), nil
}

// filter is for streaming.Limits.Allow. If both are on, the list is one of who may, as on
// Java.
func (a *accessList) filter() func(i2p.Hash) bool {
	hashes := a.hashes
	switch {
	case a.allow:
		return func(h i2p.Hash) bool { return hashes[h] }
	case a.block:
		return func(h i2p.Hash) bool { return !hashes[h] }
	}
	return nil
}

func readBool(value string) (bool, error) {
	b, err := strconv.ParseBool(strings.ToLower(value))
	if err != nil {
		return false, fmt.Errorf("want true or false")
	}
	return b, nil
}

// readTime reads milliseconds. 0 and less are Java's for none: the default stays.
func readTime(value string, least, most time.Duration, to *time.Duration) error {
	ms, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return fmt.Errorf("want milliseconds")
	}
	if ms > 0 {
		*to = min(max(time.Duration(ms)*time.Millisecond, least), most)
	}
	return nil
}

// readCount reads a number, and brings it between least and most.
func readCount(value string, least, most int, to *int) error {
	n, err := strconv.ParseInt(value, 10, 32)
	if err != nil {
		return fmt.Errorf("want a number")
	}
	*to = min(max(int(n), least), most)
	return nil
}

// readLimit reads a limit, of which 0 and less are none.
func readLimit(value string, to *int) error {
	if err := readCount(value, 0, 1<<30, to); err != nil {
		return err
	}
	if *to == 0 {
		*to = -1
	}
	return nil
}
