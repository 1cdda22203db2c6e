//go:build onelease_nextformat

package ledger

// Version is that of a program to come, which test/cluster upgrades a cluster
// to. Nothing else is built with this tag.
const Version = 3

// What version 3 has, and no older one, stands for the first change that comes:
// invites for one more role.
func init() { inviteRoles["witness"] = Version }
