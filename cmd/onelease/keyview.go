package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/i2p"
)

// A keyView is what may be known of a key file.
type keyView struct {
	File          string       `json:"file"`
	Format        string       `json:"format"`      // dat or base64
	Mode          string       `json:"mode"`        // such as 0600; empty: from stdin
	Permissions   string       `json:"permissions"` // what is wrong with the mode, if something is
	Address       string       `json:"address"`     // b32
	Destination   string       `json:"destination"` // base64
	SignatureType string       `json:"signature_type"`
	Offline       *offlineView `json:"offline"` // null: the Destination's own key is in the file
	// NotInCluster is why a cluster of balancers cannot serve it; empty: it can.
	NotInCluster string `json:"not_in_cluster"`
}

// An offlineView is about a transient key.
type offlineView struct {
	SignatureType string    `json:"signature_type"`
	Expires       time.Time `json:"expires"`
	Expired       bool      `json:"expired"`
}

// keyViewOf shows keys as they were read from path, or written there.
func keyViewOf(path string, keys *i2p.Keys, format i2p.KeyFormat) keyView {
	dest := keys.Destination
	v := keyView{File: path, Format: format.String(), Address: dest.Base32(), Destination: dest.Base64(), SignatureType: dest.SigType().Code()}
	if info, err := os.Stat(path); err == nil && path != "-" {
		v.Mode = fmt.Sprintf("%04o", info.Mode().Perm())
		if err := i2p.CheckKeyFile(path); err != nil {
			v.Permissions = err.Error()
		}
	}
	switch o := keys.Offline; {
	case o != nil:
		v.Offline = &offlineView{o.Key.Type.Code(), o.Expires.UTC(), !time.Now().Before(o.Expires)}
		v.NotInCluster = "the key is a transient one: give the Destination's own"
	case dest.SigType() != i2p.SigEd25519:
		v.NotInCluster = "only Ed25519 Destinations can be served by one"
	}
	return v
}

func (v keyView) text(w io.Writer) {
	rows := [][]string{{"Address", v.Address}, {"Signature", v.SignatureType}}
	if v.Offline == nil {
		rows = append(rows, []string{"Key", "the Destination's own"})
	} else {
		rows = append(rows, []string{"Key", "a transient one, " + v.Offline.SignatureType + ", " + v.Offline.describe(time.Now())})
	}
	rows = append(rows, []string{"Cluster", either(v.NotInCluster == "", "can serve it", "cannot serve it: "+v.NotInCluster)})
	if v.Mode != "" {
		rows = append(rows, []string{"File", fmt.Sprintf("%s, %s, mode %s", v.File, v.Format, v.Mode)})
	}
	if v.Permissions != "" {
		rows = append(rows, []string{"Warning", v.Permissions})
	}
	table(w, rows)
}

// describe says until when it may sign.
func (o *offlineView) describe(now time.Time) string {
	until := o.Expires.Format("2006-01-02 15:04 MST")
	if o.Expired {
		return "expired on " + until + ": make another with onelease key rotate"
	}
	return "good until " + until + " (" + days(o.Expires.Sub(now)) + ")"
}

// days is a duration for people, in days from two on.
func days(d time.Duration) string {
	if d < 48*time.Hour {
		return span(d.Truncate(time.Minute))
	}
	return fmt.Sprintf("%.0f days", d.Hours()/24)
}

func dirOf(path string) string { return filepath.Dir(path) }

var _ view = keyView{}

func keyShowCommand() *cobra.Command {
	var asJSON jsonFlag
	cmd := &cobra.Command{
		Use:   "show FILE",
		Short: "Show the address and the types of a key file, nothing private",
		Long: `Show prints what may be known of a key file: the b32 address, its signature type,
whether it has the Destination's own key or a transient one and until when that is
good, whether a cluster can serve it, and who may read the file. "-" reads stdin.

With --json it has the whole Destination in base64 as well, which address books take.`,
		Example: `  onelease key show site.dat
  onelease key show site.dat --json`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, format, err := readAnyKeys(cmd, args[0])
			if err != nil {
				return err
			}
			return asJSON.show(cmd, keyViewOf(args[0], keys, format))
		},
	}
	asJSON.add(cmd)
	return cmd
}
