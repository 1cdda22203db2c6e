package simnet

import "testing"

// FuzzPing looks for packets that the parser does not survive.
func FuzzPing(f *testing.F) {
	f.Add(make([]byte, pongHeader))
	b := make([]byte, 500)
	b[0], b[flagsAt], b[flagsAt+1], b[flagsAt+2], b[flagsAt+3] = 1, 0x0a, 0xe8, 1, 0x80
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) {
		plain, ok := parsePing(b, false)
		signed, okSigned := parsePing(b, true)
		if ok != okSigned || plain.from != signed.from || len(plain.payload) != len(signed.payload) || plain.verified {
			t.Fatalf("%+v, but to be verified %+v", plain, signed)
		}
	})
}
