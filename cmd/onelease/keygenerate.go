package main

import (
	"cmp"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/internal/vanity"
)

// A generateFlags is what the command takes.
type generateFlags struct {
	kind   typeFlag
	format formatFlag
	vanity string
	json   jsonFlag
}

func keyGenerateCommand() *cobra.Command {
	var f generateFlags
	cmd := &cobra.Command{
		Use:   "generate FILE",
		Short: "Make the keys of a new Destination, and print its address",
		Long: `Generate makes a Destination and writes its private keys to a new file that only you may
read. It prints the b32 address. There is no other copy: keep one somewhere safe and
offline. Ed25519, which it makes, is what clusters serve; other types are for programs
that need them.

--vanity looks for an address that begins with some characters, of a-z and 2-7, on all
cores: on two, four characters take less than a second, six take a minute, and each more 32
times as long. What it tries are other bytes in a part of the Destination that nobody
uses, so the keys are as strong as others. What it says is left is an average, and does not
shrink: a search has no memory. Interrupted, it writes nothing.`,
		Example: `  onelease key generate site.dat
  onelease key generate site.dat --vanity shop
  onelease cluster init --dir b1 --name b1 --address 10.0.0.1:7660 --keys site.dat`,
		Args: oneArg("file"),
		RunE: func(cmd *cobra.Command, args []string) error { return f.run(cmd, args[0]) },
	}
	f.kind.add(cmd)
	f.format.add(cmd, i2p.KeyBinary)
	cmd.Flags().StringVar(&f.vanity, "vanity", "", "`characters` that the address is to begin with")
	f.json.add(cmd)
	return cmd
}

func (f *generateFlags) run(cmd *cobra.Command, path string) error {
	kind, kindErr := f.kind.get(cmd)
	format, formatErr := f.format.get(cmd)
	var search *vanity.Search
	var searchErr error
	if cmd.Flags().Changed("vanity") {
		search, searchErr = vanity.New(f.vanity)
	}
	err := cmp.Or(kindErr, formatErr, misuse(cmd, searchErr, vanity.ErrPrefix), vacant(path))
	if err != nil {
		return err
	}
	keys, err := i2p.GenerateKeysOf(kind)
	if err == nil && search != nil {
		keys, err = findVanity(cmd, search, keys)
	}
	if err != nil {
		return err
	}
	if err := i2p.WriteKeyFile(path, keys, format); err != nil {
		return err
	}
	if f.json.on {
		return f.json.show(cmd, keyViewOf(path, keys, format))
	}
	_, err = fmt.Fprintln(cmd.OutOrStdout(), keys.Destination.Base32())
	return err
}
