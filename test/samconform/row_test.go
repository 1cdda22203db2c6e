package samconform

import "slices"

// A row is one thing that the specification says.
type row struct {
	section string // of the specification
	since   string // the version that has it
	says    string // what must be answered
	run     func(c *check)
	// note is what to know: where it is Java's behaviour, or what i2pd does.
	note string
}

// java marks what Java I2P does where the specification is silent.
const java = "as Java I2P does"

// rows are all, in the order of the specification.
func rows() []row {
	return slices.Concat(helloRows, lineRows, authRows, createRows, keyRows, lifeRows, connectRows, acceptRows, forwardRows,
		streamEndRows, datagramRows, datagramUDPRows, datagram23Rows, rawRows, primaryRows, routingRows, namingRows,
		destRows, utilityRows)
}
