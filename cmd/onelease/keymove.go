package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/onelease/onelease/i2p"
)

func keyImportCommand() *cobra.Command {
	var (
		format formatFlag
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "import SOURCE FILE",
		Short: "Copy the keys of another program to a key file that only you may read",
		Long: `Import reads i2pd's .dat, Java I2P's eepPriv.dat, or SAM's base64 (the PRIV of DEST
GENERATE), checks that its keys belong together, and writes them to a new file that only
you may read. "-" reads stdin, which keeps them out of the command line.

The Destination stays what it was. Do not let the other program serve it at the same
time: two that publish take the LeaseSet from each other.`,
		Example: `  onelease key import /var/lib/i2pd/site.dat site.dat
  onelease key import - site.dat < site.b64`,
		Args: twoArgs("source", "new file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := format.get(cmd)
			if err != nil {
				return err
			}
			keys, _, err := readAnyKeys(cmd, args[0])
			if err != nil {
				return err
			}
			if err := i2p.WriteKeyFile(args[1], keys, form); err != nil {
				return err
			}
			if err := openToOthers(args[0]); err != nil {
				fmt.Fprintf(cmd.ErrOrStderr(), "Warning: %v\n", err)
			}
			return asJSON.show(cmd, keyViewOf(args[1], keys, form))
		},
	}
	format.add(cmd, i2p.KeyBinary)
	asJSON.add(cmd)
	return cmd
}

// openToOthers is i2p.CheckKeyFile for a file that there is.
func openToOthers(path string) error {
	if err := i2p.CheckKeyFile(path); errors.Is(err, i2p.ErrPermissions) {
		return err
	}
	return nil
}

func keyExportCommand() *cobra.Command {
	var (
		format formatFlag
		output string
		asJSON jsonFlag
	)
	cmd := &cobra.Command{
		Use:   "export FILE --output NEW",
		Short: "Write the private keys for another program",
		Long: `Export writes the private keys of a key file to a new file that only you may read, in
SAM's base64, or with --format dat as i2pd and Java I2P have them. FILE itself must be
readable by you alone.

--output - writes them to stdout, for a pipe, and refuses a terminal, where they would
stay on the screen.`,
		Example: `  onelease key export site.dat --output site.b64
  onelease key export site.b64 --format dat --output site.dat
  onelease key export site.dat --output - | age -p > site.age`,
		Args: oneArg("key file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			form, err := format.get(cmd)
			if err := cmp.Or(err, need(cmd, "output", "name a new file, or - for stdout")); err != nil {
				return err
			}
			keys, err := readKeys(args[0])
			if err != nil {
				return err
			}
			if output == "-" {
				return printKeys(cmd, keys, form)
			}
			if err := i2p.WriteKeyFile(output, keys, form); err != nil {
				return err
			}
			return asJSON.show(cmd, keyViewOf(output, keys, form))
		},
	}
	format.add(cmd, i2p.KeyBase64)
	cmd.Flags().StringVar(&output, "output", "", "the new `file`, or - for stdout")
	asJSON.add(cmd)
	return cmd
}

// printKeys writes what is secret to stdout, unless people would see it.
func printKeys(cmd *cobra.Command, keys *i2p.Keys, format i2p.KeyFormat) error {
	out := cmd.OutOrStdout()
	if f, ok := out.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		return wrongUse(cmd, errors.New("--output -: stdout is a terminal, where the private keys would stay on the screen; pipe it, or name a file"))
	}
	content := keys.Encode(format)
	defer clear(content)
	_, err := out.Write(content)
	return err
}
