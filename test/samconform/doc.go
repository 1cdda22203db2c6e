// Package samconform has a conformance suite for SAM bridges: one row for each
// thing that the specification of SAM 3.0 to 3.3 says of what a bridge answers,
// each a short dialogue over its sockets. It knows nothing of how a bridge is made,
// and shares no code with ours, so it runs against any: here against
// plugins/sambridge, which must support every row, and against a stock i2pd, of
// which it only tells what it does.
//
//	go test ./test/samconform                             # ours, on the embedded network
//	go test ./test/samconform -rows 'ACCEPT|FORWARD' -v   # some rows only
//	ONELEASE_I2PD_TESTS=1 go test ./test/samconform -v    # both, side by side
//	ONELEASE_I2PD_TESTS=1 go test ./test/samconform -update  # and write docs/sam-conformance.md
//
// The specification is geti2p.net's SAMv3 page, accurate for router API 0.9.66.
// Where it is silent a row asks for what Java I2P does, and says so.
package samconform
