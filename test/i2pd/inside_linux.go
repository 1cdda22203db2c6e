package i2pd

import (
	"fmt"
	"net/netip"
	"sync"

	"golang.org/x/sys/unix"
)

// enter finishes the namespaces from within: a /proc that shows the processes of the PID
// namespace, and lo up.
func enter() error {
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc inside the new namespaces: %w", err)
	}
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return netdevice(unix.SIOCSIFFLAGS, request)
}

// addressing is held while an address is made a /32. Until then it has the mask
// of its class, others are secondary to it, and they go when its mask changes.
var addressing sync.Mutex

// addAddress gives lo the address as a /32, under the label lo:index.
func addAddress(index int, addr netip.Addr) error {
	addressing.Lock()
	defer addressing.Unlock()
	ip, mask := addr.As4(), []byte{255, 255, 255, 255}
	if err := setInet4(index, unix.SIOCSIFADDR, ip[:]); err != nil {
		return err
	}
	return setInet4(index, unix.SIOCSIFNETMASK, mask)
}

func setInet4(index int, what uint, value []byte) error {
	request, err := unix.NewIfreq(fmt.Sprintf("lo:%d", index))
	if err != nil {
		return err
	}
	if err := request.SetInet4Addr(value); err != nil {
		return err
	}
	return netdevice(what, request)
}

// netdevice performs a request of netdevice(7) on a socket of its own.
func netdevice(what uint, request *unix.Ifreq) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("set up lo: %w", err)
	}
	defer unix.Close(fd)
	if err := unix.IoctlIfreq(fd, what, request); err != nil {
		return fmt.Errorf("set up %s: ioctl %#x: %w", request.Name(), what, err)
	}
	return nil
}
