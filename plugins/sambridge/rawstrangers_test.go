package sambridge

import (
	"fmt"
	"testing"
)

// Raw datagrams do not say who sent them, and each Destination has several routers: all
// the same nothing is lost between two that never heard of each other, whoever speaks.
func TestRawBetweenStrangers(t *testing.T) {
	const pairs = 6
	inWorld(t, nil, func(w *world) {
		var words []string
		for i := range pairs {
			words = append(words, fmt.Sprint("STYLE=RAW ID=a", i), fmt.Sprint("STYLE=RAW ID=b", i))
		}
		clients := w.sessions(words...)
		for i := range pairs {
			w.until("all are in the netDB", func() bool {
				_, ok := w.network.Lookup(w.bridge.sessions.find("", fmt.Sprint("b", i)).Hosted.Keys().Destination.Hash())
				return ok
			})
		}
		for i := range pairs {
			a, b := clients[fmt.Sprint("a", i)], clients[fmt.Sprint("b", i)]
			toA, toB := w.of(fmt.Sprint("a", i)), w.of(fmt.Sprint("b", i))
			for n := range 5 {
				a.say(fmt.Sprint("RAW SEND SIZE=1 DESTINATION=", toB, "\n", n))
				b.received("RAW RECEIVED SIZE=1 FROM_PORT=0 TO_PORT=0 PROTOCOL=18", fmt.Sprint(n))
			}
			for n := range 5 {
				b.say(fmt.Sprint("RAW SEND SIZE=1 DESTINATION=", toA, "\n", n))
				a.received("RAW RECEIVED SIZE=1 FROM_PORT=0 TO_PORT=0 PROTOCOL=18", fmt.Sprint(n))
				a.say(fmt.Sprint("RAW SEND SIZE=1 DESTINATION=", toB, "\n", n))
				b.received("RAW RECEIVED SIZE=1 FROM_PORT=0 TO_PORT=0 PROTOCOL=18", fmt.Sprint(n))
			}
		}
	})
}
