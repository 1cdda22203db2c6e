package solo

import (
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/onelease/onelease/raftstate/ledger"
)

const (
	// lockTime is how long a restarted program waits for its predecessor to let
	// go of the directory.
	lockTime  = time.Second
	lockPause = 20 * time.Millisecond
)

// lockDir takes the directory for as long as the file is open: a crash lets go
// of it.
func lockDir(dir string) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("lock the balancer's state: %w; make %s writable for the user that runs this, or use another directory", err, dir)
	}
	for until := time.Now().Add(lockTime); ; time.Sleep(lockPause) {
		err := tryLock(f)
		if err == nil {
			return f, nil
		}
		if time.Now().After(until) {
			f.Close()
			return nil, fmt.Errorf("%s: %w (%w); stop the program that has it open, or use another directory", dir, ledger.ErrLocked, err)
		}
	}
}
