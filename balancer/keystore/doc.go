// Package keystore keeps the Destination's signing key on a balancer: in a file
// that is encrypted with a passphrase or to an age identity, or in memory alone.
// It signs nothing, and sends nothing: that is for the balancer, with what Open
// or Memory.Keys returns.
//
//	secret, err := keystore.PassphraseFile("/etc/onelease/passphrase")
//	err = keystore.Create("destination.age", keys, secret) // at cluster init
//	keys, err := keystore.Open("destination.age", secret)  // at each start
//
// # The file
//
// destination.age is an age file (age-encryption.org/v1) of i2p.Keys.Bytes, so
// that `age --decrypt` opens it without this program. It is binary, not armored:
// every byte of it is authenticated, where armor has white space that is not.
// A further balancer gets it as it is, by ReadSealed and WriteSealed.
//
// With a passphrase, scrypt at 2^18 takes about a second and 256 MiB of memory,
// for each guess of a thief and for each Open.
//
// # Where the passphrase comes from
//
// From a file, a descriptor, or a prompt. Not from the command line, which every
// user of the machine can read, and which ends up in shell histories; not from
// the environment, which all child processes inherit, plugins among them, and
// which crash reports and container inspections show.
package keystore
