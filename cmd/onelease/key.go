package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/i2p"
)

func keyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "key",
		Short: "Make, show, convert and sign for the keys of Destinations",
		Long: `Key works on key files: the private keys of one Destination each, in the form of i2pd
(.dat) and Java I2P (eepPriv.dat), which is the same, or in SAM's base64. All commands
that take a key file read either.

Whoever has such a file is the Destination, for good. New files are readable by you
alone, and nothing is ever written over one; only "onelease key rotate" replaces a
file, of transient keys. What is printed is never private, unless "onelease key export
--output -" asks for that.`,
		Example: `  onelease key generate site.dat --vanity shop     # a new Destination
  onelease key import /var/lib/i2pd/site.dat site.dat
  onelease key show site.dat`,
	}
	return group(cmd, keyGenerateCommand(), keyImportCommand(), keyExportCommand(), keyShowCommand(), keyOfflineCommand(), keyRotateCommand())
}

// formats are the values of --format.
var formats = map[string]i2p.KeyFormat{i2p.KeyBinary.String(): i2p.KeyBinary, i2p.KeyBase64.String(): i2p.KeyBase64}

// A formatFlag is the form that a key file is written in.
type formatFlag struct{ name string }

func (f *formatFlag) add(cmd *cobra.Command, preset i2p.KeyFormat) {
	cmd.Flags().StringVar(&f.name, "format", preset.String(), "`form` of the new file: dat, of i2pd and Java I2P, or base64, of SAM")
}

func (f *formatFlag) get(cmd *cobra.Command) (i2p.KeyFormat, error) {
	return formats[f.name], oneOf(cmd, "format", f.name, "dat", "base64")
}

// A typeFlag is the type of a new signing key.
type typeFlag struct{ name string }

func (f *typeFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.name, "type", i2p.SigEd25519.Code(), "signature `type` of the new key, by its name or number in I2P, such as ECDSA_SHA256_P256")
}

// get is one that can be made and used; Ed25519ph is for signing files.
func (f *typeFlag) get(cmd *cobra.Command) (i2p.SigType, error) {
	t, err := i2p.ParseSigType(f.name)
	if err != nil || t == i2p.SigEd25519ph {
		return 0, wrongUse(cmd, fmt.Errorf("--type %q: want EdDSA_SHA512_Ed25519, or where a program needs it ECDSA_SHA256_P256, another of I2P's, or its number", f.name))
	}
	return t, nil
}

// twoArgs wants exactly two arguments, a first and a second.
func twoArgs(first, second string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		switch len(args) {
		case 0:
			return wrongUse(cmd, fmt.Errorf("no %s given, and no %s", first, second))
		case 1:
			return wrongUse(cmd, fmt.Errorf("no %s given", second))
		case 2:
			return nil
		}
		return wrongUse(cmd, fmt.Errorf("unexpected argument %q: one %s and one %s are wanted", args[2], first, second))
	}
}

// ownKeys are keys that can permit transient ones.
func ownKeys(path string) (*i2p.Keys, error) {
	keys, err := readKeys(path)
	if err == nil && keys.Offline != nil {
		err = fmt.Errorf("key file %s has a transient key, which cannot permit another: give the file with the Destination's own key", path)
	}
	return keys, err
}

// vacant refuses a path where something is, and a directory where nothing can be
// written, before work is done that would be lost.
func vacant(path string) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: give another name, or move that file away first", path)
	}
	probe, err := os.CreateTemp(dirOf(path), ".new-*")
	if err != nil {
		return fmt.Errorf("nothing can be written there: %w", err)
	}
	return errors.Join(probe.Close(), os.Remove(probe.Name()))
}

// readAnyKeys reads a key file whoever may read it, or stdin for "-".
func readAnyKeys(cmd *cobra.Command, path string) (*i2p.Keys, i2p.KeyFormat, error) {
	var in io.Reader
	if path == "-" {
		in, path = cmd.InOrStdin(), "on stdin"
	} else {
		f, err := os.Open(path)
		if err != nil {
			return nil, 0, fmt.Errorf("read key file: %w", err)
		}
		defer f.Close()
		in = f
	}
	keys, format, err := i2p.ReadKeys(in)
	if err != nil {
		return nil, 0, fmt.Errorf("key file %s: %w", path, err)
	}
	return keys, format, nil
}

// sameDestination reports whether both are keys of one Destination.
func sameDestination(a, b *i2p.Keys) bool {
	return bytes.Equal(a.Destination.Bytes(), b.Destination.Bytes())
}
