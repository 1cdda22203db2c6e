package main

import (
	"cmp"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/i2p"
)

// How long a transient key may be good. Less than an hour leaves no time to bring it to
// where it is used; ten years is for good.
const (
	leastTransient = time.Hour
	mostTransient  = 10 * 365 * 24 * time.Hour
)

// A transientFlags is how a transient key is to be.
type transientFlags struct {
	kind     typeFlag
	duration string
	json     jsonFlag
}

func (f *transientFlags) add(cmd *cobra.Command) {
	f.kind.add(cmd)
	cmd.Flags().StringVar(&f.duration, "for", "", "how long it is good: a `time` such as 90d, 2w or 36h")
	f.json.add(cmd)
}

// check returns the type, and until when it is good.
func (f *transientFlags) check(cmd *cobra.Command) (i2p.SigType, time.Time, error) {
	kind, kindErr := f.kind.get(cmd)
	err := cmp.Or(kindErr, need(cmd, "for", "say how long the transient key is good, such as 90d"))
	if err != nil {
		return 0, time.Time{}, err
	}
	d, err := parseLong(f.duration)
	if err == nil && (d < leastTransient || d > mostTransient) {
		err = errors.New("want 1h to 3650d")
	}
	if err != nil {
		return 0, time.Time{}, wrongUse(cmd, fmt.Errorf("--for %s: %w", f.duration, err))
	}
	return kind, time.Now().Add(d), nil
}

// parseLong reads Go's durations, and whole days and weeks.
func parseLong(s string) (time.Duration, error) {
	for unit, size := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			if n, err := strconv.ParseUint(number, 10, 16); err == nil {
				return time.Duration(n) * size, nil
			}
		}
	}
	d, err := time.ParseDuration(s)
	if err != nil {
		return 0, errors.New("want a number with its unit, such as 90d, 2w or 36h")
	}
	return d, nil
}

// transientKeys are new keys that own permits.
func transientKeys(own *i2p.Keys, kind i2p.SigType, expires time.Time) (*i2p.Keys, error) {
	fresh, err := i2p.GenerateKeysOf(kind)
	if err != nil {
		return nil, err
	}
	offline, err := i2p.SignOffline(own, fresh.Destination.SigningKey(), expires)
	if err != nil {
		return nil, err
	}
	return &i2p.Keys{Destination: own.Destination, Encryption: own.Encryption, Signing: fresh.Signing, Offline: offline}, nil
}

func keyOfflineCommand() *cobra.Command {
	var (
		f      transientFlags
		format formatFlag
	)
	cmd := &cobra.Command{
		Use:   "offline OWN NEW --for TIME",
		Short: "Make a transient key, so that the Destination's own can stay offline",
		Long: `Offline makes a transient key, signs it with the Destination's own key in OWN for a
time, and writes both to NEW, which is then all that a server needs: OWN can stay on a
machine without a network. If NEW is stolen it is good until it ends and no longer; it
cannot be taken back before.

Routers must take sessions that such keys sign: over I2CP Java I2P does, and i2pd does
not, so "onelease sam" can serve them on Java I2P only. A cluster wants the Destination's
own key, which it keeps sealed: there only balancers have it, and backends get transient
keys by themselves.`,
		Example: `  onelease key offline site.dat site-2027.dat --for 90d
  onelease key offline site.dat site-2027.b64 --for 90d --format base64`,
		Args: twoArgs("file with the Destination's own key", "new file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, expires, err := f.check(cmd)
			form, formatErr := format.get(cmd)
			if err := cmp.Or(err, formatErr); err != nil {
				return err
			}
			own, err := ownKeys(args[0])
			if err != nil {
				return err
			}
			keys, err := transientKeys(own, kind, expires)
			if err != nil {
				return err
			}
			if err := i2p.WriteKeyFile(args[1], keys, form); err != nil {
				return err
			}
			return f.json.show(cmd, keyViewOf(args[1], keys, form))
		},
	}
	f.add(cmd)
	format.add(cmd, i2p.KeyBinary)
	return cmd
}

func keyRotateCommand() *cobra.Command {
	var (
		f   transientFlags
		own string
	)
	cmd := &cobra.Command{
		Use:   "rotate FILE --own OWN --for TIME",
		Short: "Replace the transient key in a file by a new one",
		Long: `Rotate makes a new transient key, as "onelease key offline" does, and puts it in the
place of the one in FILE, at once. The address stays. The old key goes on to be good where
it was copied to, until its end. The programs that use FILE must be started again.

It is about signing keys alone. The key that LeaseSets carry for encryption is another: a
cluster begins a new epoch of it after a loss if its policy says so ("onelease cluster
policy set --rotation"), and never else.`,
		Example: `  onelease key rotate site-2027.dat --own /media/stick/site.dat --for 90d`,
		Args:    oneArg("file with a transient key"),
		RunE: func(cmd *cobra.Command, args []string) error {
			kind, expires, err := f.check(cmd)
			if err := cmp.Or(err, need(cmd, "own", "name the file with the Destination's own key")); err != nil {
				return err
			}
			old, form, err := readAnyKeys(cmd, args[0])
			if err != nil {
				return err
			}
			keys, err := rotated(args[0], old, own, kind, expires)
			if err != nil {
				return err
			}
			if err := i2p.ReplaceKeyFile(args[0], keys, form); err != nil {
				return err
			}
			return f.json.show(cmd, keyViewOf(args[0], keys, form))
		},
	}
	f.add(cmd)
	cmd.Flags().StringVar(&own, "own", "", "`file` with the Destination's own key")
	return cmd
}

// rotated are the keys that take the place of old ones, in path.
func rotated(path string, old *i2p.Keys, own string, kind i2p.SigType, expires time.Time) (*i2p.Keys, error) {
	if old.Offline == nil {
		return nil, fmt.Errorf("%s has a Destination's own key, which is its address: it cannot be replaced; make a transient one with onelease key offline", path)
	}
	master, err := ownKeys(own)
	if err != nil {
		return nil, err
	}
	if !sameDestination(master, old) {
		return nil, fmt.Errorf("%s is of %s, and %s of %s: give the own key of the same Destination", path, old, own, master)
	}
	return transientKeys(master, kind, expires)
}
