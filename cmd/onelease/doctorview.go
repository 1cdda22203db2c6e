package main

import (
	"fmt"
	"io"

	"github.com/onelease/onelease/internal/doctor"
)

// A doctorView is the report; as JSON it is that of package doctor.
type doctorView struct{ doctor.Report }

// stateMarks are what a line begins with.
var stateMarks = map[doctor.State]string{doctor.OK: "ok", doctor.Warn: "warn", doctor.Fail: "fail", doctor.Unknown: "?"}

func (v doctorView) text(w io.Writer) {
	for _, r := range v.Results {
		what := r.Check
		if r.On != "" {
			what += " " + r.On
		}
		fmt.Fprintf(w, "%-4s  %s: %s\n", stateMarks[r.State], what, r.Found)
		if r.Cure != "" {
			fmt.Fprintf(w, "      -> %s\n", r.Cure)
		}
	}
	fmt.Fprintf(w, "%s: %d failed, %d to look at, %d not checked\n", counted(uint32(len(v.Results)), "check"), v.Failed, v.Warned, v.Unknown)
}

// sayPending says what takes its time.
func sayPending(w io.Writer, all []doctor.Pending) {
	for _, p := range all {
		what := p.Check
		if p.On != "" {
			what += " " + p.On
		}
		fmt.Fprintf(w, "... %s: %s of at most %s\n", what, span(p.Since), span(p.Limit))
	}
}
