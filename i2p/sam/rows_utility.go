package sam

// utilityRows are the lines that need no session.
var utilityRows = map[Kind]Row{
	KindNamingLookup: {
		Verb: "NAMING", Action: "LOOKUP", From: FromClient, By: ByBoth, Since: "3.0", Reply: KindNamingReply,
		Meaning: "Asks for a Destination",
		Options: []Option{
			{Key: "NAME", Value: "ME, host name, b32, b33 or base64", Required: true, By: ByBoth, Meaning: "`ME` is the session's own"},
			{Key: "OPTIONS", Value: yesOrNo, Since: SinceAPI, By: ByBoth, Meaning: "asks for the options of its LeaseSet too (proposal 167); default false"},
		},
	},
	KindNamingReply: {
		Verb: "NAMING", Action: "REPLY", From: FromServer, By: ByBoth, Since: "3.0",
		Meaning: "Answers `NAMING LOOKUP`",
		Options: []Option{
			resultOption,
			{Key: "NAME", Value: "name", Required: true, By: ByBoth, Meaning: "as it was asked for"},
			{Key: "VALUE", Value: "base64", By: ByBoth, Meaning: "the Destination, with `OK`"},
			messageOption,
			{Key: "OPTIONS", Value: yesOrNo, Since: SinceUs, By: ByFrontend, Meaning: "as it was asked for: the replies with options, and without, can be told apart"},
			{Key: "OPTION:key", Value: "text", Since: SinceAPI, By: ByBoth, Meaning: "one for each option of the LeaseSet"},
		},
	},
	KindDestGenerate: {
		Verb: "DEST", Action: "GENERATE", From: FromClient, By: ByBoth, Since: "3.0", Reply: KindDestReply,
		Meaning: "Makes keys, which the client may keep and give to `SESSION CREATE`",
		Options: []Option{
			{Key: "SIGNATURE_TYPE", Value: "name or number", Since: "3.1", By: ByBoth, Meaning: "default Ed25519 (7), where the specification has DSA_SHA1"},
			{Key: "CRYPTO_TYPE", Value: "number", By: ByBridge, Meaning: "i2pd's; taken and not heeded, as on Java"},
		},
	},
	KindDestReply: {
		Verb: "DEST", Action: "REPLY", From: FromServer, By: ByBoth, Since: "3.0",
		Meaning: "Answers `DEST GENERATE`; `RESULT` and `MESSAGE` only if there are no keys",
		Options: []Option{
			{Key: "PUB", Value: "base64", By: ByBoth, Meaning: "the Destination"},
			{Key: "PRIV", Value: "base64", By: ByBoth, Meaning: "the private keys, the Destination at their start"},
			{Key: "RESULT", Value: "result", By: ByBoth, Meaning: "what went wrong"},
			messageOption,
		},
	},
}
