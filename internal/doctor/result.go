package doctor

// A State is how a check ended.
type State string

// The states.
const (
	OK State = "ok"
	// Warn is what works, and should be mended before it does not.
	Warn State = "warn"
	// Fail is what does not work, or is not safe.
	Fail State = "fail"
	// Unknown is what was not checked or cannot be; Found says why.
	Unknown State = "unknown"
)

// A Result is what one check found out about one thing.
type Result struct {
	// Check is the Name of the Check, On what was looked at: a router's name, a file.
	Check string `json:"check"`
	On    string `json:"on,omitempty"`
	State State  `json:"state"`
	// Fault is the ID of the Fault, with Warn and Fail.
	Fault string `json:"fault,omitempty"`
	// Found is what was seen, Cure what to do about it.
	Found string `json:"found"`
	Cure  string `json:"cure,omitempty"`
}

// A Report has a Result for each thing that was checked, in the order of Table.
type Report struct {
	Results []Result `json:"checks"`
	// Failed, Warned and Unknown are how many of them are not OK, by State.
	Failed  int `json:"failed"`
	Warned  int `json:"warned"`
	Unknown int `json:"unknown"`
}

func (r *Report) add(results []Result) {
	for _, one := range results {
		r.Results = append(r.Results, one)
		switch one.State {
		case Fail:
			r.Failed++
		case Warn:
			r.Warned++
		case Unknown:
			r.Unknown++
		}
	}
}

// good, unknown and bad make the Result of a check of one thing, in the list that a task
// returns.
func good(check, on, found string) []Result {
	return []Result{{Check: check, On: on, State: OK, Found: found}}
}

func unknown(check, on, why string) []Result {
	return []Result{{Check: check, On: on, State: Unknown, Found: why}}
}

// bad is for a fault of Table; the Check is the fault's.
func bad(fault, on, found string) []Result {
	for _, c := range Table {
		for _, f := range c.Faults {
			if f.ID == fault {
				return []Result{{c.Name, on, f.State, f.ID, found, f.Cure}}
			}
		}
	}
	panic("doctor: no fault " + fault + " in the table")
}
