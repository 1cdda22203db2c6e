package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/plugins/sambridge"
)

// maxPassword bounds what is read of a password's file, in bytes.
const maxPassword = 4096

func samUserCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "user",
		Short: "Make and change the file of a SAM bridge's users",
		Long: `User changes the file that --users of "onelease sam" names, while no bridge uses it: a
bridge that runs is told by SAM's own AUTH ADD and AUTH REMOVE, by an administrator. The first
user in a file is one. Passwords are not in it, only what can tell a right one.`,
		Example: `  onelease sam user add alice --users sam.users           # asks for the password
  onelease sam user list --users sam.users`,
	}
	return group(cmd, samUserAddCommand(), samUserRemoveCommand(), samUserListCommand())
}

// usersFlag names the file, which all of these need.
func usersFlag(cmd *cobra.Command) *string {
	return cmd.Flags().String("users", "", "`file` with the users")
}

// openUsers opens it.
func openUsers(cmd *cobra.Command, path string) (*sambridge.Users, error) {
	if err := need(cmd, "users", "name the file with the users"); err != nil {
		return nil, err
	}
	return sambridge.OpenUsers(path)
}

func samUserAddCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "add NAME --users FILE",
		Short: "Add a user",
		Long: `Add adds a user. The password is typed at a prompt, or comes from stdin or a file that only
its owner may read: never from the command line, which others can read.`,
		Example: `  onelease sam user add alice --users sam.users
  onelease sam user add bob --users sam.users < password`,
		Args: oneArg("user's name"),
	}
	path := usersFlag(cmd)
	file := cmd.Flags().String("password-file", "", "`file` with the password")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		users, err := openUsers(cmd, *path)
		if err != nil {
			return err
		}
		password, err := readPassword(cmd, *file)
		if err != nil {
			return err
		}
		defer clear(password)
		return users.Add(args[0], string(password))
	}
	return cmd
}

// readPassword reads one from the file, or from stdin, or asks for it twice.
func readPassword(cmd *cobra.Command, path string) ([]byte, error) {
	in := cmd.InOrStdin()
	switch {
	case path != "":
		f, err := os.Open(path)
		if err == nil {
			defer f.Close()
			err = i2p.CheckKeyFile(path)
		}
		if err != nil {
			return nil, fmt.Errorf("password: %w", err)
		}
		in = f
	case atTerminal():
		return askTwice(cmd)
	}
	text, err := io.ReadAll(io.LimitReader(in, maxPassword))
	if err != nil {
		return nil, fmt.Errorf("password: %w", err)
	}
	return bytes.TrimRight(text, "\r\n"), nil
}

func askTwice(cmd *cobra.Command) ([]byte, error) {
	text, err := prompt(cmd, "Password: ")
	if err != nil {
		return nil, err
	}
	again, err := prompt(cmd, "The same again: ")
	if err != nil {
		return nil, err
	}
	defer clear(again)
	if !bytes.Equal(text, again) {
		return nil, errors.New("the two passwords differ: nothing was changed, try again")
	}
	return text, nil
}

func samUserRemoveCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "remove NAME --users FILE",
		Short:   "Remove a user",
		Long:    `Remove removes a user. The only administrator cannot be removed while there are others.`,
		Example: `  onelease sam user remove alice --users sam.users`,
		Args:    oneArg("user's name"),
	}
	path := usersFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		users, err := openUsers(cmd, *path)
		if err != nil {
			return err
		}
		return users.Remove(args[0])
	}
	return cmd
}

func samUserListCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "list --users FILE",
		Short:   "Print the users' names",
		Long:    `List prints the names of the users in the file, one on a line.`,
		Example: `  onelease sam user list --users sam.users`,
		Args:    noArgs,
	}
	path := usersFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		users, err := openUsers(cmd, *path)
		if err != nil {
			return err
		}
		for _, name := range users.Names() {
			fmt.Fprintln(cmd.OutOrStdout(), name)
		}
		return nil
	}
	return cmd
}
