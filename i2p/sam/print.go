package sam

import (
	"strconv"
	"unicode/utf8"
)

// AppendCommand appends the verb and the action of k. Options follow, and
// then a newline that the caller appends.
func AppendCommand(b []byte, k Kind) []byte {
	b = append(b, commands[k].Verb...)
	if action := commands[k].Action; action != "" {
		b = append(append(b, ' '), action...)
	}
	return b
}

// AppendOption appends a space and key=value, quoted if the value needs it. A
// line cannot carry a line break or invalid UTF-8: those become a space and
// U+FFFD. The key is written as it is.
func AppendOption(b []byte, key, value string) []byte {
	b = append(b, ' ')
	b = append(append(b, key...), '=')
	if !needsQuotes(value) {
		return append(b, value...)
	}
	b = append(b, '"')
	for _, r := range value {
		switch r {
		case '"', '\\':
			b = append(b, '\\')
		case '\n', '\r':
			r = ' '
		}
		b = utf8.AppendRune(b, r)
	}
	return append(b, '"')
}

// AppendNumber appends a space and key=value.
func AppendNumber(b []byte, key string, value int) []byte {
	b = append(b, ' ')
	b = append(append(b, key...), '=')
	return strconv.AppendInt(b, int64(value), 10)
}

// AppendReply appends a whole reply line: the RESULT that err stands for (see
// ResultOf), and err as MESSAGE if it is not nil.
func AppendReply(b []byte, k Kind, err error) []byte {
	b = AppendResult(AppendCommand(b, k), err)
	return append(b, '\n')
}

// AppendResult appends the options RESULT, and MESSAGE if err is not nil.
func AppendResult(b []byte, err error) []byte {
	b = AppendOption(b, "RESULT", string(ResultOf(err)))
	if err != nil {
		b = AppendOption(b, "MESSAGE", err.Error())
	}
	return b
}

// needsQuotes reports whether a value is anything but printable ASCII without
// quotes and backslashes.
func needsQuotes(value string) bool {
	for i := range len(value) {
		if c := value[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '\\' {
			return true
		}
	}
	return value == ""
}

// AppendText appends a line of free text, as PING and PONG are.
func AppendText(b []byte, k Kind, text []byte) []byte {
	b = AppendCommand(b, k)
	if len(text) > 0 {
		b = append(append(b, ' '), text...)
	}
	return append(b, '\n')
}
