package sam

var (
	resultOption  = Option{Key: "RESULT", Value: "result", Required: true, By: ByBoth, Meaning: "`OK`, or what went wrong: see the results below"}
	messageOption = Option{Key: "MESSAGE", Value: "text", By: ByBoth, Meaning: "for people: what is wrong and what to do"}
	userOption    = Option{Key: "USER", Value: "name", Required: true, Meaning: "the user"}
)

// connectionRows are the lines that begin, keep and end a connection.
var connectionRows = map[Kind]Row{
	KindHello: {
		Verb: "HELLO", Action: "VERSION", From: FromClient, By: ByBoth, Since: "3.0", Reply: KindHelloReply,
		Meaning: "The first line of every connection",
		Options: []Option{
			{Key: "MIN", Value: "3.x", By: ByBoth, Meaning: "the oldest version that the client can speak; needed in 3.0"},
			{Key: "MAX", Value: "3.x", By: ByBoth, Meaning: "the newest; needed in 3.0"},
			{Key: "USER", Value: "name", Since: "3.2", By: ByBridge, Meaning: "needed where users must give a password"},
			{Key: "PASSWORD", Value: "text", Since: "3.2", By: ByBridge, Meaning: "the user's"},
		},
	},
	KindHelloReply: {
		Verb: "HELLO", Action: "REPLY", From: FromServer, By: ByBoth, Since: "3.0",
		Meaning: "The version that is spoken from now on, the newest that both can; `NOVERSION` if there is none",
		Options: []Option{
			resultOption,
			{Key: "VERSION", Value: "3.x", By: ByBoth, Meaning: "with `OK`"},
			messageOption,
		},
	},
	KindPing: {
		Verb: "PING", Form: FormText, From: FromClient | FromServer, By: ByBoth, Since: "3.2", Reply: KindPong,
		Meaning: "Asks whether the other end is there; any text may follow",
	},
	KindPong: {
		Verb: "PONG", Form: FormText, From: FromClient | FromServer, By: ByBoth, Since: "3.2",
		Meaning: "The answer, with the text of the `PING`",
	},
	KindQuit: {Verb: "QUIT", Form: FormBare, From: FromClient, By: ByBoth, Since: "3.2", Meaning: "Ends the connection, and the session that was made on it"},
	KindStop: {Verb: "STOP", Form: FormBare, From: FromClient, By: ByBoth, Since: "3.2", Meaning: "As `QUIT`"},
	KindExit: {Verb: "EXIT", Form: FormBare, From: FromClient, By: ByBoth, Since: "3.2", Meaning: "As `QUIT`"},
	KindHelp: {
		Verb: "HELP", Form: FormBare, From: FromClient, By: ByBoth, Since: "3.2",
		Meaning: "Lists the commands; `HELP STREAM` those that begin so, with their options",
	},

	KindAuthEnable: {
		Verb: "AUTH", Action: "ENABLE", From: FromClient, By: ByBridge, Since: "3.2", Reply: KindAuthStatus,
		Meaning: "From the next connection on, `HELLO` needs a user and a password",
	},
	KindAuthDisable: {
		Verb: "AUTH", Action: "DISABLE", From: FromClient, By: ByBridge, Since: "3.2", Reply: KindAuthStatus,
		Meaning: "It needs none any more",
	},
	KindAuthAdd: {
		Verb: "AUTH", Action: "ADD", From: FromClient, By: ByBridge, Since: "3.2", Reply: KindAuthStatus,
		Meaning: "Adds a user",
		Options: []Option{userOption, {Key: "PASSWORD", Value: "text", Required: true, Meaning: "the user's"}},
	},
	KindAuthRemove: {
		Verb: "AUTH", Action: "REMOVE", From: FromClient, By: ByBridge, Since: "3.2", Reply: KindAuthStatus,
		Meaning: "Removes a user", Options: []Option{userOption},
	},
	KindAuthList: {
		Verb: "AUTH", Action: "LIST", From: FromClient, By: ByBridge, Since: SinceUs, Reply: KindAuthStatus,
		Meaning: "Names the users",
	},
	KindAuthStatus: {
		Verb: "AUTH", Action: "STATUS", From: FromServer, By: ByBridge, Since: "3.2",
		Meaning: "Answers `AUTH`",
		Options: []Option{resultOption, {Key: "USERS", Value: "names", Since: SinceUs, Meaning: "after `AUTH LIST`, with spaces between"}, messageOption},
	},
}
