package sam

// A Kind is a command or a reply of the table.
type Kind uint8

// The lines that this package knows. KindUnknown is every other one.
const (
	KindUnknown Kind = iota
	KindHello
	KindHelloReply
	KindAuthEnable
	KindAuthDisable
	KindAuthAdd
	KindAuthRemove
	KindAuthList
	KindAuthStatus
	KindSessionCreate
	KindSessionAdd
	KindSessionRemove
	KindSessionStatus
	KindSessionDrain
	KindSessionLeaseSet
	KindSessionWeight
	KindSessionHeard
	KindSessionBegan
	KindStreamConnect
	KindStreamAccept
	KindStreamForward
	KindStreamStatus
	KindDatagramSend
	KindDatagramReceived
	KindRawSend
	KindRawReceived
	KindDatagramStatus
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
	KindHelp
	kindCount
)

// Kinds is the number of kinds, for tables that are indexed by them.
const Kinds = int(kindCount)

// String is the verb and the action.
func (k Kind) String() string {
	if k == KindUnknown || k >= kindCount {
		return "unknown command"
	}
	if r := commands[k]; r.Action != "" {
		return r.Verb + " " + r.Action
	}
	return commands[k].Verb
}

// Row is k's row of the table, the zero Row for KindUnknown.
func (k Kind) Row() Row {
	if k >= kindCount {
		return Row{}
	}
	return commands[k]
}

// Own reports whether key is an option that the protocol gives to lines of kind
// k. All others of a SESSION CREATE are for the I2CP session and the streams.
func (k Kind) Own(key string) bool {
	for _, o := range k.Row().Options {
		if o.Key == key {
			return true
		}
	}
	return false
}

// ReplyKind is the kind of line that answers c. A line that is not in the table
// is answered as others with its verb are, or by a SESSION STATUS.
func (c *Command) ReplyKind() Kind {
	if reply := c.Kind.Row().Reply; reply != KindUnknown {
		return reply
	}
	if reply, ok := replies[c.Verb]; ok {
		return reply
	}
	return KindSessionStatus
}

// The words of a line, for the lookup of its row: the parser must not
// allocate, so it looks up by a struct of two converted byte slices.
type words struct{ verb, action string }

var (
	kinds     = map[words]Kind{}
	verbForms = map[string]Form{}
	replies   = map[string]Kind{} // of a verb, by its first row that has one
)

func init() {
	for k := KindUnknown + 1; k < kindCount; k++ {
		r := commands[k]
		kinds[words{r.Verb, r.Action}] = k
		verbForms[r.Verb] = r.Form
		if _, known := replies[r.Verb]; !known && r.Reply != KindUnknown {
			replies[r.Verb] = r.Reply
		}
	}
}
