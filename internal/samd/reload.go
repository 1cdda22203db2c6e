package samd

import "errors"

// errTLS says what a bridge that runs cannot begin or end.
var errTLS = errors.New("to begin or end with --tls-cert start the bridge anew")

// errUsers is the same for users.
var errUsers = errors.New("to begin or end with --users, or to take another file, start the bridge anew")

// Reload reads the certificates and the users again. Either all of them change or nothing:
// an error leaves everything as it was. Connections that there are go on; who was removed
// gets no new ones.
func (b *Bridge) Reload(next Config) error {
	switch {
	case (next.TLSCert == "") != (b.cfg.TLSCert == ""):
		return errTLS
	case next.Users != b.cfg.Users:
		return errUsers
	}
	cert, err := next.certificate()
	if err != nil {
		return err
	}
	err = b.users.Reload(func() error {
		if b.cluster == nil {
			return nil
		}
		return b.cluster.Credentials().Reload()
	})
	if err == nil && cert != nil {
		b.cert.Store(cert)
	}
	return err
}
