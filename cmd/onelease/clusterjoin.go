package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/internal/pki"
)

// maxToken is more than any token has, in bytes.
const maxToken = 64 << 10

func joinCommand() *cobra.Command {
	var (
		cfg       cluster.JoinConfig
		tokenFile string
		timeout   time.Duration
	)
	cmd := &cobra.Command{
		Use:   "join --dir NEWDIR [--token-file FILE]",
		Short: "Join a cluster with a token, and make the node's directory",
		Long: `Join trades a token, made by "onelease cluster invite", for a certificate, and makes
the directory of the node that the token is for. It knows the cluster by the
fingerprint of its CA in the token, and refuses another.

The token is read from --token-file, or from stdin. It is no argument, since every
user of a machine can read the command lines of all its processes, and shells keep
them: whoever had it first would be the node.

A balancer needs --address, where the others reach it. It becomes a member of the
cluster when it is first run.`,
		Example: `  onelease cluster join --dir /var/lib/onelease/b2 --address 10.0.0.2:7660 --token-file b2.token
  ssh b1 onelease cluster invite --dir b1 --role frontend --name router-1 | onelease cluster join --dir router-1`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := need(cmd, "dir", "name a new directory for the node"); err != nil {
				return err
			}
			if cfg.Token, err = readToken(cmd, tokenFile); err != nil {
				return err
			}
			if err := checkJoin(cmd, cfg); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(cmd.Context(), timeout)
			defer cancel()
			if err := cluster.Join(ctx, cfg); err != nil {
				return err
			}
			sayJoin(cmd, cfg)
			return nil
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.Dir, "dir", "", "new `directory` for the node")
	flags.StringVar(&tokenFile, "token-file", "", "`file` with the token; stdin if not given")
	flags.StringVar(&cfg.Address, "address", "", "for a balancer: `host:port` at which the others reach it")
	flags.DurationVar(&timeout, "timeout", 30*time.Second, "how long to try")
	return cmd
}

// readToken reads the token from the file, or from stdin if that is "".
func readToken(cmd *cobra.Command, path string) (*pki.Token, error) {
	text, err := tokenText(cmd, path)
	if err != nil {
		return nil, fmt.Errorf("token: %w", err)
	}
	if text == "" {
		return nil, errors.New("token: there is none on stdin: pipe it in, or give --token-file")
	}
	return pki.ParseToken(text)
}

func tokenText(cmd *cobra.Command, path string) (string, error) {
	if path == "" && atTerminal() {
		text, err := prompt(cmd, "Token: ")
		return string(text), err
	}
	in := cmd.InOrStdin()
	if path != "" {
		f, err := os.Open(path)
		if err != nil {
			return "", err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxToken))
	return string(text), err
}

func checkJoin(cmd *cobra.Command, cfg cluster.JoinConfig) error {
	role := cfg.Token.Node.Role
	switch {
	case role == pki.Balancer && cfg.Address == "":
		return need(cmd, "address", "the token is for a balancer: say host:port at which the others reach it")
	case role != pki.Balancer && cfg.Address != "":
		return wrongUse(cmd, fmt.Errorf("--address %s: the token is for a %s, and only balancers are connected to", cfg.Address, role))
	}
	return nil
}

func sayJoin(cmd *cobra.Command, cfg cluster.JoinConfig) {
	node := cfg.Token.Node
	fmt.Fprintf(cmd.OutOrStdout(), "Joined as %s %s; its directory is %s.\n", node.Role, node.Name, cfg.Dir)
	next := ""
	switch node.Role {
	case pki.Balancer:
		next = "onelease balancer --dir " + cfg.Dir
	case pki.Frontend:
		next = "onelease frontend --dir " + cfg.Dir + " --router 127.0.0.1:7654"
	case pki.Backend:
		next = "onelease backend --dir " + cfg.Dir + " --frontend NAME=HOST:PORT --run PLUGIN"
	case pki.Guest:
		next = "onelease sam --dir " + cfg.Dir + " --frontend NAME=HOST:PORT"
	case pki.Operator:
		next = "onelease cluster members --dir " + cfg.Dir
	}
	fmt.Fprintf(cmd.OutOrStdout(), "Next:\n  %s\n", next)
}
