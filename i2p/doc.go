// Package i2p has the common structures of I2P: Destinations, hashes, keys,
// option mappings, leases and LeaseSets, each as bytes in and a value out.
//
// It does no I/O but for key files, and knows nothing of routers, of
// protocols above it or of the parts of Onelease.
//
//	keys, err := i2p.ReadKeyFile("site.dat") // or GenerateKeys and WriteKeyFile
//	fmt.Println(keys.Destination.Base32())   // ….b32.i2p
//	ls := &i2p.LeaseSet2{Destination: keys.Destination, ...}
//	signed, err := ls.Sign(keys)             // bytes for CreateLeaseSet2
//
// The formats are those of I2P's "Common structures" specification; where a
// comment names a section, that document is meant.
package i2p
