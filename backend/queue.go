package backend

// A queue holds payloads with their addresses in order: a ring of bytes, so
// that it is bounded by what it takes up and allocates nothing once it has
// been filled. It has no lock.
type queue struct {
	data       []byte
	start, len int // of the bytes in use, which may wrap around

	entries []entry // a ring too, as long as it had to be yet
	first   int
	count   int
}

type entry struct {
	size int
	from *Addr
}

// entryCost counts against the limit for each payload, so that empty ones
// cannot pile up.
const entryCost = 64

func newQueue(limit int) queue { return queue{data: make([]byte, limit)} }

// push appends a copy of payload; false says that there is no room.
func (q *queue) push(payload []byte, from *Addr) bool {
	if q.len+len(payload)+(q.count+1)*entryCost > len(q.data) {
		return false
	}
	if q.count == len(q.entries) {
		q.grow()
	}
	q.entries[(q.first+q.count)%len(q.entries)] = entry{len(payload), from}
	q.count++
	end := (q.start + q.len) % len(q.data)
	n := copy(q.data[end:], payload)
	copy(q.data, payload[n:])
	q.len += len(payload)
	return true
}

// grow doubles the ring of entries; count stays within len(data)/entryCost.
func (q *queue) grow() {
	entries := make([]entry, max(16, 2*len(q.entries)))
	for i := range q.count {
		entries[i] = q.entries[(q.first+i)%len(q.entries)]
	}
	q.entries, q.first = entries, 0
}

// pop copies the oldest payload to p, as far as it fits, and drops it.
func (q *queue) pop(p []byte) (n int, from *Addr, ok bool) {
	if q.count == 0 {
		return 0, nil, false
	}
	e := q.entries[q.first]
	q.entries[q.first] = entry{}
	q.first = (q.first + 1) % len(q.entries)
	q.count--
	p = p[:min(len(p), e.size)]
	n = copy(p, q.data[q.start:])
	n += copy(p[n:], q.data)
	q.start = (q.start + e.size) % len(q.data)
	q.len -= e.size
	return n, e.from, true
}
