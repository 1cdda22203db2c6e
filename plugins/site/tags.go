package site

import (
	"crypto/sha256"
	"encoding/base64"
	"io"
	"io/fs"
	"os"
	"sync"
)

// maxTags is how many files' tags are remembered; then they are computed anew.
const maxTags = 4096

// tags are the hashes of files' contents, by name.
type tags struct {
	mu    sync.Mutex
	known map[string]*tag
}

// A tag is that of a file as it was.
type tag struct {
	info fs.FileInfo
	once sync.Once
	text string
	err  error
}

// of is the hash of f, which has that name. It is read only if it is not the file
// that was read before, or has changed.
func (t *tags) of(name string, f io.ReaderAt, info fs.FileInfo) (string, error) {
	entry := t.entry(name, info)
	entry.once.Do(func() {
		hash := sha256.New()
		_, entry.err = io.Copy(hash, io.NewSectionReader(f, 0, info.Size()))
		entry.text = base64.RawURLEncoding.EncodeToString(hash.Sum(nil)[:16])
	})
	if entry.err != nil {
		t.forget(name)
	}
	return entry.text, entry.err
}

func (t *tags) entry(name string, info fs.FileInfo) *tag {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.known[name]; e != nil && e.info.Size() == info.Size() &&
		e.info.ModTime().Equal(info.ModTime()) && os.SameFile(e.info, info) {
		return e
	}
	if len(t.known) >= maxTags {
		clear(t.known)
	}
	e := &tag{info: info}
	t.known[name] = e
	return e
}

func (t *tags) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.known, name)
}
