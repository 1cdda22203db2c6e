package i2cp

import (
	"net"
	"syscall"
)

// quickAck makes the kernel acknowledge what is read at once. i2pd leaves
// Nagle's algorithm on: a second small frame waits in its kernel until the
// first is acknowledged, which ours would put off for 40 ms to send it along
// with data. Linux forgets the option, so it is set after each read.
func quickAck(conn net.Conn) net.Conn {
	tcp, ok := conn.(*net.TCPConn)
	if !ok {
		return conn
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return conn
	}
	return &quickConn{tcp, raw, func(fd uintptr) {
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_QUICKACK, 1)
	}}
}

type quickConn struct {
	*net.TCPConn
	raw syscall.RawConn
	ack func(fd uintptr) // made once, so that Read does not allocate
}

func (c *quickConn) Read(b []byte) (int, error) {
	n, err := c.TCPConn.Read(b)
	if err == nil {
		err = c.raw.Control(c.ack)
	}
	return n, err
}

var _ net.Conn = (*quickConn)(nil)
