package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/i2p"
)

func keygenCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "keygen FILE",
		Short: "Make the keys of a new Destination, and print its address",
		Long: `Keygen makes a Destination (Ed25519) and writes its private keys to a new file that only you
may read, in the form that i2pd and Java I2P use as well (.dat, eepPriv.dat). It prints the
b32 address. Whoever has the file is the Destination, and there is no other copy: keep
one somewhere safe and offline.`,
		Example: `  onelease keygen site.dat
  onelease cluster init --dir b1 --name b1 --address 10.0.0.1:7660 --keys site.dat`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := i2p.GenerateKeys()
			if err != nil {
				return err
			}
			if err := i2p.WriteKeyFile(args[0], keys, i2p.KeyBinary); err != nil {
				return err
			}
			_, err = fmt.Fprintln(cmd.OutOrStdout(), keys.Destination.Base32())
			return err
		},
	}
}
