package plugin

import (
	"sync"

	"github.com/onelease/onelease/backend/pluginpb"
)

// maxOutbox is how many messages may wait to be sent to a plugin. What a plugin that
// reads can have waiting is far less: 128 streams of each of its 64 ports.
const maxOutbox = 16 << 10

// An outbox has what is to be sent to a plugin, so that nobody waits for it.
type outbox struct {
	mu    sync.Mutex
	queue []*pluginpb.ToPlugin
	wake  chan struct{}
}

func newOutbox() *outbox { return &outbox{wake: make(chan struct{}, 1)} }

// put reports false if the plugin does not read.
func (o *outbox) put(m *pluginpb.ToPlugin) bool {
	o.mu.Lock()
	if len(o.queue) >= maxOutbox {
		o.mu.Unlock()
		return false
	}
	o.queue = append(o.queue, m)
	o.mu.Unlock()
	select {
	case o.wake <- struct{}{}:
	default:
	}
	return true
}

// send sends what is put until done is closed or sending fails.
func (o *outbox) send(to pluginpb.Plugin_RunClient, done <-chan struct{}) {
	for {
		o.mu.Lock()
		batch := o.queue
		o.queue = nil
		o.mu.Unlock()
		for _, m := range batch {
			if to.Send(m) != nil {
				return
			}
		}
		if len(batch) > 0 {
			continue
		}
		select {
		case <-o.wake:
		case <-done:
			return
		}
	}
}
