package i2cp

// Codes of the numbers of session tags in the flags of SendMessage
// ("SendMessageExpiresMessage", Flags Field): an index into these is four bits.
// They are for ElGamal only.
var (
	tagCodes       = [16]uint16{0, 2, 4, 6, 8, 12, 16, 24, 32, 40, 51, 64, 80, 100, 125, 160}
	thresholdCodes = [16]uint16{0, 2, 3, 6, 9, 14, 20, 27, 35, 45, 57, 72, 92, 117, 147, 192}
)

const thresholdShift = 4

// TagFlags are the flags of SendMessage that ask for that many session tags to be
// sent, when fewer than threshold are left; 0 leaves either to the router. The
// numbers are rounded down to what can be said: 2, 4, 6, 8, 12, ... 160, and 2, 3,
// 6, 9, 14, ... 192; 1 is taken for 2.
func TagFlags(tags, threshold uint16) uint16 {
	return codeOf(&tagCodes, tags) | codeOf(&thresholdCodes, threshold)<<thresholdShift
}

func codeOf(codes *[16]uint16, n uint16) uint16 {
	if n == 0 {
		return 0
	}
	code := 1
	for code+1 < len(codes) && codes[code+1] <= n {
		code++
	}
	return uint16(code)
}
