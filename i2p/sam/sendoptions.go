package sam

import "time"

const (
	// maxTags bounds SEND_TAGS and TAG_THRESHOLD; I2CP knows 192 at most.
	maxTags = 0xffff
	// maxExpires bounds EXPIRES, in seconds. What is sent does not live for minutes.
	maxExpires = 1<<31 - 1
)

// SendOptions are hints for the router that sends a packet (SAM 3.3, "Sending
// Repliable or Raw Datagrams"). The zero value leaves all to it. i2pd ignores them.
type SendOptions struct {
	// Tags is how many session tags to send along, if any; TagThreshold is of how
	// few that are left on more are sent. They are for ElGamal; 0 is the router's.
	Tags, TagThreshold uint16
	// Expires is after how long the packet is of no use any more, in whole
	// seconds; 0 is the router's.
	Expires time.Duration
	// NoLeaseSet asks not to send our LeaseSet along.
	NoLeaseSet bool
}

// appendTo appends what differs from the zero value.
func (o *SendOptions) appendTo(b []byte) []byte {
	if *o == (SendOptions{}) {
		return b
	}
	if o.Tags != 0 {
		b = AppendNumber(b, "SEND_TAGS", int(o.Tags))
	}
	if o.TagThreshold != 0 {
		b = AppendNumber(b, "TAG_THRESHOLD", int(o.TagThreshold))
	}
	if o.Expires != 0 {
		b = AppendNumber(b, "EXPIRES", int(o.Expires/time.Second))
	}
	if o.NoLeaseSet {
		b = AppendOption(b, "SEND_LEASESET", "false")
	}
	return b
}

// SendOptions reads SEND_TAGS, TAG_THRESHOLD, EXPIRES and SEND_LEASESET over the
// values that o has.
func (c *Command) SendOptions(o *SendOptions) error {
	tags, err := c.Number("SEND_TAGS", int(o.Tags), maxTags)
	if err != nil {
		return err
	}
	threshold, err := c.Number("TAG_THRESHOLD", int(o.TagThreshold), maxTags)
	if err != nil {
		return err
	}
	expires, err := c.Number("EXPIRES", int(o.Expires/time.Second), maxExpires)
	if err != nil {
		return err
	}
	send, err := c.Bool("SEND_LEASESET", !o.NoLeaseSet)
	if err != nil {
		return err
	}
	*o = SendOptions{uint16(tags), uint16(threshold), time.Duration(expires) * time.Second, !send}
	return nil
}
