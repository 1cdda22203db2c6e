package test

import (
	"encoding/json"
	"os/exec"
	"slices"
	"strings"

	"github.com/onelease/onelease/internal/doctor"
)

// A diagnosis is a report of doctor, and how it ended.
type diagnosis struct {
	doctor.Report
	outcome
	o *operator
}

// doctor runs the command.
func (o *operator) doctor(args ...string) *diagnosis {
	o.t.Helper()
	return o.diagnose(exec.Command(o.program.path, append([]string{"doctor", "--json"}, args...)...))
}

func (o *operator) diagnose(cmd *exec.Cmd) *diagnosis {
	o.t.Helper()
	d := &diagnosis{outcome: o.finish(cmd, ""), o: o}
	if err := json.Unmarshal([]byte(d.out), &d.Report); err != nil {
		o.t.Errorf("%s: %v, exit code %d: %s", cmd, err, d.code, d.said)
	}
	if want := min(d.Failed, 1); d.code != want {
		o.t.Errorf("%s: exit code %d with %d failed", cmd, d.code, d.Failed)
	}
	return d
}

// has says whether the fault was found there, hasAnywhere whether it was found at all.
func (d *diagnosis) has(fault, on string) bool {
	return slices.ContainsFunc(d.Results, func(r doctor.Result) bool { return r.Fault == fault && r.On == on })
}

func (d *diagnosis) hasAnywhere(fault string) bool {
	return slices.ContainsFunc(d.Results, func(r doctor.Result) bool { return r.Fault == fault })
}

// made says whether the check was made, and something was well.
func (d *diagnosis) made(check string) bool {
	return slices.ContainsFunc(d.Results, func(r doctor.Result) bool { return r.Check == check && r.State == doctor.OK })
}

// want wants the fault found there, and a cure that says so.
func (d *diagnosis) want(fault, on, cure string) {
	d.o.t.Helper()
	for _, r := range d.Results {
		if r.Fault == fault && r.On == on {
			if !strings.Contains(r.Cure, cure) {
				d.o.t.Errorf("%s on %s: the cure is %q, which does not say %q", fault, on, r.Cure, cure)
			}
			return
		}
	}
	d.o.t.Errorf("%s was not found on %q in %s", fault, on, d.out)
}

// wantWell wants nothing found, and each of these checks made.
func (d *diagnosis) wantWell(checks ...string) {
	d.o.t.Helper()
	for _, r := range d.Results {
		if r.Fault != "" {
			d.o.t.Errorf("%s on %s: %s", r.Fault, r.On, r.Found)
		}
	}
	for _, check := range checks {
		if !d.made(check) {
			d.o.t.Errorf("%s was not checked: %s", check, d.out)
		}
	}
	d.o.t.Logf("doctor: %d checks, none failed, %d could not be made, after %.1f s", len(d.Results), d.Unknown, d.took.Seconds())
}
