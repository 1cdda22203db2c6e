package sam

const (
	anyStyle    = "STREAM|DATAGRAM|RAW|DATAGRAM2|DATAGRAM3"
	messages    = "DATAGRAM*, RAW"
	notPrimary  = "all but PRIMARY"
	portNumber  = "0-65535"
	protoNumber = "0-255"
	yesOrNo     = "true|false"
)

var idOption = Option{Key: "ID", Value: "name", Required: true, By: ByBoth, Meaning: "the session's name, without spaces; no two sessions of a server have the same"}

// portOptions are those of a session's own and its subsessions.
var portOptions = []Option{
	{Key: "PORT", Value: portNumber, For: messages, By: ByBoth, Meaning: "forward what comes in to this UDP port; without it comes on this connection"},
	{Key: "HOST", Value: "address", For: messages, By: ByBoth, Meaning: "of that port; default is where the client is"},
	{Key: "FROM_PORT", Value: portNumber, Since: "3.2", For: notPrimary, By: ByBoth, Meaning: "I2CP port that it sends from; default 0"},
	{Key: "TO_PORT", Value: portNumber, Since: "3.2", For: notPrimary, By: ByBoth, Meaning: "I2CP port that it sends to; default 0"},
	{Key: "PROTOCOL", Value: protoNumber, Since: "3.2", For: "RAW", By: ByBoth, Meaning: "I2CP protocol of what it sends; default 18"},
	{Key: "HEADER", Value: yesOrNo, Since: "3.2", For: "RAW", By: ByBoth, Meaning: "begin what is forwarded with a line of `FROM_PORT`, `TO_PORT` and `PROTOCOL`"},
	{Key: "sam.udp.host", Value: "address", For: messages, By: ByBridge, Meaning: "Java's UDP socket for the session; taken and not heeded, there is one for all"},
	{Key: "sam.udp.port", Value: portNumber, For: messages, By: ByBridge, Meaning: "as `sam.udp.host`"},
}

// listenOptions say what comes in to which session.
var listenOptions = []Option{
	{Key: "LISTEN_PORT", Value: portNumber, Since: "3.3", For: notPrimary, By: ByBoth, Meaning: "I2CP port that it hears, 0 for all; default is `FROM_PORT`. `STREAM`: that or 0"},
	{Key: "LISTEN_PROTOCOL", Value: protoNumber, Since: "3.3", For: "RAW", By: ByBoth, Meaning: "I2CP protocol that it hears, 0 for all, never 6 on a bridge; default is `PROTOCOL`"},
}

// sessionRows are the lines of sessions.
var sessionRows = map[Kind]Row{
	KindSessionCreate: {
		Verb: "SESSION", Action: "CREATE", From: FromClient, By: ByBoth, Since: "3.0", Reply: KindSessionStatus,
		Meaning: "Makes a session, which lives as long as the connection. Options that are not listed go to the I2CP session and the streams, such as `inbound.quantity` and `i2cp.leaseSetEncType`",
		Options: join([]Option{
			{Key: "STYLE", Value: anyStyle + "|PRIMARY", Required: true, By: ByBoth, Meaning: "what it is for. `DATAGRAM2` and `DATAGRAM3` are of 2025; `PRIMARY` (3.3, once `MASTER`) is for subsessions. A frontend has `RAW` only"},
			idOption,
			{Key: "DESTINATION", Value: "TRANSIENT|private keys", Required: true, By: ByBoth, Meaning: "new keys, or the base64 of some, which may be signed offline"},
			{Key: "SIGNATURE_TYPE", Value: "name or number", Since: "3.1", By: ByBridge, Meaning: "with `TRANSIENT`; default Ed25519 (7), where the specification has DSA_SHA1"},
			{Key: "CRYPTO_TYPE", Value: "number", By: ByBridge, Meaning: "i2pd's, for an encryption key that nobody uses; taken and not heeded, as on Java. `i2cp.leaseSetEncType` is what counts"},
		}, portOptions, frontendOnly(listenOptions), attachOptions),
	},
	KindSessionAdd: {
		Verb: "SESSION", Action: "ADD", From: FromClient, By: ByBridge, Since: "3.3", Reply: KindSessionStatus,
		Meaning: "Adds a subsession to the `PRIMARY` session of this connection. It has the same Destination, and gets what comes for its port and protocol",
		Options: join([]Option{
			{Key: "STYLE", Value: anyStyle, Required: true, Meaning: "what it is for"},
			idOption,
		}, portOptions, listenOptions),
	},
	KindSessionRemove: {
		Verb: "SESSION", Action: "REMOVE", From: FromClient, By: ByBridge, Since: "3.3", Reply: KindSessionStatus,
		Meaning: "Ends a subsession", Options: []Option{idOption},
	},
	KindSessionStatus: {
		Verb: "SESSION", Action: "STATUS", From: FromServer, By: ByBoth, Since: "3.0",
		Meaning: "Answers `SESSION`; unasked, with an error, it says that the session or the connection ends, and why",
		Options: []Option{
			resultOption,
			{Key: "DESTINATION", Value: "private keys", By: ByBoth, Meaning: "after `SESSION CREATE`"},
			{Key: "ID", Value: "name", Since: "3.3", By: ByBridge, Meaning: "after `SESSION ADD` and `REMOVE`"},
			{Key: "REFUGE", Value: yesOrNo, Since: SinceUs, By: ByFrontend, Meaning: "the router is no choice for anything new"},
			{Key: "FRONTEND", Value: "name", Since: SinceUs, By: ByFrontend, Meaning: "what the frontend calls itself, to a backend with a name"},
			{Key: "ID_KEY", Value: "hex", Since: SinceUs, By: ByFrontend, Meaning: "the key of stream IDs, to a backend with a name"},
			messageOption,
		},
	},
}

func join(groups ...[]Option) (all []Option) {
	for _, group := range groups {
		all = append(all, group...)
	}
	return all
}

func frontendOnly(options []Option) (out []Option) {
	for _, o := range options {
		o.By = ByFrontend
		out = append(out, o)
	}
	return out
}
