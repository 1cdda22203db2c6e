// Package lobby bounds how many connections of strangers a listener holds.
package lobby

import (
	"net"
	"slices"
	"sync"
)

// Max is how many connections there may be at a time of those who have not shown a
// certificate.
const Max = 256

// A Lobby holds the connections of strangers: of those who are still shaking
// hands, and of those who have no certificate and come to join. When it is full
// the oldest connection makes room, so that a flood of silent ones does not
// keep out who shakes hands in some milliseconds; the oldest of the host that
// has most, so that one host does not push out the others.
type Lobby struct {
	mu      sync.Mutex
	waiting []stranger // the oldest first
}

type stranger struct {
	conn net.Conn
	host string
}

// Enter takes a stranger in.
func (l *Lobby) Enter(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = append(l.waiting, stranger{conn, hostOf(conn)})
	if len(l.waiting) > Max {
		i := l.crowdLocked()
		l.waiting[i].conn.Close()
		l.waiting = slices.Delete(l.waiting, i, i+1)
	}
}

// Leave is for who has shown a certificate, or has gone.
func (l *Lobby) Leave(conn net.Conn) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting = slices.DeleteFunc(l.waiting, func(s stranger) bool { return s.conn == conn })
}

// Len is how many are in.
func (l *Lobby) Len() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.waiting)
}

// crowdLocked finds the oldest of the host that has most.
func (l *Lobby) crowdLocked() int {
	count, most := map[string]int{}, ""
	for _, s := range l.waiting {
		if count[s.host]++; count[s.host] > count[most] {
			most = s.host
		}
	}
	return slices.IndexFunc(l.waiting, func(s stranger) bool { return s.host == most })
}

func hostOf(conn net.Conn) string {
	addr := conn.RemoteAddr().String()
	if host, _, err := net.SplitHostPort(addr); err == nil {
		return host
	}
	return addr
}
