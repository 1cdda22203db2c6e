package i2pd

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
)

// A Router is one i2pd process, or what is left of it: addresses, keys and files stay the
// same over Kill and Restart. Its methods may be called from any goroutine.
type Router struct {
	index     int // in its network
	number    int // in this test process
	floodfill bool
	killable  bool
	binary    string
	dir       string
	args      []string
	i2cp      int // port
	addr      netip.AddrPort
	hash      [32]byte // known once it has an identity
	network   *Network

	mu      sync.Mutex
	process *process // the latest; nil before the first
}

// A process is one run of i2pd.
type process struct {
	cmd    *exec.Cmd
	killed atomic.Bool   // by us
	ended  chan struct{} // closed when it is gone and err is set
	err    error
}

func newRouter(n *Network, index int, binary string, cfg Config) *Router {
	number := int((lastNumber.Add(1)-1)%maxNumber) + 1
	return &Router{
		network:   n,
		index:     index,
		number:    number,
		floodfill: index < cfg.Floodfills,
		killable:  slices.Contains(cfg.Killable, index),
		binary:    binary,
		dir:       filepath.Join(n.dir, "r"+strconv.Itoa(index)),
		args:      cfg.Args[index],
		i2cp:      cmp.Or(cfg.I2CPPorts[index], i2cpPort+number),
		addr:      netip.AddrPortFrom(routerIP(number), uint16(transportPort+number)),
	}
}

// prepare gives the router its address, directory and configuration.
func (r *Router) prepare() error {
	if err := addAddress(r.number, r.addr.Addr()); err != nil {
		return err
	}
	if err := os.MkdirAll(r.dir, 0o700); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.dir, "i2pd.conf"), []byte(r.conf()), 0o600)
}

// String names the router in messages, by its index.
func (r *Router) String() string { return "router " + strconv.Itoa(r.index) }

// Addr is where other routers reach this one (NTCP2 over TCP and SSU2 over UDP).
func (r *Router) Addr() netip.AddrPort { return r.addr }

// HTTPAddr, SAMAddr, SAMUDPAddr and I2CPAddr are the host:port of the webconsole, the SAM
// bridge, its datagram port, and the I2CP server.
func (r *Router) HTTPAddr() string   { return local(httpPort + r.number) }
func (r *Router) SAMAddr() string    { return local(samPort + r.number) }
func (r *Router) SAMUDPAddr() string { return local(samPort + r.number - 1) }
func (r *Router) I2CPAddr() string   { return local(r.i2cp) }

func local(port int) string { return "127.0.0.1:" + strconv.Itoa(port) }

// Hash is the router's ident hash: what leases through it name as gateway.
func (r *Router) Hash() [32]byte { return r.hash }

// Dir is its data directory, with the keys of its tunnels.
func (r *Router) Dir() string { return r.dir }

func (r *Router) infoPath() string { return filepath.Join(r.dir, "router.info") }
func (r *Router) logPath() string  { return filepath.Join(r.dir, "i2pd.log") }
func (r *Router) outPath() string  { return filepath.Join(r.dir, "i2pd.out") } // last words of a crash

// Pid is the process id of the running or last i2pd, 0 before the first.
func (r *Router) Pid() int {
	if p := r.current(); p != nil {
		return p.cmd.Process.Pid
	}
	return 0
}

func (r *Router) current() *process {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.process
}

// Kill ends the router at once (SIGKILL) and returns when the process is gone.
func (r *Router) Kill() {
	p := r.current()
	if p == nil {
		return
	}
	p.killed.Store(true)
	_ = p.cmd.Process.Kill() // it may be gone
	<-p.ended
}

// Stop freezes the router (SIGSTOP): its sockets stay open and nothing answers.
func (r *Router) Stop() error { return r.signal(syscall.SIGSTOP) }

// Continue ends a Stop.
func (r *Router) Continue() error { return r.signal(syscall.SIGCONT) }

func (r *Router) signal(s syscall.Signal) error {
	p := r.current()
	if p == nil {
		return fmt.Errorf("%s is not running", r)
	}
	if err := p.cmd.Process.Signal(s); err != nil {
		return fmt.Errorf("signal %s: %w", r, err)
	}
	return nil
}

// Restart kills the router if it runs, starts it again with the same keys, and returns when
// it is ready as Start has it.
func (r *Router) Restart(ctx context.Context) error {
	r.Kill()
	if err := r.launch(); err != nil {
		return err
	}
	return r.network.ready(ctx, r)
}

// Crash returns how the latest process ended by itself, nil if it runs or was killed by us.
func (r *Router) Crash() error {
	p := r.current()
	if p == nil || p.killed.Load() {
		return nil
	}
	select {
	case <-p.ended:
		if p.err == nil {
			return errors.New("exit status 0")
		}
		return p.err
	default:
		return nil
	}
}

// launch starts a process. TZ is for the webconsole, which writes local times. There is no
// Pdeathsig: that follows the thread that calls, which Go may end; the PID namespace ends
// the routers surely.
func (r *Router) launch() error {
	args := append([]string{"--datadir=" + r.dir, "--conf=" + filepath.Join(r.dir, "i2pd.conf")}, r.args...)
	out, err := os.OpenFile(r.outPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("start %s: %w", r, err)
	}
	defer out.Close()
	p := &process{cmd: exec.Command(r.binary, args...), ended: make(chan struct{})}
	p.cmd.Env = append(os.Environ(), "TZ=UTC", "HOME="+r.dir)
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		return fmt.Errorf("start %s: %w", r, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.ended)
	}()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.process = p
	return nil
}
