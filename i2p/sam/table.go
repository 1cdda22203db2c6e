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
	// For has the styles of session that it is for, if not for all.
	For string
	// Since is empty if it is as old as its line.
	Since string
	// By is empty if all serve it who serve the line.
	By       Service
	Required bool
}

// A Form is what may follow the verb of a line.
type Form uint8

const (
	// FormAction lines have a second word, then options.
	FormAction Form = iota
	// FormBare lines have options only.
	FormBare
	// FormText lines have free text to their end.
	FormText
)

// A Side is an end of a connection.
type Side uint8

// Who may say a line.
const (
	FromClient Side = 1 << iota
	FromServer
)

// String names the side.
func (s Side) String() string {
	switch s {
	case FromClient:
		return "client"
	case FromServer:
		return "server"
	}
	return "either"
}

// A Service is what of ours serves a line or an option.
type Service uint8

// The bridge is for any program, and the packet server of a frontend for backends.
const (
	ByBridge Service = 1 << iota
	ByFrontend
	ByBoth = ByBridge | ByFrontend
)

// Values of Since for what no version of SAM has.
const (
	// SinceAPI is an addition of 2025 to the specification, which gave it no
	// version of its own (router API 0.9.66).
	SinceAPI = "2025"
	// SincePractice is what servers say and the specification does not.
	SincePractice = "practice"
	// SinceUs is an extension of Onelease.
	SinceUs = "extension"
)

// commands is the protocol as data. Parser, printer, servers, client and the
// tables of the documentation all work from it; a new command is a new row.
var commands = assemble(connectionRows, sessionRows, streamRows, datagramRows, utilityRows, extensionRows)

func assemble(groups ...map[Kind]Row) (all [kindCount]Row) {
	for _, group := range groups {
		for kind, row := range group {
			all[kind] = row
		}
	}
	return all
}
