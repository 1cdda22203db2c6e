package frontend

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/wholefile"
)

// A fence is a LeaseSet's place in the order of all that were ever signed for a
// Destination. What a leader signed that has been deposed comes before what its
// successor signs, however late it arrives.
type fence struct {
	Generation uint64 `json:"generation"` // of the balancers' state: see controlpb.Install
	Term       uint64 `json:"term"`
	Seq        uint64 `json:"seq"`
}

func (f fence) before(o fence) bool {
	return cmp.Or(cmp.Compare(f.Generation, o.Generation), cmp.Compare(f.Term, o.Term), cmp.Compare(f.Seq, o.Seq)) < 0
}

func (f fence) String() string {
	return fmt.Sprintf("generation %d, term %d, seq %d", f.Generation, f.Term, f.Seq)
}

// A fenceFile keeps the highest fence over restarts.
type fenceFile struct {
	Destination string `json:"destination"` // b32
	fence
}

const fenceName = "fence.json"

// readFence reads what an earlier run has left in dir; the zero value if nothing.
func readFence(dir string) (fenceFile, error) {
	var f fenceFile
	path := filepath.Join(dir, fenceName)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return f, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &f)
	}
	if err != nil {
		return f, fmt.Errorf("%s: %w: it has the place of the newest LeaseSet that was taken; if it is lost, "+
			"remove it when you are sure that only one cluster of balancers runs", path, err)
	}
	return f, nil
}

// write replaces the file whole.
func (f fenceFile) write(dir string) error {
	b, err := json.Marshal(f)
	if err != nil {
		return err
	}
	return wholefile.Replace(filepath.Join(dir, fenceName), append(b, '\n'), 0o600)
}

// adoptFence takes over what an earlier run has left, unless that was for
// another Destination.
func (k *keeper) adoptFence(dir string) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("directory of the frontend: %w", err)
	}
	f, err := readFence(dir)
	k.dir, k.left = dir, f
	return err
}

// fencedLocked says where the order stands for dest.
func (k *keeper) fencedLocked(dest i2p.Destination) {
	if k.left.Destination == dest.Base32() {
		k.highest = k.left.fence
	}
}

// raiseLocked notes that a LeaseSet at that place is taken, before it is. A
// disk that is full does not take the site down: the fence then holds for as
// long as this process lives, and the status says so.
func (k *keeper) raiseLocked(place fence) error {
	if place.before(k.highest) {
		return fmt.Errorf("%w: %v, after %v", ErrOlder, place, k.highest)
	}
	k.highest = place
	if k.dir == "" {
		return nil
	}
	k.fenceError = ""
	if err := (fenceFile{k.dest.Base32(), place}).write(k.dir); err != nil {
		k.fenceError = fmt.Sprintf("the place of the newest LeaseSet is not kept: %v", err)
		k.log.Error("a restart of this frontend could take an older LeaseSet", "err", err)
	}
	return nil
}
