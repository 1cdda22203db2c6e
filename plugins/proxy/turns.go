package proxy

import (
	"sync"

	"github.com/onelease/onelease/i2p"
)

// turns counts what each remote has under way.
type turns struct {
	most int // a negative one is no limit

	mu    sync.Mutex
	taken map[i2p.Hash]int
}

// take reports whether a remote may have one more; it gives that back by leave. Who
// is not known is not counted.
func (t *turns) take(remote *i2p.Addr) (leave func(), ok bool) {
	if t.most < 0 || remote == nil {
		return func() {}, true
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[remote.Hash] >= t.most {
		return nil, false
	}
	if t.taken == nil {
		t.taken = make(map[i2p.Hash]int)
	}
	t.taken[remote.Hash]++
	return func() { t.leave(remote.Hash) }, true
}

func (t *turns) leave(remote i2p.Hash) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.taken[remote]--; t.taken[remote] == 0 {
		delete(t.taken, remote)
	}
}
