package sam

var sizeOption = Option{Key: "SIZE", Value: "1-65536", Required: true, By: ByBoth, Meaning: "bytes that follow the line's end"}

// sendOptions are those of a message of its own, by these lines and by UDP.
var sendOptions = []Option{
	{Key: "FROM_PORT", Value: portNumber, Since: "3.2", By: ByBoth, Meaning: "default is the session's"},
	{Key: "TO_PORT", Value: portNumber, Since: "3.2", By: ByBoth, Meaning: "default is the session's"},
	{Key: "SEND_TAGS", Value: "number", Since: "3.3", By: ByBoth, Meaning: "session tags to send. This and the next three go to the router, and i2pd heeds none of them"},
	{Key: "TAG_THRESHOLD", Value: "number", Since: "3.3", By: ByBoth, Meaning: "as `SEND_TAGS`"},
	{Key: "EXPIRES", Value: "seconds", Since: "3.3", By: ByBoth, Meaning: "how long routers may try to deliver it"},
	{Key: "SEND_LEASESET", Value: yesOrNo, Since: "3.3", By: ByBoth, Meaning: "send the LeaseSet with it; default true"},
}

var (
	remoteOption   = Option{Key: "DESTINATION", Value: "base64, b32, b33 or host name", Required: true, By: ByBoth, Meaning: "the remote"}
	protocolOption = Option{Key: "PROTOCOL", Value: protoNumber, Since: "3.2", By: ByBoth, Meaning: "default is the session's"}
	receivedPorts  = []Option{
		{Key: "FROM_PORT", Value: portNumber, Since: "3.2", By: ByBoth, Meaning: "as it was sent"},
		{Key: "TO_PORT", Value: portNumber, Since: "3.2", By: ByBoth, Meaning: "as it was sent"},
	}
)

// datagramRows are the lines of datagrams over the control connection.
var datagramRows = map[Kind]Row{
	KindDatagramSend: {
		Verb: "DATAGRAM", Action: "SEND", From: FromClient, By: ByBridge, Since: "3.0", Reply: KindDatagramStatus,
		Meaning: "Sends the bytes that follow by this connection's session of `STYLE=DATAGRAM`, `DATAGRAM2` or `DATAGRAM3`. There is no answer, but for an error",
		Options: join([]Option{remoteOption, sizeOption}, sendOptions),
	},
	KindDatagramReceived: {
		Verb: "DATAGRAM", Action: "RECEIVED", From: FromServer, By: ByBridge, Since: "3.0",
		Meaning: "A datagram has come; its bytes follow",
		Options: join([]Option{
			{Key: "DESTINATION", Value: "base64", Required: true, Meaning: "who sent it; with `DATAGRAM3` the 44 characters of a hash, which nobody has checked"},
			sizeOption,
		}, receivedPorts),
	},
	KindDatagramStatus: {
		Verb: "DATAGRAM", Action: "STATUS", From: FromServer, By: ByBridge, Since: SincePractice,
		Meaning: "A datagram was not sent", Options: []Option{resultOption, messageOption},
	},
	KindRawSend: {
		Verb: "RAW", Action: "SEND", From: FromClient, By: ByBoth, Since: "3.1", Reply: KindRawStatus,
		Meaning: "Sends the bytes that follow by this connection's session of `STYLE=RAW`. There is no answer, but for an error",
		Options: join([]Option{remoteOption, sizeOption, protocolOption}, sendOptions, []Option{
			{Key: "ID", Value: "1-4294967295", Since: SinceUs, By: ByFrontend, Meaning: "asks for a `RAW STATUS`"},
		}),
	},
	KindRawReceived: {
		Verb: "RAW", Action: "RECEIVED", From: FromServer, By: ByBoth, Since: "3.0",
		Meaning: "A raw datagram has come; its bytes follow",
		Options: join([]Option{sizeOption}, receivedPorts, []Option{
			{Key: "PROTOCOL", Value: protoNumber, Since: "3.2", By: ByBoth, Meaning: "as it was sent"},
		}),
	},
	KindRawStatus: {
		Verb: "RAW", Action: "STATUS", From: FromServer, By: ByBoth, Since: SincePractice,
		Meaning: "A raw datagram was not sent; on a frontend, what became of one that has an `ID`",
		Options: []Option{
			{Key: "ID", Value: "1-4294967295", Since: SinceUs, By: ByFrontend, Meaning: "of the `RAW SEND`"},
			resultOption, messageOption,
		},
	},
}
