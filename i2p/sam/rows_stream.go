package sam

var silentOption = Option{Key: "SILENT", Value: yesOrNo, Meaning: "no `STREAM STATUS` and no line with the remote's Destination: the connection is the stream's at once, or closed; default false"}

var streamPorts = []Option{
	{Key: "FROM_PORT", Value: portNumber, Since: "3.2", Meaning: "default is the session's"},
	{Key: "TO_PORT", Value: portNumber, Since: "3.2", Meaning: "default is the session's"},
}

// streamRows are the lines of streams. After OK the connection is the stream.
var streamRows = map[Kind]Row{
	KindStreamConnect: {
		Verb: "STREAM", Action: "CONNECT", From: FromClient, By: ByBridge, Since: "3.0", Reply: KindStreamStatus,
		Meaning: "Opens a stream to a remote; after `OK` this connection is it",
		Options: join([]Option{
			idOption,
			{Key: "DESTINATION", Value: "base64, b32, b33 or host name", Required: true, Meaning: "the remote"},
			silentOption,
		}, streamPorts),
	},
	KindStreamAccept: {
		Verb: "STREAM", Action: "ACCEPT", From: FromClient, By: ByBridge, Since: "3.0", Reply: KindStreamStatus,
		Meaning: "Waits for a stream. When one comes there is a line with the remote's Destination (since 3.2 also `FROM_PORT` and `TO_PORT`), and this connection is the stream. Several may wait; none while there is a `FORWARD`",
		Options: []Option{idOption, silentOption},
	},
	KindStreamForward: {
		Verb: "STREAM", Action: "FORWARD", From: FromClient, By: ByBridge, Since: "3.0", Reply: KindStreamStatus,
		Meaning: "Has each stream that comes connected to a TCP server, as long as this connection is open; it begins with the line that `ACCEPT` has. Always answered",
		Options: []Option{
			idOption,
			{Key: "PORT", Value: "1-65535", Required: true, Meaning: "the server's"},
			{Key: "HOST", Value: "address", Meaning: "the server's; default is where the client is"},
			silentOption,
			{Key: "SSL", Value: yesOrNo, Since: "3.2", Meaning: "speak TLS to the server; default false"},
		},
	},
	KindStreamStatus: {
		Verb: "STREAM", Action: "STATUS", From: FromServer, By: ByBridge, Since: "3.0",
		Meaning: "Answers `STREAM`. After an error the connection ends",
		Options: []Option{resultOption, messageOption},
	},
}
