package sam

// AppendDatagramReceived appends the line and the data of a received datagram. from
// is the sender's Destination in base64, of a Datagram3 its hash. Ports are there
// since SAM 3.2.
func AppendDatagramReceived(b []byte, from string, p Packet, ports bool) []byte {
	b = AppendCommand(b, KindDatagramReceived)
	b = append(append(b, " DESTINATION="...), from...) // base64 needs no quotes
	b = AppendNumber(b, "SIZE", len(p.Data))
	return appendFrom(b, p, ports)
}

// AppendDatagramForwarded appends a datagram as it is forwarded over UDP, after a line
// that begins with the sender ("Forwarding Raw or Repliable Datagrams").
func AppendDatagramForwarded(b []byte, from string, p Packet, ports bool) []byte {
	return appendFrom(append(b, from...), p, ports)
}

func appendFrom(b []byte, p Packet, ports bool) []byte {
	if ports {
		b = AppendNumber(b, "FROM_PORT", int(p.FromPort))
		b = AppendNumber(b, "TO_PORT", int(p.ToPort))
	}
	return append(append(b, '\n'), p.Data...)
}
