// Package pluginwire is what crosses a plugin's data socket: the frames of
// docs/plugin-protocol.md, a stream made of them that is a net.Conn at both
// ends (Conn), and a port for datagrams that is a net.PacketConn at both ends
// (PacketConn). It knows nothing of services, processes or gRPC.
//
// The plugin's end connects:
//
//	conn, err := pluginwire.DialStream(ctx, socket, token, "name.i2p:80")
//
// The host's end takes what its listener accepts:
//
//	preface, err := pluginwire.ReadPreface(raw)
//	conn := pluginwire.NewConn(raw)
//	address, limit, err := conn.ReadDial()
//	err = conn.Begin(local, remote) // or conn.Refuse(err)
package pluginwire
