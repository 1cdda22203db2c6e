package backend

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"slices"
	"sync"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/pluginwire"
)

// A pluginNode is the Node of a service in a plugin: it asks the Host's process for
// everything.
type pluginNode struct {
	self   *i2p.Addr // its Port is 0
	socket string
	token  pluginwire.Token
	log    *slog.Logger
	tell   func(*pluginpb.FromPlugin) error // may be called by many goroutines

	ctx     context.Context // ends with net.ErrClosed when all ends
	end     context.CancelCauseFunc
	streams streamSet
	found   destinations

	mu        sync.Mutex
	lastID    uint64
	opening   map[uint64]chan *pluginpb.Opened
	lookups   map[uint64]chan *pluginpb.LookedUp
	listeners map[uint64]*pluginListener
	packets   map[uint64]*pluginPackets
}

func newPluginNode(start *pluginpb.Start, log *slog.Logger, tell func(*pluginpb.FromPlugin) error) (*pluginNode, error) {
	dest, n, err := i2p.ParseDestination(start.GetDestination())
	if err == nil && n != len(start.GetDestination()) || len(start.GetToken()) != len(pluginwire.Token{}) {
		err = errors.Join(err, i2p.ErrInvalid)
	}
	if err != nil {
		return nil, fmt.Errorf("message Start: %w", err)
	}
	ctx, end := context.WithCancelCause(context.Background())
	return &pluginNode{
		ctx: ctx, end: end,
		self: i2p.NewAddr(dest, 0), socket: start.GetDataSocket(), token: pluginwire.Token(start.GetToken()),
		log: log, tell: tell,
		opening:   make(map[uint64]chan *pluginpb.Opened),
		lookups:   make(map[uint64]chan *pluginpb.LookedUp),
		listeners: make(map[uint64]*pluginListener),
		packets:   make(map[uint64]*pluginPackets),
	}, nil
}

// Destination implements Node.
func (n *pluginNode) Destination() i2p.Destination { return n.self.Destination }

// Logger implements Node.
func (n *pluginNode) Logger() *slog.Logger { return n.log }

// local is our address with a port.
func (n *pluginNode) local(port uint16) *i2p.Addr {
	a := *n.self
	a.Port = port
	return &a
}

// hear takes what the host says, but for Start and Drain.
func (n *pluginNode) hear(m *pluginpb.ToPlugin) {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch m := m.GetMessage().(type) {
	case *pluginpb.ToPlugin_Opened:
		answer(n.opening, m.Opened.GetId(), m.Opened)
	case *pluginpb.ToPlugin_LookedUp:
		answer(n.lookups, m.LookedUp.GetId(), m.LookedUp)
	case *pluginpb.ToPlugin_Incoming:
		if l := n.listeners[m.Incoming.GetListener()]; l != nil {
			l.offer(m.Incoming.GetStream())
		}
	}
}

// answer hands an answer to who waits for it, if somebody still does.
func answer[T any](waiting map[uint64]chan T, id uint64, a T) {
	if c, ok := waiting[id]; ok {
		delete(waiting, id)
		c <- a // it has room for one
	}
}

// ask sends a question and waits for its answer. question is called with the lock
// held and the id that it is to have.
func ask[T any](ctx context.Context, n *pluginNode, waiting map[uint64]chan T, question func(id uint64) *pluginpb.FromPlugin) (answer T, err error) {
	c := make(chan T, 1)
	n.mu.Lock()
	n.lastID++
	id := n.lastID
	waiting[id] = c
	q := question(id)
	n.mu.Unlock()
	defer func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		delete(waiting, id)
	}()
	if n.ctx.Err() != nil || n.tell(q) != nil {
		return answer, net.ErrClosed
	}
	select {
	case answer = <-c:
		return answer, nil
	case <-n.ctx.Done():
		return answer, net.ErrClosed
	case <-ctx.Done():
		return answer, context.Cause(ctx)
	}
}

// crossed is an error that the host has told, or nil.
func crossed(code pluginpb.ErrorCode, text string) error {
	if code == pluginpb.ErrorCode_ERROR_CODE_NONE && text == "" {
		return nil
	}
	return &pluginwire.Error{Code: pluginwire.Code(code), Text: text}
}

// Lookup implements Node.
func (n *pluginNode) Lookup(ctx context.Context, name string) (i2p.Destination, error) {
	a, err := ask(ctx, n, n.lookups, func(id uint64) *pluginpb.FromPlugin {
		return &pluginpb.FromPlugin{Message: &pluginpb.FromPlugin_Lookup{Lookup: &pluginpb.Lookup{Id: id, Name: name}}}
	})
	if err != nil {
		return i2p.Destination{}, fmt.Errorf("look up %.60q: %w", name, err)
	}
	if err := crossed(a.GetCode(), a.GetError()); err != nil {
		return i2p.Destination{}, err
	}
	dest, _, err := i2p.ParseDestination(a.GetDestination())
	return dest, err
}

// DialContext implements Node.
func (n *pluginNode) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := n.dial(ctx, network, address)
	if err != nil {
		return nil, &net.OpError{Op: "dial", Net: i2p.Network, Err: err}
	}
	return conn, nil
}

func (n *pluginNode) dial(ctx context.Context, network, address string) (*pluginwire.Conn, error) {
	switch network {
	case "", i2p.Network, "tcp":
	default:
		return nil, fmt.Errorf("%.80s: %w", address, net.UnknownNetworkError(network))
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(n.ctx, func() { cancel(net.ErrClosed) })()
	conn, err := pluginwire.DialStream(ctx, n.socket, n.token, address)
	if err == nil {
		err = n.streams.add(conn)
	}
	if err == nil {
		return conn, nil
	}
	if cause := context.Cause(ctx); cause != nil && !isCrossed(err) {
		err = cause
	}
	if !isCrossed(err) { // what crossed has it
		err = fmt.Errorf("%.80s: %w", address, err)
	}
	return nil, err
}

func isCrossed(err error) bool {
	_, ok := errors.AsType[*pluginwire.Error](err)
	return ok
}

// close closes all ports, and ends all calls that wait for the host. Streams go on.
func (n *pluginNode) close() {
	n.end(net.ErrClosed)
	n.mu.Lock()
	listeners, packets := slices.Collect(maps.Values(n.listeners)), slices.Collect(maps.Values(n.packets))
	n.mu.Unlock()
	for _, l := range listeners {
		l.Close()
	}
	for _, c := range packets {
		c.Close()
	}
}

var _ Node = (*pluginNode)(nil)
