package i2cp

import "testing"

func TestTagFlags(t *testing.T) {
	for _, c := range []struct{ tags, threshold, want uint16 }{
		{0, 0, 0}, {1, 1, 0x11}, {2, 2, 0x11}, {3, 5, 0x21}, {40, 30, 0x79}, {159, 191, 0xee}, {160, 192, 0xff}, {65535, 65535, 0xff},
	} {
		if got := TagFlags(c.tags, c.threshold); got != c.want {
			t.Errorf("%d tags, threshold %d: flags %#x, want %#x", c.tags, c.threshold, got, c.want)
		}
	}
}
