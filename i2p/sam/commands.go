package sam

// A Kind is a command or a reply of the table below.
type Kind uint8

// The lines that this package knows. KindUnknown is every other one.
const (
	KindUnknown Kind = iota
	KindHello
	KindHelloReply
	KindSessionCreate
	KindSessionStatus
	KindSessionDrain
	KindSessionLeaseSet
	KindSessionWeight
	KindSessionHeard
	KindSessionBegan
	KindRawSend
	KindRawReceived
	KindRawStatus
	KindNamingLookup
	KindNamingReply
	KindDestGenerate
	KindDestReply
	KindPing
	KindPong
	KindQuit
	KindStop
	KindExit
	kindCount
)

// A form is what may follow the verb of a line.
type form uint8

const (
	formAction form = iota // a second word, then options
	formBare               // options only
	formText               // free text to the end of the line
)

// A row describes one line of the protocol.
type row struct {
	verb, action string
	form         form
}

// commands is the protocol as data. Parser, printer, server and client all
// work from it; a new command is a new row.
var commands = [kindCount]row{
	KindHello:           {verb: "HELLO", action: "VERSION"},
	KindHelloReply:      {verb: "HELLO", action: "REPLY"},
	KindSessionCreate:   {verb: "SESSION", action: "CREATE"},
	KindSessionStatus:   {verb: "SESSION", action: "STATUS"},
	KindSessionDrain:    {verb: "SESSION", action: "DRAIN"},
	KindSessionLeaseSet: {verb: "SESSION", action: "LEASESET"},
	KindSessionWeight:   {verb: "SESSION", action: "WEIGHT"},
	KindSessionHeard:    {verb: "SESSION", action: "HEARD"},
	KindSessionBegan:    {verb: "SESSION", action: "BEGAN"},
	KindRawSend:         {verb: "RAW", action: "SEND"},
	KindRawReceived:     {verb: "RAW", action: "RECEIVED"},
	KindRawStatus:       {verb: "RAW", action: "STATUS"},
	KindNamingLookup:    {verb: "NAMING", action: "LOOKUP"},
	KindNamingReply:     {verb: "NAMING", action: "REPLY"},
	KindDestGenerate:    {verb: "DEST", action: "GENERATE"},
	KindDestReply:       {verb: "DEST", action: "REPLY"},
	KindPing:            {verb: "PING", form: formText},
	KindPong:            {verb: "PONG", form: formText},
	KindQuit:            {verb: "QUIT", form: formBare},
	KindStop:            {verb: "STOP", form: formBare},
	KindExit:            {verb: "EXIT", form: formBare},
}

// String is the verb and the action.
func (k Kind) String() string {
	if k == KindUnknown || k >= kindCount {
		return "unknown command"
	}
	if r := commands[k]; r.action != "" {
		return r.verb + " " + r.action
	}
	return commands[k].verb
}

// The words of a line, for the lookup of its row: the parser must not
// allocate, so it looks up by a struct of two converted byte slices.
type words struct{ verb, action string }

var (
	kinds     = map[words]Kind{}
	verbForms = map[string]form{}
)

func init() {
	for k := KindUnknown + 1; k < kindCount; k++ {
		r := commands[k]
		kinds[words{r.verb, r.action}] = k
		verbForms[r.verb] = r.form
	}
}
