package sam

import (
	"testing"
	"time"
)

// What a client writes the server reads.
func TestSendOptionsRoundTrip(t *testing.T) {
	for _, want := range []SendOptions{
		{}, {Tags: 40}, {TagThreshold: 30}, {Expires: time.Minute}, {NoLeaseSet: true},
		{Tags: 65535, TagThreshold: 65535, Expires: maxExpires * time.Second, NoLeaseSet: true},
	} {
		line := want.appendTo([]byte("RAW SEND"))
		var cmd Command
		var got SendOptions
		if err := cmd.Parse(line); err != nil {
			t.Fatal(err)
		}
		if err := cmd.SendOptions(&got); err != nil || got != want {
			t.Errorf("%s: %+v, %v; want %+v", line, got, err, want)
		}
	}
}

func TestSendOptionsRefuse(t *testing.T) {
	for _, option := range []string{"SEND_TAGS=-1", "TAG_THRESHOLD=65536", "EXPIRES=x", "SEND_LEASESET=perhaps"} {
		var cmd Command
		if err := cmd.Parse([]byte("RAW SEND " + option)); err != nil {
			t.Fatal(err)
		}
		got := SendOptions{Tags: 1}
		if err := cmd.SendOptions(&got); err == nil || got.Tags != 1 {
			t.Errorf("%s: %v, %+v", option, err, got)
		}
	}
}
