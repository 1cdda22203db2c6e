package sambridge

// queues are connections by source, oldest first.
type queues struct {
	count  int
	byArea map[string][]*conn
}

func newQueues() queues { return queues{byArea: map[string][]*conn{}} }

func (q *queues) add(c *conn) {
	q.count++
	q.byArea[c.area] = append(q.byArea[c.area], c)
}

// next is the oldest of the source that has most, or nil.
func (q *queues) next() *conn {
	var fullest []*conn
	for _, conns := range q.byArea {
		if len(conns) > len(fullest) {
			fullest = conns
		}
	}
	if len(fullest) == 0 {
		return nil
	}
	return fullest[0]
}

// remove says whether c was there.
func (q *queues) remove(c *conn) bool {
	conns := q.byArea[c.area]
	for i := range conns {
		if conns[i] != c {
			continue
		}
		q.count--
		switch {
		case len(conns) == 1:
			delete(q.byArea, c.area)
		case i == 0: // the usual one, and the cheap one
			conns[0] = nil
			q.byArea[c.area] = conns[1:]
		default:
			q.byArea[c.area] = append(conns[:i], conns[i+1:]...)
		}
		return true
	}
	return false
}
