package backend

import (
	"errors"
	"math"
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	for text, want := range map[string]struct {
		d    time.Duration
		text string
	}{
		"30s":    {30 * time.Second, "30s"},
		"90s":    {90 * time.Second, "1m30s"},
		"5m":     {5 * time.Minute, "5m"},
		"60m":    {time.Hour, "1h"},
		"1h0m5s": {time.Hour + 5*time.Second, "1h0m5s"},
		"10m10s": {10*time.Minute + 10*time.Second, "10m10s"},
		"100h":   {100 * time.Hour, "100h"},
		"250ms":  {250 * time.Millisecond, "250ms"},
		"0":      {0, "0s"},
	} {
		var d Duration
		if err := d.UnmarshalText([]byte(text)); err != nil || time.Duration(d) != want.d {
			t.Errorf("%q: %v, %v", text, time.Duration(d), err)
		}
		if got, err := d.MarshalText(); err != nil || string(got) != want.text {
			t.Errorf("%q is written %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "30", "-5s", "5 minutes", "soon"} {
		d := Duration(7)
		if err := d.UnmarshalText([]byte(text)); err == nil || d != 7 {
			t.Errorf("%q: %v, %v", text, d, err)
		}
	}
}

func TestDurationCheck(t *testing.T) {
	for d, ok := range map[Duration]bool{0: true, Duration(time.Millisecond): true, 30: false, -1: false} {
		if err := d.Check(); (err == nil) != ok {
			t.Errorf("%v: %v", d, err)
		}
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]struct {
		s    Size
		text string
	}{
		"64KiB":               {64 << 10, "64KiB"},
		"64 kib":              {64 << 10, "64KiB"},
		"10MB":                {10e6, "10MB"},
		"1024":                {1024, "1KiB"},
		"1500B":               {1500, "1500B"},
		"2gib":                {2 << 30, "2GiB"},
		"3TB":                 {3e12, "3TB"},
		"0":                   {0, "0B"},
		"9223372036854775807": {math.MaxInt64, "9223372036854775807B"},
	} {
		var s Size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want.s {
			t.Errorf("%q: %d, %v", text, int64(s), err)
		}
		if got, err := s.MarshalText(); err != nil || string(got) != want.text {
			t.Errorf("%q is written %q, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "MB", "-1", "1.5GiB", "10 elephants", "10MiBi", "9223372036854775808", "9TiB9", "9999999TiB"} {
		s := Size(7)
		if err := s.UnmarshalText([]byte(text)); !errors.Is(err, errSize) || s != 7 {
			t.Errorf("%q: %d, %v", text, int64(s), err)
		}
	}
}

func TestKindText(t *testing.T) {
	for _, k := range []Kind{Raw, Datagram, Datagram2, Datagram3} {
		text, err := k.MarshalText()
		var got Kind
		if err != nil || got.UnmarshalText(text) != nil || got != k {
			t.Errorf("%v is written %q, %v, and read as %v", k, text, err, got)
		}
	}
	var k Kind
	if err := k.UnmarshalText([]byte("datagram4")); err == nil {
		t.Errorf("datagram4 is %v", k)
	}
	if text, err := Kind(3).MarshalText(); err == nil {
		t.Errorf("kind 3 is written %q", text)
	}
}
