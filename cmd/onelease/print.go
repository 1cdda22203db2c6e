package main

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"
)

// A view is what a command has to show: its fields as JSON, or text for people.
type view interface{ text(w io.Writer) }

// A jsonFlag chooses between the two.
type jsonFlag struct{ on bool }

func (j *jsonFlag) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&j.on, "json", false, "print JSON, for scripts")
}

func (j *jsonFlag) show(cmd *cobra.Command, v view) error {
	out := cmd.OutOrStdout()
	if !j.on {
		v.text(out)
		return nil
	}
	encoder := json.NewEncoder(out)
	encoder.SetIndent("", "  ")
	return encoder.Encode(v)
}

// table writes rows, the first of which has the headings, in columns.
func table(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}

// span is a duration for people, in seconds up to two minutes.
func span(d time.Duration) string {
	if d < 2*time.Minute {
		return fmt.Sprintf("%.0f s", d.Round(time.Second).Seconds())
	}
	return d.Round(time.Second).String()
}

// either is a word for a yes and one for a no.
func either(is bool, yes, no string) string {
	if is {
		return yes
	}
	return no
}

// counted is a number of things.
func counted(n uint32, thing string) string {
	return fmt.Sprintf("%d %s", n, either(n == 1, thing, thing+"s"))
}
