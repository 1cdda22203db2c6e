package owner

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/datagram"
	"github.com/onelease/onelease/i2p/streaming"
)

func newIDs(t testing.TB, fill byte) *IDs {
	t.Helper()
	ids, err := NewIDs(bytes.Repeat([]byte{fill}, KeySize))
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

// What Join makes Tag undoes, and no two inputs have one ID.
func TestIDsArePermutation(t *testing.T) {
	ids := newIDs(t, 1)
	seen := make(map[uint32]bool)
	for _, tag := range []uint16{0, 1, 0x8000, 0xffff} {
		for random := range 1 << 16 {
			id := ids.Join(tag, uint16(random))
			if ids.Tag(id) != tag || seen[id] {
				t.Fatalf("tag %x, random %x: ID %x, tag back %x, seen before %v", tag, random, id, ids.Tag(id), seen[id])
			}
			seen[id] = true
		}
	}
}

// Who has another key sees no tags, and an ID tells nothing of its tag: each of its
// bits is set in half of a tag's IDs.
func TestIDsHideTags(t *testing.T) {
	ids, other := newIDs(t, 1), newIDs(t, 2)
	right, set := 0, [32]int{}
	for random := range 1 << 16 {
		id := ids.Join(7, uint16(random))
		if other.Tag(id) == 7 {
			right++
		}
		for bit := range set {
			set[bit] += int(id >> bit & 1)
		}
	}
	if right > 10 {
		t.Errorf("another key finds the tag in %d of 65536 IDs, want about 1", right)
	}
	for bit, n := range set {
		if math.Abs(float64(n)-1<<15) > 800 { // six standard deviations
			t.Errorf("bit %d is set in %d of 65536 IDs", bit, n)
		}
	}
}

// The bytes are fixed: frontends and backends of two versions must agree. The key
// is 00 01 .. 1f; the values are those of the description in docs/sam-extension.md,
// made by another program.
func TestIDsGolden(t *testing.T) {
	key := make([]byte, KeySize)
	for i := range key {
		key[i] = byte(i)
	}
	ids, err := NewIDs(key)
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		tag, random uint16
		want        uint32
	}{{0x0000, 0x0000, 0x0559ce02}, {0xc471, 0x0001, 0x9d2873c4}, {0xffff, 0x1234, 0x72d9bca2}} {
		if got := ids.Join(test.tag, test.random); got != test.want {
			t.Errorf("Join(%x, %x) = %08x, want %08x", test.tag, test.random, got, test.want)
		}
	}
	if got := Tag("web-1"); got != 0xc471 {
		t.Errorf("Tag is %04x", got)
	}
	if _, err := NewIDs(key[1:]); err == nil {
		t.Error("a short key is taken")
	}
}

// Three backends of weights 1, 3 and 4 get their shares of 80,000 senders.
func TestScoreByWeight(t *testing.T) {
	weights := []int{1, 3, 4}
	got := make([]int, len(weights))
	for key := range 80_000 {
		got[winner(key, weights)]++
	}
	for i, n := range got {
		if want := 10_000 * weights[i]; math.Abs(float64(n-want)) > 600 {
			t.Errorf("weight %d got %d, want about %d", weights[i], n, want)
		}
	}
}

// When one comes, goes or gets another weight, no sender moves between two others.
func TestScoreMovesFew(t *testing.T) {
	const senders = 10_000
	for name, change := range map[string]func([]int){
		"goes":     func(w []int) { w[1] = 0 },
		"grows":    func(w []int) { w[1] = 3 },
		"shrinks":  func(w []int) { w[0] = 1 },
		"a second": func(w []int) { w[3] = 2 },
	} {
		before, after := []int{2, 2, 2, 0}, []int{2, 2, 2, 0}
		change(after)
		moved := 0
		for key := range senders {
			was, is := winner(key, before), winner(key, after)
			if was == is {
				continue
			}
			moved++
			if before[was] == after[was] && before[is] == after[is] {
				t.Errorf("%s: sender %d moved from %d to %d, which did not change", name, key, was, is)
			}
		}
		if moved == 0 || moved > senders/2 {
			t.Errorf("%s: %d of %d moved", name, moved, senders)
		}
	}
}

// winner is the backend for a key; weight 0 is none.
func winner(key int, weights []int) int {
	best, highest := -1, 0.0
	for i, weight := range weights {
		if weight == 0 {
			continue
		}
		if score := Score(uint64(key), Tag(fmt.Sprint("web-", i)), weight); best < 0 || score > highest {
			best, highest = i, score
		}
	}
	return best
}

func TestClaims(t *testing.T) {
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	hash := keys.Destination.Hash()
	origin := &datagram.Origin{Destination: keys.Destination, Signer: keys}
	signed := func(p streaming.Packet) []byte {
		b, err := p.AppendSigned(nil, origin)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	plain := func(p streaming.Packet) []byte { return p.AppendTo(nil) }
	nacks := make([]byte, 32)
	one, _ := datagram.AppendDatagram1(nil, keys.Destination, keys, []byte("x"))
	two, _ := datagram.AppendDatagram2(nil, *origin, hash, nil, []byte("x"))
	three, _ := datagram.AppendDatagram3(nil, hash, nil, []byte("x"))
	for name, test := range map[string]struct {
		protocol uint8
		data     []byte
		want     Kind
		id       uint32
		from     bool
	}{
		"data":                   {6, plain(streaming.Packet{SendID: 5, ReceiveID: 6, Seq: 1, Payload: []byte("x")}), ByID, 5, false},
		"data with NACKs":        {6, plain(streaming.Packet{SendID: 5, ReceiveID: 6, NACKs: nacks}), ByID, 5, false},
		"reset":                  {6, signed(streaming.Packet{SendID: 5, Flags: streaming.FlagReset | streaming.FlagFrom}), ByID, 5, false},
		"SYN":                    {6, signed(streaming.Packet{ReceiveID: 6, Flags: streaming.FlagSync | streaming.FlagFrom}), Begins, 6, true},
		"SYN with NACKs":         {6, signed(streaming.Packet{ReceiveID: 6, NACKs: nacks, Flags: streaming.FlagSync | streaming.FlagFrom}), Begins, 6, true},
		"SYN reply":              {6, signed(streaming.Packet{SendID: 5, ReceiveID: 6, Flags: streaming.FlagSync | streaming.FlagFrom}), ByID, 5, false},
		"SYN of nobody":          {6, signed(streaming.Packet{ReceiveID: 6, Flags: streaming.FlagSync}), Nothing, 0, false},
		"before the SYN reply":   {6, plain(streaming.Packet{ReceiveID: 6, Seq: 1, Payload: []byte("x")}), Early, 6, false},
		"ping":                   {6, signed(streaming.Packet{SendID: 9, NACKs: nacks, Flags: streaming.FlagEcho | streaming.FlagFrom}), BySender, 0, true},
		"pong":                   {6, plain(streaming.Packet{ReceiveID: 5, Flags: streaming.FlagEcho}), ByID, 5, false},
		"short":                  {6, make([]byte, 21), Nothing, 0, false},
		"ends in its NACKs":      {6, append(make([]byte, 16), 9, 0, 0, 0, 0, 0), Nothing, 0, false},
		"datagram":               {17, one, BySender, 0, true},
		"Datagram2":              {19, two, BySender, 0, true},
		"Datagram3":              {20, three, BySender, 0, true},
		"short datagram":         {17, one[:386], Nothing, 0, false},
		"short Datagram3":        {20, three[:31], Nothing, 0, false},
		"raw":                    {18, []byte("x"), BySender, 0, false},
		"of an unknown protocol": {224, nil, BySender, 0, false},
	} {
		c := Of(test.protocol, 1, 2, test.data)
		wantHash, wantKey := i2p.Hash{}, uint64(1<<16|2)
		if test.from {
			wantHash, wantKey = hash, KeyOf(hash)
		}
		if c.Kind != test.want || c.ID != test.id || c.Hash() != wantHash || c.Kind >= Begins && c.Kind != Early && c.Key() != wantKey {
			t.Errorf("%s: kind %d, ID %d, hash %v", name, c.Kind, c.ID, c.Hash())
		}
	}
}

func TestNoAllocations(t *testing.T) {
	ids := newIDs(t, 1)
	var p streaming.Packet
	p.SendID, p.ReceiveID, p.Payload = ids.Join(Tag("a"), 9), 6, make([]byte, 1400)
	data := p.AppendTo(nil)
	raw := make([]byte, 1400)
	three := make([]byte, 1400)
	if n := testing.AllocsPerRun(1000, func() {
		c := Of(6, 0, 0, data)
		ids.Tag(c.ID)
		for _, b := range [][]byte{raw, three} {
			c := Of(20, 0, 0, b)
			Score(c.Key(), 1, 1)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// Whatever comes, a claim is read without a panic, the same from the same bytes.
func FuzzOf(f *testing.F) {
	for _, s := range []string{"", "00", "0000000000000006000000000000000000000001000000", "00000005000000060000000100000000" + "20"} {
		b, _ := hex.DecodeString(s)
		f.Add(uint8(6), b)
		f.Add(uint8(17), b)
		f.Add(uint8(20), b)
	}
	f.Fuzz(func(t *testing.T, protocol uint8, data []byte) {
		c := Of(protocol, 1, 2, data)
		again := Of(protocol, 1, 2, bytes.Clone(data))
		if c.Kind != again.Kind || c.ID != again.ID || c.Key() != again.Key() || c.Hash() != again.Hash() {
			t.Errorf("%+v, then %+v", c, again)
		}
		if c.Kind == ByID && protocol == 6 && binary.BigEndian.Uint32(data) != c.ID && binary.BigEndian.Uint32(data[4:]) != c.ID {
			t.Errorf("ID %x is not in the packet", c.ID)
		}
	})
}

func BenchmarkTag(b *testing.B) {
	ids := newIDs(b, 1)
	id := ids.Join(Tag("a"), 9)
	for b.Loop() {
		id += uint32(ids.Tag(id))
	}
}
