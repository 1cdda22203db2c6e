package ledger_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protodelim"

	"github.com/onelease/onelease/raftstate/ledger"
	"github.com/onelease/onelease/raftstate/ledger/ledgertest"
	"github.com/onelease/onelease/raftstate/statepb"
)

// The files in testdata are versions as they were when they were fixed. They are
// never written again: a test that fails with them means that a log or a
// snapshot of a running cluster would be read otherwise, or not at all. With
// -write-fixtures, the files of a new version are made if they are not there.
var writeFixtures = flag.Bool("write-fixtures", false, "make the fixture files that are missing")

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

func writeCommands(cmds []*statepb.Command) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, cmd := range cmds {
			if _, err := protodelim.MarshalTo(w, cmd); err != nil {
				return err
			}
		}
		return nil
	}
}

func writeState(cmds []*statepb.Command) func(io.Writer) error {
	return func(w io.Writer) error {
		s := ledger.New()
		for _, cmd := range cmds {
			s, _, _ = s.Apply(ledgertest.Term, cmd)
		}
		b, err := s.Encode()
		if err == nil {
			_, err = w.Write(b)
		}
		return err
	}
}

// readFixtures returns the states of the two files of a version.
func readFixtures(t *testing.T, version string, cmds []*statepb.Command) map[string]*ledger.State {
	t.Helper()
	commands := bytes.NewReader(fixture(t, "commands-"+version+".bin", writeCommands(cmds)))
	snapshot := fixture(t, "snapshot-"+version+".bin", writeState(cmds))
	restored, err := ledger.Read(bytes.NewReader(snapshot))
	if err != nil {
		t.Fatal(err)
	}
	s := ledger.New()
	for commands.Len() > 0 {
		cmd := new(statepb.Command)
		if err := protodelim.UnmarshalFrom(commands, cmd); err != nil {
			t.Fatal(err)
		}
		if s, _, err = s.Apply(ledgertest.Term, cmd); err != nil {
			t.Fatalf("%v: %v", cmd, err)
		}
	}
	states := map[string]*ledger.State{"snapshot": restored, "commands": s}
	for name, got := range states {
		if b, _ := got.Encode(); !bytes.Equal(b, snapshot) {
			t.Errorf("the state of the %s has another snapshot than the file", name)
		}
	}
	return states
}

func TestReadsVersion1(t *testing.T) {
	for name, s := range readFixtures(t, "v1", ledgertest.Commands1()) {
		checkFixture(t, name, s)
		if s.Version != 1 || s.Generation != 0 || len(s.Invites) != 0 {
			t.Errorf("%s: version %d, generation %d, invites %+v", name, s.Version, s.Generation, s.Invites)
		}
	}
}

func TestReadsVersion2(t *testing.T) {
	for name, s := range readFixtures(t, "v2", ledgertest.Commands2()) {
		if s.Version != 2 || s.Generation != 1_700_000_000_123 || len(s.Invites) != 1 || s.Invites["left"] != ledgertest.Invite("left") {
			t.Errorf("%s: version %d, generation %d, invites %+v", name, s.Version, s.Generation, s.Invites)
		}
		d, other := s.Destination(ledgertest.Hash(1)), s.Destination(ledgertest.Hash(2))
		if d.Policy == nil || *d.Policy != ledgertest.FullPolicy || other.Policy != nil {
			t.Errorf("%s: policies %+v, %+v", name, d.Policy, other.Policy)
		}
		if len(d.Delegations) != 1 || !reflect.DeepEqual(d.Delegations["backend-1"], ledgertest.Delegation("backend-1")) || len(other.Delegations) != 0 {
			t.Errorf("%s: delegations %+v, %+v", name, d.Delegations, other.Delegations)
		}
		if f := s.Frontends["refuge"]; f.Destination != ledgertest.Hash(2) || f.Roles != (ledger.Roles{Refuge: true}) {
			t.Errorf("%s: refuge %+v", name, f)
		}
		if d.LastTerm != 0 || d.LastSeq != 3 || other.LastTerm != ledgertest.Term || other.LastSeq != 2 {
			t.Errorf("%s: Destinations %+v, %+v", name, d, other)
		}
	}
}

// checkFixture looks at the values themselves: fields that have changed places
// would still read and write the same bytes.
func checkFixture(t *testing.T, name string, s *ledger.State) {
	t.Helper()
	r1, r2 := s.Frontends["router-1"], s.Frontends["router-2"]
	if len(s.Frontends) != 2 || r1.Destination != ledgertest.Hash(1) || r1.Roles != (ledger.Roles{Member: true}) ||
		r2.Roles != (ledger.Roles{Member: true, Publisher: true}) {
		t.Errorf("%s: frontends %+v", name, s.Frontends)
	}
	if !r1.Pool.Up || len(r1.Pool.Leases) != 3 || r1.Pool.Leases[2] != ledgertest.Leases(3)[2] || r2.Pool.Up || len(r2.Pool.Leases) != 1 {
		t.Errorf("%s: pools %+v, %+v", name, r1.Pool, r2.Pool)
	}
	d, merged, own := s.Destination(ledgertest.Hash(1)), ledgertest.Record(1, ""), ledgertest.Record(2, "router-1")
	merged.Term, own.Term = ledgertest.Term, ledgertest.Term
	if d.LastSeq != 3 || d.LastPublished != 1_700_000_003 || d.LastTerm != ledgertest.Term || d.Epoch != 2 || d.EpochReason != "member lost" {
		t.Errorf("%s: Destination %+v", name, d)
	}
	if d.Merged != merged || len(d.Own) != 1 || d.Own["router-1"] != own {
		t.Errorf("%s: records %+v, %+v", name, d.Merged, d.Own)
	}
}

func TestRefusesOtherVersions(t *testing.T) {
	for _, version := range []byte{0, 3} {
		_, err := ledger.Decode([]byte{1 << 3, version})
		if !errors.Is(err, ledger.ErrVersion) {
			t.Errorf("snapshot of version %d: error %v, want ErrVersion", version, err)
		}
		cmd := ledger.RemoveFrontend("a")
		cmd.Version = uint32(version)
		if _, _, err := ledger.New().Apply(1, cmd); !errors.Is(err, ledger.ErrVersion) {
			t.Errorf("command of version %d: error %v, want ErrVersion", version, err)
		}
	}
}
