package i2pd

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// lossRules drop what arrives for the routers' own addresses; the bridges' are
// others. Dropping on the way out would be an error that the sender sees.
const lossRules = `table ip onelease_loss
delete table ip onelease_loss
table ip onelease_loss {
	chain input {
		type filter hook input priority 0
		ip daddr 30.0.0.0/8 numgen random mod 100 < %d drop
	}
}
`

// Lose has so many percent of all packets between routers get lost, from now on,
// in the namespace of this test process. It needs nft, Debian's nftables. (Netem,
// which could delay as well, is not in every kernel.)
func (n *Network) Lose(ctx context.Context, percent int) error {
	cmd := exec.CommandContext(ctx, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(fmt.Sprintf(lossRules, percent))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("lose packets between routers: nft: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}
