package main

import (
	"errors"
	"os"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/onelease/onelease/balancer/keystore"
)

// secretHelp is in the help of the commands that have a secretFlags.
const secretHelp = `A passphrase or an age identity seals the keys. It comes from a file that only its
owner may read, from an open descriptor, or is typed at a prompt: never from the
command line or the environment, which others can read.`

// A secretFlags says where what seals the Destination's keys comes from.
type secretFlags struct {
	passphraseFile string
	passphraseFD   int
	identityFile   string
}

func (s *secretFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&s.passphraseFile, "passphrase-file", "", "`file` with the passphrase that seals the keys")
	flags.IntVar(&s.passphraseFD, "passphrase-fd", -1, "open `descriptor` to read the passphrase from")
	flags.StringVar(&s.identityFile, "identity-file", "", "`file` with an age identity, as age-keygen writes it, in place of a passphrase")
}

// read returns nil if no flag is set.
func (s *secretFlags) read(cmd *cobra.Command) (*keystore.Secret, error) {
	if err := atMostOne(cmd, "passphrase-file", "passphrase-fd", "identity-file"); err != nil {
		return nil, err
	}
	set := cmd.Flags().Changed
	switch {
	case set("passphrase-file"):
		return keystore.PassphraseFile(s.passphraseFile)
	case set("passphrase-fd"):
		return keystore.PassphraseFD(s.passphraseFD)
	case set("identity-file"):
		return keystore.IdentityFile(s.identityFile)
	}
	return nil, nil
}

// atTerminal reports whether there is somebody to ask.
func atTerminal() bool { return term.IsTerminal(int(os.Stdin.Fd())) }

// askPassphrase asks for the passphrase of a file that there is.
func askPassphrase(cmd *cobra.Command) (*keystore.Secret, error) {
	text, err := prompt(cmd, "Passphrase of the Destination's keys: ")
	if err != nil {
		return nil, err
	}
	defer clear(text)
	return keystore.Passphrase(text)
}

// askNewPassphrase asks for one twice.
func askNewPassphrase(cmd *cobra.Command) (*keystore.Secret, error) {
	text, err := prompt(cmd, "New passphrase for the Destination's keys: ")
	if err != nil {
		return nil, err
	}
	defer clear(text)
	again, err := prompt(cmd, "The same again: ")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if string(text) != string(again) {
		return nil, errors.New("the two passphrases differ: nothing was made, try again")
	}
	return keystore.Passphrase(text)
}
