package streaming

// A ring is a queue whose entries can be reached by index. It grows as needed
// and allocates nothing once it has been as long as it gets. Its zero value is
// empty.
type ring[T any] struct {
	items []T
	first int
	count int
}

func (r *ring[T]) len() int { return r.count }

// at is entry i, counted from the oldest.
func (r *ring[T]) at(i int) T { return r.items[(r.first+i)&(len(r.items)-1)] }

func (r *ring[T]) push(item T) {
	if r.count == len(r.items) {
		items := make([]T, max(16, 2*r.count)) // a power of two
		for i := range r.count {
			items[i] = r.at(i)
		}
		r.items, r.first = items, 0
	}
	r.items[(r.first+r.count)&(len(r.items)-1)] = item
	r.count++
}

// pop removes the oldest.
func (r *ring[T]) pop() T {
	var none T
	item := r.items[r.first]
	r.items[r.first] = none
	r.first = (r.first + 1) & (len(r.items) - 1)
	r.count--
	return item
}
