package sam

// A Row describes one line of the protocol.
type Row struct {
	// Verb and Action are its first words; Action is empty if there is none.
	Verb, Action string
	Form         Form
	// From says who says it, and By who of ours serves it.
	From Side
	By   Service
	// Since is the version of SAM that brought it, or what is meant by the
	// constants below.
	Since string
	// Reply is the kind of line that answers it, KindUnknown if none does.
	Reply Kind
	// Meaning is for the tables of the documentation, in one line of Markdown.
	Meaning string
	Options []Option
}

// An Option describes one key of a line.
type Option struct {
	Key string
	// Value is what may stand for it: a set "a|b", or a word for what it is.
	Value   string
	Meaning string
	// Since is empty if it is as old as its line.
	Since string
	// By is empty if all serve it who serve the line.
	By       Service
	Required bool
}

// A Form is what may follow the verb of a line.
type Form uint8

const (
	FormAction Form = iota // a second word, then options
	FormBare               // options only
	FormText               // free text to the end of the line
)

// A Side is an end of a connection.
type Side uint8

// Who may say a line.
const (
	FromClient Side = 1 << iota
	FromServer
)

// A Service is what of ours serves a line or an option.
type Service uint8

// The bridge is for any program, and the packet server of a frontend for backends.
const (
	ByBridge Service = 1 << iota
	ByFrontend
)

// Values of Since for what no version of SAM has.
const (
	// SinceAPI is an addition of 2025 to the specification, which gave it no
	// version of its own (router API 0.9.66).
	SinceAPI = "2025"
	// SinceUs is an extension of Onelease.
	SinceUs = "extension"
)

// commands is the protocol as data. Parser, printer, servers, client and the
// tables of the documentation all work from it; a new command is a new row.
var commands = [kindCount]Row{
	KindHello:            {Verb: "HELLO", Action: "VERSION", Reply: KindHelloReply},
	KindHelloReply:       {Verb: "HELLO", Action: "REPLY"},
	KindAuthEnable:       {Verb: "AUTH", Action: "ENABLE", Reply: KindAuthStatus},
	KindAuthDisable:      {Verb: "AUTH", Action: "DISABLE", Reply: KindAuthStatus},
	KindAuthAdd:          {Verb: "AUTH", Action: "ADD", Reply: KindAuthStatus},
	KindAuthRemove:       {Verb: "AUTH", Action: "REMOVE", Reply: KindAuthStatus},
	KindAuthList:         {Verb: "AUTH", Action: "LIST", Reply: KindAuthStatus},
	KindAuthStatus:       {Verb: "AUTH", Action: "STATUS"},
	KindSessionCreate:    {Verb: "SESSION", Action: "CREATE", Reply: KindSessionStatus},
	KindSessionAdd:       {Verb: "SESSION", Action: "ADD", Reply: KindSessionStatus},
	KindSessionRemove:    {Verb: "SESSION", Action: "REMOVE", Reply: KindSessionStatus},
	KindSessionStatus:    {Verb: "SESSION", Action: "STATUS"},
	KindSessionDrain:     {Verb: "SESSION", Action: "DRAIN"},
	KindSessionLeaseSet:  {Verb: "SESSION", Action: "LEASESET"},
	KindSessionWeight:    {Verb: "SESSION", Action: "WEIGHT"},
	KindSessionHeard:     {Verb: "SESSION", Action: "HEARD"},
	KindSessionBegan:     {Verb: "SESSION", Action: "BEGAN"},
	KindStreamConnect:    {Verb: "STREAM", Action: "CONNECT", Reply: KindStreamStatus},
	KindStreamAccept:     {Verb: "STREAM", Action: "ACCEPT", Reply: KindStreamStatus},
	KindStreamForward:    {Verb: "STREAM", Action: "FORWARD", Reply: KindStreamStatus},
	KindStreamStatus:     {Verb: "STREAM", Action: "STATUS"},
	KindDatagramSend:     {Verb: "DATAGRAM", Action: "SEND", Reply: KindDatagramStatus},
	KindDatagramReceived: {Verb: "DATAGRAM", Action: "RECEIVED"},
	KindDatagramStatus:   {Verb: "DATAGRAM", Action: "STATUS"},
	KindRawSend:          {Verb: "RAW", Action: "SEND", Reply: KindRawStatus},
	KindRawReceived:      {Verb: "RAW", Action: "RECEIVED"},
	KindRawStatus:        {Verb: "RAW", Action: "STATUS"},
	KindNamingLookup:     {Verb: "NAMING", Action: "LOOKUP", Reply: KindNamingReply},
	KindNamingReply:      {Verb: "NAMING", Action: "REPLY"},
	KindDestGenerate:     {Verb: "DEST", Action: "GENERATE", Reply: KindDestReply},
	KindDestReply:        {Verb: "DEST", Action: "REPLY"},
	KindPing:             {Verb: "PING", Form: FormText, Reply: KindPong},
	KindPong:             {Verb: "PONG", Form: FormText},
	KindQuit:             {Verb: "QUIT", Form: FormBare},
	KindStop:             {Verb: "STOP", Form: FormBare},
	KindExit:             {Verb: "EXIT", Form: FormBare},
	KindHelp:             {Verb: "HELP", Form: FormBare},
}
