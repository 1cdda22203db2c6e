package solo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/onelease/onelease/internal/wholefile"
	"github.com/onelease/onelease/raftstate/ledger"
)

const (
	magic       = "onelease ledger\n"
	fileVersion = 1
	versionAt   = len(magic)
	termAt      = versionAt + 1
	stateAt     = termAt + 8
	smallest    = stateAt + sha256.Size
)

// beginAnew is how to go on without the last state: `published` of what comes is
// the time then, and what was published before is not further ahead of it than
// that (balancer.MaxAhead, and some for what could not wait).
const beginAnew = "use an empty directory, no sooner than two minutes after the last program that signed for this Destination has ended"

// encode is the content of the file.
func encode(term uint64, state *ledger.State) ([]byte, error) {
	body, err := state.Encode()
	if err != nil {
		return nil, err
	}
	b := append([]byte(magic), fileVersion)
	b = binary.BigEndian.AppendUint64(b, term)
	b = append(b, body...)
	digest := sha256.Sum256(b)
	return append(b, digest[:]...), nil
}

// decode reads what encode made, and checks all of it. It looks at the version
// before the digest, which a later version may have elsewhere. The errors are
// ledger.ErrCorrupt and ErrVersion.
func decode(b []byte) (term uint64, state *ledger.State, err error) {
	if len(b) < smallest || !bytes.HasPrefix(b, []byte(magic)) {
		return 0, nil, fmt.Errorf("%w: it is cut short, or not a file of onelease", ledger.ErrCorrupt)
	}
	if v := b[versionAt]; v != fileVersion {
		return 0, nil, fmt.Errorf("it is of version %d, this program knows %d; use the program that wrote it, or a newer one: %w", v, fileVersion, ledger.ErrVersion)
	}
	body := len(b) - sha256.Size
	if sha256.Sum256(b[:body]) != [sha256.Size]byte(b[body:]) {
		return 0, nil, fmt.Errorf("%w: its digest is not that of its content", ledger.ErrCorrupt)
	}
	state, err = ledger.Decode(b[stateAt:body])
	if err != nil && !errors.Is(err, ledger.ErrVersion) {
		err = fmt.Errorf("%w: %w", ledger.ErrCorrupt, err)
	}
	return binary.BigEndian.Uint64(b[termAt:]), state, err
}

// read is the state in dir, a new one if there is none.
func read(dir string) (term uint64, state *ledger.State, err error) {
	path := filepath.Join(dir, ledger.SoloFile)
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return 0, ledger.New(), nil
	}
	if err != nil {
		return 0, nil, fmt.Errorf("balancer's state: %w", err)
	}
	term, state, err = decode(b)
	switch {
	case errors.Is(err, ledger.ErrVersion):
		return 0, nil, fmt.Errorf("%s: %w", path, err)
	case err != nil:
		return 0, nil, fmt.Errorf("%s: %w; %s", path, err, beginAnew)
	}
	return term, state, nil
}

func write(dir string, term uint64, state *ledger.State) error {
	b, err := encode(term, state)
	if err != nil {
		return err
	}
	return wholefile.Replace(filepath.Join(dir, ledger.SoloFile), b, 0o600)
}

// removeStaged removes what a crash amid a write has left: see wholefile.
func removeStaged(dir string) {
	left, _ := filepath.Glob(filepath.Join(dir, ".new-*"))
	for _, path := range left {
		os.Remove(path)
	}
}

// refuseRaft refuses the directory of a balancer of a cluster, of those in one
// process, or of one that was alone when its state was raft's as well.
func refuseRaft(dir string) error {
	for _, name := range []string{ledger.RaftFile, filepath.Join("raft", ledger.RaftFile), filepath.Join("b1", "raft", ledger.RaftFile)} {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil {
			return fmt.Errorf("%s has the state of a balancer on raft (%s), which one that is alone does not read; %s: %w",
				dir, name, beginAnew, ledger.ErrInvalid)
		}
	}
	return nil
}
