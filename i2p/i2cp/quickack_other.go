//go:build !linux

package i2cp

import "net"

// quickAck does nothing here: see quickack_linux.go.
func quickAck(conn net.Conn) net.Conn { return conn }
