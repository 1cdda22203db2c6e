package onelease

// Destinations is how many are open, those that open or close included.
func (h *Hosting) Destinations() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.hosted)
}

// A RouterStatus is what a Hosting knows of one of its routers.
type RouterStatus struct {
	Name string
	// Up is whether it can be reached now.
	Up bool
	// Destinations is how many have a session there, or are to get one.
	Destinations int
}

// Routers is a snapshot, in the order of HostingConfig, remote ones first.
func (h *Hosting) Routers() []RouterStatus {
	h.mu.Lock()
	defer h.mu.Unlock()
	var all []RouterStatus
	for _, s := range h.sites {
		all = append(all, RouterStatus{Name: s.Name, Up: s.away() == 0, Destinations: s.load})
	}
	return all
}
