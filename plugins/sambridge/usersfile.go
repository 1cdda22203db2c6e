package sambridge

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/onelease/onelease/internal/wholefile"
)

// maxIterations bounds what a check may cost: a few seconds.
const maxIterations = 10_000_000

// usersHeader is the first line of a file of users.
const usersHeader = "# Users of a SAM bridge: name, role, hash, iterations, salt, hash. Written by AUTH ADD.\n"

// OpenUsers reads the users in a file, and writes it when they change. A file that is
// not there is one of nobody. Others must not be able to read it.
func OpenUsers(path string) (*Users, error) {
	u := &Users{path: path, byName: map[string]*user{}}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return u, nil
	case err != nil:
		return nil, fmt.Errorf("users' file: %w", err)
	case info.Mode().Perm()&0o077 != 0:
		return nil, fmt.Errorf("users' file %s may be read by others: chmod 600 it", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("users' file: %w", err)
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	for n := 1; lines.Scan(); n++ {
		if line := strings.TrimSpace(lines.Text()); line != "" && line[0] != '#' {
			if err := u.readLine(line); err != nil {
				return nil, fmt.Errorf("users' file %s, line %d: %w", path, n, err)
			}
		}
	}
	return u, lines.Err()
}

// Reload reads the file of OpenUsers again, which somebody else has changed. commit is
// called when that is known to work; an error of either leaves all as it was. Sessions of who
// is not in the file any more go on.
func (u *Users) Reload(commit func() error) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.path == "" {
		return commit()
	}
	if _, err := os.Stat(u.path); err != nil {
		return fmt.Errorf("users' file: %w", err)
	}
	read, err := OpenUsers(u.path)
	if err == nil {
		err = commit()
	}
	if err == nil {
		u.byName = read.byName
	}
	return err
}

// readLine reads "name role pbkdf2-sha256 iterations salt hash", all but the numbers
// and words in base64.
func (u *Users) readLine(line string) error {
	fields := strings.Fields(line)
	if len(fields) != 6 || fields[2] != "pbkdf2-sha256" || fields[1] != "admin" && fields[1] != "user" {
		return errors.New("want name, admin or user, pbkdf2-sha256, iterations, salt and hash")
	}
	read := user{admin: fields[1] == "admin"}
	var err error
	if read.iterations, err = strconv.Atoi(fields[3]); err != nil || read.iterations < 1 || read.iterations > maxIterations {
		return fmt.Errorf("want 1 to %d iterations", maxIterations)
	}
	name, err1 := base64.StdEncoding.DecodeString(fields[0])
	salt, err2 := base64.StdEncoding.DecodeString(fields[4])
	hash, err3 := base64.StdEncoding.DecodeString(fields[5])
	if errors.Join(err1, err2, err3) != nil || len(name) == 0 || len(salt) < 8 || len(hash) != hashSize {
		return errors.New("name, salt or hash is no base64 of the right size")
	}
	if u.byName[string(name)] != nil {
		return errors.New("the name is there twice")
	}
	read.salt, read.hash = salt, hash
	u.byName[string(name)] = &read
	return nil
}

// writeLocked writes the file, if there is one.
func (u *Users) writeLocked() error {
	if u.path == "" {
		return nil
	}
	text := []byte(usersHeader)
	encode := base64.StdEncoding.EncodeToString
	for name, user := range u.byName {
		role := "user"
		if user.admin {
			role = "admin"
		}
		text = fmt.Appendf(text, "%s %s pbkdf2-sha256 %d %s %s\n", encode([]byte(name)), role, user.iterations, encode(user.salt), encode(user.hash))
	}
	if err := wholefile.Replace(u.path, text, 0o600); err != nil {
		return fmt.Errorf("users' file: %w", err)
	}
	return nil
}
