package ledger_test

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
)

// Log entries of any bytes are applied or refused, and leave a state that
// a snapshot can hold.
func FuzzCommand(f *testing.F) {
	for _, cmd := range ledgertest.Commands2() {
		b, err := proto.Marshal(cmd)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		cmd, err := ledger.DecodeCommand(data)
		if err != nil {
			return
		}
		s := ledger.New()
		for range 2 {
			next, result, err := s.Apply(2, cmd)
			if err == nil && result.Term != 2 {
				t.Fatalf("accepted with %+v", result)
			}
			s = next
		}
		b, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := ledger.Decode(b); err != nil {
			t.Fatalf("the state after %x cannot be restored: %v", data, err)
		}
	})
}

// Snapshots of any bytes are refused, or are a state that can be written
// and read again unchanged.
func FuzzSnapshot(f *testing.F) {
	s := ledger.New()
	for _, cmd := range ledgertest.Commands2() {
		s, _, _ = s.Apply(2, cmd)
		b, err := s.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := ledger.Read(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, ledger.ErrInvalid) {
				t.Fatalf("error %v, want ErrInvalid", err)
			}
			return
		}
		once, err := s.Encode()
		if err != nil {
			t.Fatal(err)
		}
		if s, err = ledger.Decode(once); err != nil {
			t.Fatalf("its own snapshot: %v", err)
		}
		if twice, _ := s.Encode(); !bytes.Equal(once, twice) {
			t.Fatal("written, read and written again it is another")
		}
	})
}
