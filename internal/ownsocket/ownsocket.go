// Package ownsocket makes unix sockets that only the process's own user, and root, may
// connect to: who can, sits at the machine as that user, and needs no other proof.
package ownsocket

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// maxSocket is the longest path of a unix socket, in bytes (unix(7)).
const maxSocket = 107

// Errors of Listen and of a Transport, for messages that say which flag to change.
var (
	ErrLongPath = fmt.Errorf("the path, or that of a directory beside it, has over %d bytes: give a shorter one", maxSocket)
	ErrInUse    = errors.New("another process listens there: end it, or give another path")
)

// Listen listens on a socket of mode 0600: it is made in a directory that nobody else
// may enter, and moved from there. One that a crash has left is replaced. Who closes the
// listener removes the file.
func Listen(path string) (net.Listener, error) {
	if len(path) > maxSocket {
		return nil, fmt.Errorf("socket %s: %w", path, ErrLongPath)
	}
	if conn, err := net.Dial("unix", path); err == nil {
		conn.Close()
		return nil, fmt.Errorf("socket %s: %w", path, ErrInUse)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != os.ModeSocket {
		return nil, fmt.Errorf("socket %s: there is a file of that name, which is no socket: give another path", path)
	}
	// The name is short, since its path must not be too long either.
	private, err := os.MkdirTemp(filepath.Dir(path), ".c")
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	defer os.RemoveAll(private)
	staged := filepath.Join(private, "s")
	if len(staged) > maxSocket {
		return nil, fmt.Errorf("socket %s: %w", path, ErrLongPath)
	}
	ln, err := net.Listen("unix", staged)
	if err != nil {
		return nil, fmt.Errorf("socket: %w", err)
	}
	ln.(*net.UnixListener).SetUnlinkOnClose(false) // it has moved by then
	if err := errors.Join(os.Chmod(staged, 0o600), os.Rename(staged, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("socket: %w", err), ln.Close())
	}
	return ln, nil
}
