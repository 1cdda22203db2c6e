package raftstate

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/onelease/onelease/raftstate/statepb"
)

// The files in testdata are version 1 as it was when it was fixed. They are
// never written again: a test that fails with them means that a log or a
// snapshot of a running cluster would be read otherwise, or not at all. With
// -write-fixtures, the files of a new version are made if they are not there.
var writeFixtures = flag.Bool("write-fixtures", false, "make the fixture files that are missing")

const fixtureTerm = 4

// fixtureCommands are all operations, with every field set somewhere.
func fixtureCommands() []*statepb.Command {
	return []*statepb.Command{
		PutFrontend("router-1", hash(1), Roles{Member: true}),
		PutFrontend("router-2", hash(1), Roles{Member: true, Publisher: true}),
		PutFrontend("gone", hash(1), Roles{Publisher: true}),
		ReportPool("router-1", Pool{Up: true, Leases: leases(3)}),
		ReportPool("router-2", Pool{Up: false, Leases: leases(1)}),
		SetEpoch(hash(1), 2, "member lost"),
		Issue(hash(1), record(1, ""), record(2, "router-1"), record(3, "gone")),
		Issue(hash(2), record(1, "")),
		RemoveFrontend("gone"),
	}
}

// fixture returns the content of a file in testdata.
func fixture(t *testing.T, name string, content func(io.Writer) error) []byte {
	t.Helper()
	path := filepath.Join("testdata", name)
	if _, err := os.Stat(path); *writeFixtures && errors.Is(err, os.ErrNotExist) {
		var b bytes.Buffer
		if err := content(&b); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func writeCommands(w io.Writer) error {
	for _, cmd := range fixtureCommands() {
		if _, err := protodelim.MarshalTo(w, cmd); err != nil {
			return err
		}
	}
	return nil
}

func fixtureState() *State {
	s := newState()
	for _, cmd := range fixtureCommands() {
		s, _, _ = s.apply(fixtureTerm, cmd)
	}
	return s
}

func writeState(w io.Writer) error {
	b, err := fixtureState().encode()
	if err == nil {
		_, err = w.Write(b)
	}
	return err
}

func TestReadsVersion1(t *testing.T) {
	commands := bytes.NewReader(fixture(t, "commands-v1.bin", writeCommands))
	snapshot := fixture(t, "snapshot-v1.bin", writeState)
	restored, err := readState(bytes.NewReader(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	s := newState()
	for commands.Len() > 0 {
		cmd := new(statepb.Command)
		if err := protodelim.UnmarshalFrom(commands, cmd); err != nil {
			t.Fatal(err)
		}
		if s, _, err = s.apply(fixtureTerm, cmd); err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
	}
	for name, got := range map[string]*State{"snapshot": restored, "commands": s} {
		checkFixture(t, name, got)
		if b, _ := got.encode(); !bytes.Equal(b, snapshot) {
			t.Errorf("the state of the %s has another snapshot than the file", name)
		}
	}
}

// checkFixture looks at the values themselves: fields that have changed places
// would still read and write the same bytes.
func checkFixture(t *testing.T, name string, s *State) {
	t.Helper()
	r1, r2 := s.Frontends["router-1"], s.Frontends["router-2"]
	if len(s.Frontends) != 2 || r1.Destination != hash(1) || r1.Roles != (Roles{Member: true}) ||
		r2.Roles != (Roles{Member: true, Publisher: true}) {
		t.Errorf("%s: frontends %+v", name, s.Frontends)
	}
	if !r1.Pool.Up || len(r1.Pool.Leases) != 3 || r1.Pool.Leases[2] != leases(3)[2] || r2.Pool.Up || len(r2.Pool.Leases) != 1 {
		t.Errorf("%s: pools %+v, %+v", name, r1.Pool, r2.Pool)
	}
	d, merged, own := s.Destination(hash(1)), record(1, ""), record(2, "router-1")
	merged.Term, own.Term = fixtureTerm, fixtureTerm
	if d.LastSeq != 3 || d.LastPublished != 1_700_000_003 || d.LastTerm != fixtureTerm || d.Epoch != 2 || d.EpochReason != "member lost" {
		t.Errorf("%s: Destination %+v", name, d)
	}
	if d.Merged != merged || len(d.Own) != 1 || d.Own["router-1"] != own {
		t.Errorf("%s: records %+v, %+v", name, d.Merged, d.Own)
	}
}

func TestRefusesOtherVersions(t *testing.T) {
	for _, version := range []byte{0, 2} {
		_, err := decodeState([]byte{1 << 3, version})
		if !errors.Is(err, ErrVersion) {
			t.Errorf("snapshot of version %d: error %v, want ErrVersion", version, err)
		}
		cmd := RemoveFrontend("a")
		cmd.Version = uint32(version)
		if _, _, err := newState().apply(1, cmd); !errors.Is(err, ErrVersion) {
			t.Errorf("command of version %d: error %v, want ErrVersion", version, err)
		}
	}
}
