package sambridge

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"
)

// Users are who may use a bridge, each with a password. The zero value has nobody and
// forgets all at its end; OpenUsers has a file. Its methods may be called by many
// goroutines.
//
// A password is kept as a salted PBKDF2-HMAC-SHA256, which takes a tenth of a second to
// check. A SAM client says it on each connection, so one that was right is
// remembered in memory as a hash with a key that ends with the process.
type Users struct {
	path string // of the file, empty for none

	mu     sync.Mutex
	byName map[string]*user
	secret []byte
}

type user struct {
	admin      bool
	iterations int
	salt, hash []byte
	proven     []byte // the quick hash of the password, once it was given
}

// iterations make a check cost a tenth of a second. Tests have fewer.
var iterations = 200_000

const (
	saltSize = 16
	hashSize = sha256.Size
	// maxUsers, maxName and maxPassword bound what AUTH ADD takes.
	maxUsers    = 10_000
	maxName     = 255
	maxPassword = 1024
)

// Errors of Users.
var (
	// ErrUser says that there is such a user already, or none.
	ErrUser = errors.New("user")
	// ErrPassword says that a user or a password is wrong; not which of them.
	ErrPassword = errors.New("authorization failed")
)

// Add adds a user. The first one is an administrator, who may use AUTH.
func (u *Users) Add(name, password string) error {
	switch {
	case name == "" || len(name) > maxName:
		return fmt.Errorf("%w: want a name of 1 to %d bytes", ErrUser, maxName)
	case password == "" || len(password) > maxPassword:
		return fmt.Errorf("%w: want a password of 1 to %d bytes", ErrUser, maxPassword)
	}
	added := &user{iterations: iterations, salt: make([]byte, saltSize)}
	rand.Read(added.salt)
	added.hash = added.slow(password)
	u.mu.Lock()
	defer u.mu.Unlock()
	switch {
	case u.byName[name] != nil:
		return fmt.Errorf("%w already exists; remove it first", ErrUser)
	case len(u.byName) >= maxUsers:
		return fmt.Errorf("%w: there are %d already", ErrUser, maxUsers)
	}
	if u.byName == nil {
		u.byName = map[string]*user{}
	}
	added.admin = len(u.byName) == 0
	u.byName[name] = added
	if err := u.writeLocked(); err != nil {
		delete(u.byName, name)
		return err
	}
	return nil
}

// Remove removes a user. Sessions that it has go on.
func (u *Users) Remove(name string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	removed := u.byName[name]
	switch {
	case removed == nil:
		return fmt.Errorf("%w not found", ErrUser)
	case removed.admin && len(u.byName) > 1 && u.adminsLocked() == 1:
		return fmt.Errorf("%w is the only administrator; remove the others first", ErrUser)
	}
	delete(u.byName, name)
	if err := u.writeLocked(); err != nil {
		u.byName[name] = removed
		return err
	}
	return nil
}

func (u *Users) adminsLocked() (n int) {
	for _, user := range u.byName {
		if user.admin {
			n++
		}
	}
	return n
}

// Names are the users', sorted.
func (u *Users) Names() []string {
	u.mu.Lock()
	defer u.mu.Unlock()
	names := make([]string, 0, len(u.byName))
	for name := range u.byName {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// quick checks a password that was right before, in no time. known says that there is
// such a user.
func (u *Users) quick(name, password string) (right, admin, known bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	user := u.byName[name]
	if user == nil {
		return false, false, false
	}
	right = user.proven != nil && hmac.Equal(user.proven, u.tagLocked(user, password))
	return right, user.admin, true
}

// check checks a password. It takes long, also for a user that is not there.
func (u *Users) check(name, password string) (admin bool, err error) {
	u.mu.Lock()
	found := u.byName[name]
	u.mu.Unlock()
	against := found
	if against == nil || len(password) > maxPassword {
		against, found = nobody(), nil
	}
	right := subtle.ConstantTimeCompare(against.slow(password[:min(len(password), maxPassword)]), against.hash) == 1
	if found == nil || !right {
		return false, ErrPassword
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	found.proven = u.tagLocked(found, password)
	return found.admin, nil
}

// nobody has no password.
func nobody() *user {
	return &user{iterations: iterations, salt: make([]byte, saltSize), hash: make([]byte, hashSize)}
}

// slow is the hash of a password that is kept.
func (u *user) slow(password string) []byte {
	hash, err := pbkdf2.Key(sha256.New, password, u.salt, u.iterations, hashSize)
	if err != nil {
		panic(err) // the sizes are constants, and good
	}
	return hash
}

// tagLocked is the hash of a password that is remembered.
func (u *Users) tagLocked(of *user, password string) []byte {
	if u.secret == nil {
		u.secret = make([]byte, hashSize)
		rand.Read(u.secret)
	}
	mac := hmac.New(sha256.New, u.secret)
	mac.Write(of.salt)
	mac.Write([]byte(password))
	return mac.Sum(nil)
}
