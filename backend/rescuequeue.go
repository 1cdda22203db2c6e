package backend

import "container/heap"

// rescueQueue is a heap by due.
type rescueQueue []*rescue

func (q rescueQueue) Len() int           { return len(q) }
func (q rescueQueue) Less(i, j int) bool { return q[i].due.Before(q[j].due) }
func (q rescueQueue) Swap(i, j int) {
	q[i], q[j] = q[j], q[i]
	q[i].place, q[j].place = i, j
}

func (q *rescueQueue) Push(x any) {
	r := x.(*rescue)
	r.place = len(*q)
	*q = append(*q, r)
}

func (q *rescueQueue) Pop() any {
	last := len(*q) - 1
	r := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	r.place = -1
	return r
}

var _ heap.Interface = (*rescueQueue)(nil)
