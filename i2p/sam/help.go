package sam

import "strings"

// AppendHelp appends what a service of ours serves of the table, a line for each
// command: with its options and what they mean if topic is the command's verb,
// and else short. The last line says that it is the last: HELP STATUS RESULT=OK.
func AppendHelp(b []byte, by Service, topic string) []byte {
	topic = strings.ToUpper(topic)
	known := false
	for k := KindUnknown + 1; k < kindCount; k++ {
		known = known || commands[k].Verb == topic && commands[k].askable(by)
	}
	for k := KindUnknown + 1; k < kindCount; k++ {
		r := &commands[k]
		if !r.askable(by) || known && r.Verb != topic {
			continue
		}
		b = append(r.appendUsage(b, by), '\n')
		if known {
			b = r.appendMeanings(b, by)
		}
	}
	return append(b, "HELP STATUS RESULT=OK\n"...)
}

// askable reports whether a client may say r to that service.
func (r *Row) askable(by Service) bool { return r.From&FromClient != 0 && r.By&by != 0 }

// Serves reports whether the service serves o, an option of r.
func (r *Row) Serves(by Service, o *Option) bool {
	return r.By&by != 0 && (o.By == 0 || o.By&by != 0)
}

func (r *Row) appendUsage(b []byte, by Service) []byte {
	b = append(b, r.Verb...)
	if r.Action != "" {
		b = append(append(b, ' '), r.Action...)
	}
	if r.Form == FormText {
		b = append(b, " [text]"...)
	}
	for i := range r.Options {
		o := &r.Options[i]
		if !r.Serves(by, o) {
			continue
		}
		usage := o.Key + "=<" + o.Value + ">"
		if !o.Required {
			usage = "[" + usage + "]"
		}
		b = append(append(b, ' '), usage...)
	}
	return b
}

// appendMeanings appends what the documentation says, without its code marks.
func (r *Row) appendMeanings(b []byte, by Service) []byte {
	plain := strings.NewReplacer("`", "")
	b = append(b, "    "+plain.Replace(r.Meaning)+"\n"...)
	for i := range r.Options {
		if o := &r.Options[i]; r.Serves(by, o) {
			b = append(b, "    "+o.Key+": "+plain.Replace(o.Meaning)+"\n"...)
		}
	}
	return b
}
