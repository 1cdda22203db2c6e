package pluginwire

// A Recent keeps what was used lately: up to limit, and up to as much that has not
// been used since then. Its zero value is empty. It has no lock.
type Recent[K comparable, V any] struct{ young, old map[K]V }

// Get is what was put, as long as that is kept.
func (r *Recent[K, V]) Get(key K, limit int) (V, bool) {
	v, ok := r.young[key]
	if !ok {
		if v, ok = r.old[key]; ok {
			r.Put(key, v, limit)
		}
	}
	return v, ok
}

// Put keeps a value.
func (r *Recent[K, V]) Put(key K, v V, limit int) {
	if r.young == nil || len(r.young) >= limit {
		r.young, r.old = make(map[K]V), r.young
	}
	r.young[key] = v
}
