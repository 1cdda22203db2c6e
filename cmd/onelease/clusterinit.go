package main

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/balancer/keystore"
	"github.com/onelease/onelease/i2p"
)

func initCommand() *cobra.Command {
	var (
		cfg      cluster.InitConfig
		keys     string
		secret   secretFlags
		unstored bool
	)
	cmd := &cobra.Command{
		Use:   "init --dir DIR --name NAME --address HOST:PORT --keys FILE",
		Short: "Make a new cluster and the directory of its first balancer",
		Long: `Init makes the cluster's CA, and in --dir the first balancer of a cluster that
serves one Destination: the one in --keys, a private key file of i2pd (.dat), of
Java I2P (eepPriv.dat), or SAM's base64. Nobody but its owner may read that file.
Keep it, or a copy, somewhere safe and offline: whoever has it is the Destination.

The keys are sealed in the directory, and further balancers get the sealed file
when they join; all are opened by the same passphrase or identity. The CA's key is
sealed by the Destination's, so who has the directory alone lets nobody in.
` + secretHelp + `
With --no-stored-keys they are written nowhere, and each balancer is given them by
"onelease cluster unlock" after each start.

--address is where the other balancers, the frontends and the operators reach this
one. With --expect 3 nobody leads, and so nothing is signed, before three
balancers have a vote.`,
		Example: `  onelease cluster init --dir /var/lib/onelease/b1 --name b1 --address 10.0.0.1:7660 --keys site.dat
  onelease cluster init --dir b1 --name b1 --address b1.example.org:7660 --keys site.dat --identity-file age.key
  onelease cluster init --dir b1 --name b1 --address 10.0.0.1:7660 --keys site.dat --no-stored-keys`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := needInit(cmd); err != nil {
				return err
			}
			if cfg.Keys, err = readKeys(keys); err != nil {
				return err
			}
			if err := cfg.Check(); err != nil {
				return misuse(cmd, err, cluster.ErrInvalid)
			}
			if cfg.Secret, err = newSecret(cmd, secret, unstored); err != nil {
				return err
			}
			if err := cluster.Init(cfg); err != nil {
				return err
			}
			sayInit(cmd, cfg)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.Dir, "dir", "", "new `directory` for the balancer")
	flags.StringVar(&cfg.ID, "name", "", "the balancer's `name`: 1 to 64 of a-z 0-9 . - _")
	flags.StringVar(&cfg.Address, "address", "", "`host:port` at which the others reach it")
	flags.StringVar(&keys, "keys", "", "the Destination's private key `file`")
	flags.BoolVar(&unstored, "no-stored-keys", false, "do not store the keys: unlock each balancer after each start")
	flags.IntVar(&cfg.Expect, "expect", 1, "how many balancers must have a vote before any leads")
	secret.add(cmd)
	return cmd
}

func needInit(cmd *cobra.Command) error {
	return cmp.Or(
		need(cmd, "dir", "name a new directory for the balancer"),
		need(cmd, "name", "give the balancer a name, such as b1"),
		need(cmd, "address", "say host:port at which the others reach it"),
		need(cmd, "keys", "name the Destination's private key file"),
	)
}

// readKeys refuses a file that others may read: what is in it is the
// Destination.
func readKeys(path string) (*i2p.Keys, error) {
	keys, err := i2p.ReadKeyFile(path)
	if err != nil {
		return nil, err
	}
	return keys, i2p.CheckKeyFile(path)
}

// newSecret is what the keys are to be sealed with, nil if they are not to be
// stored.
func newSecret(cmd *cobra.Command, flags secretFlags, unstored bool) (*keystore.Secret, error) {
	secret, err := flags.read(cmd)
	switch {
	case err != nil:
		return nil, err
	case secret != nil && unstored:
		return nil, wrongUse(cmd, errors.New("--no-stored-keys and a secret to seal them with: give one of them"))
	case secret != nil || unstored:
		return secret, nil
	case !atTerminal():
		return nil, wrongUse(cmd, errors.New("nothing to seal the keys with, and no terminal to ask at: give --passphrase-file, --passphrase-fd, --identity-file or --no-stored-keys"))
	}
	return askNewPassphrase(cmd)
}

func sayInit(cmd *cobra.Command, cfg cluster.InitConfig) {
	stored := "sealed in it"
	if cfg.Secret == nil {
		stored = "not stored: unlock the balancer after each start with onelease cluster unlock"
	}
	fmt.Fprintf(cmd.OutOrStdout(), `Made balancer %s in %s.
Destination: %s
Its keys:    %s

Next, run it:
  onelease balancer --dir %[2]s
and invite others, balancers and frontends:
  onelease cluster invite --dir %[2]s --role balancer --name NAME
  onelease cluster invite --dir %[2]s --role frontend --name NAME
`, cfg.ID, cfg.Dir, cfg.Keys.Destination.Base32(), stored)
}
