package raftstate

import (
	"bytes"
	"errors"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/hashicorp/raft"
)

// Log entries of any bytes are applied or refused, and leave a state that
// a snapshot can hold.
func FuzzCommand(f *testing.F) {
	for _, cmd := range fixtureCommands2() {
		b, err := proto.Marshal(cmd)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, data []byte) {
		r := newReplica(Version)
		for range 2 {
			o := r.Apply(&raft.Log{Index: 5, Term: 2, Data: data}).(outcome)
			if o.err == nil && o.result.Term != 2 {
				t.Fatalf("accepted with %+v", o.result)
			}
		}
		b, err := r.state.Load().encode()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := decodeState(b); err != nil {
			t.Fatalf("the state after %x cannot be restored: %v", data, err)
		}
	})
}

// Snapshots of any bytes are refused, or are a state that can be written
// and read again unchanged.
func FuzzSnapshot(f *testing.F) {
	s := newState()
	for _, cmd := range fixtureCommands2() {
		s, _, _ = s.apply(2, cmd)
		b, err := s.encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := readState(bytes.NewReader(data))
		if err != nil {
			if !errors.Is(err, ErrInvalid) {
				t.Fatalf("error %v, want ErrInvalid", err)
			}
			return
		}
		once, err := s.encode()
		if err != nil {
			t.Fatal(err)
		}
		if s, err = decodeState(once); err != nil {
			t.Fatalf("its own snapshot: %v", err)
		}
		if twice, _ := s.encode(); !bytes.Equal(once, twice) {
			t.Fatal("written, read and written again it is another")
		}
	})
}
