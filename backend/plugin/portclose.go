package plugin

import "slices"

// closeOf closes a port for an instance, and for all if nobody else has it open.
func (t *portTable) closeOf(i *instance, id uint64) {
	t.opens.Lock()
	defer t.opens.Unlock()
	t.unbind(i, id).close()
}

// unbind returns the port if it is to be closed then.
func (t *portTable) unbind(i *instance, id uint64) *port {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.ports {
		at := slices.IndexFunc(p.bindings, func(b *binding) bool { return b.i == i && b.id == id })
		if at < 0 {
			continue
		}
		p.bindings = slices.Delete(p.bindings, at, at+1)
		if len(p.bindings) == 0 {
			t.dropLocked(p)
			return p
		}
		t.assignLocked(p)
		return nil
	}
	return nil
}

// leave takes an instance's ports from it. They stay open for the next.
func (t *portTable) leave(i *instance) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.ports {
		p.bindings = slices.DeleteFunc(p.bindings, func(b *binding) bool { return b.i == i })
		t.assignLocked(p)
	}
}

// reap closes ports that no instance has open.
func (t *portTable) reap() {
	t.opens.Lock()
	defer t.opens.Unlock()
	for _, p := range t.drop(func(p *port) bool { return len(p.bindings) == 0 }) {
		t.s.log.Info("port closed: the plugin no longer opens it", "port", p.number, "kind", p.kindName())
		p.close()
	}
}

// closeAll closes all ports, and lets none open any more.
func (t *portTable) closeAll() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	for _, p := range t.drop(func(*port) bool { return true }) {
		p.close()
	}
}

// drop forgets ports and returns them to be closed.
func (t *portTable) drop(which func(*port) bool) (dropped []*port) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.ports {
		if which(p) {
			t.dropLocked(p)
			dropped = append(dropped, p)
		}
	}
	return dropped
}

// dropLocked forgets a port, and resets what waits there. It is closed without the lock.
func (t *portTable) dropLocked(p *port) {
	delete(t.ports, p.portKey)
	for _, w := range t.waitingAtLocked(p) {
		t.takeLocked(w)
		go reset(w.stream)
	}
}

// close closes the port on the Node.
func (p *port) close() {
	if p == nil {
		return
	}
	if p.streams != nil {
		p.streams.close()
	}
	if p.packets != nil {
		p.packets.close()
	}
}
