package frontend

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p/i2cp"
	"github.com/onelease/onelease/i2p/sam"
)

func TestSendOptionsInI2CPTerms(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			give sam.SendOptions
			want i2cp.SendOptions
		}{
			"none":        {sam.SendOptions{}, i2cp.SendOptions{}},
			"tags":        {sam.SendOptions{Tags: 8, TagThreshold: 6}, i2cp.SendOptions{Flags: 0x34}},
			"no LeaseSet": {sam.SendOptions{NoLeaseSet: true}, i2cp.SendOptions{Flags: i2cp.FlagNoLeaseSet}},
			"expires":     {sam.SendOptions{Expires: 7 * time.Second}, i2cp.SendOptions{Expires: time.Now().Add(7 * time.Second)}},
		} {
			c.want.Nonce = 9
			if got := sendOptions(&sam.Packet{ID: 9, Options: c.give}); got != c.want {
				t.Errorf("%s: got %+v, want %+v", name, got, c.want)
			}
		}
	})
}
