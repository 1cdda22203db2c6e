package guest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/onelease/onelease/i2p/sam"
)

// lookupTime is how long a router may look for a name.
const lookupTime = 30 * time.Second

// maxName is the longest name that can be looked up, in bytes.
const maxName = 255

// lookup resolves a name for l's backend.
func (l *line) lookup(st stream) error {
	name, err := readName(st)
	if err != nil {
		return err
	}
	if l.server.cfg.Lookup == nil {
		return refuse(resultRefused, "this frontend looks nothing up")
	}
	ctx, cancel := context.WithTimeout(l.server.ctx, lookupTime)
	defer cancel()
	st.SetDeadline(time.Time{})
	dest, err := l.server.cfg.Lookup(ctx, name)
	switch {
	case errors.Is(err, sam.ResultKeyNotFound), errors.Is(err, ErrUnknown):
		return refuse(resultUnknown, "the router does not know the name")
	case err != nil:
		return err
	}
	_, err = st.Write(appendReply(nil, resultOK, string(dest.Bytes())))
	return err
}

// readName reads length 1 | name.
func readName(r io.Reader) (string, error) {
	var b [1 + maxName]byte
	if _, err := io.ReadFull(r, b[:1]); err != nil {
		return "", err
	}
	name := b[1 : 1+int(b[0])]
	_, err := io.ReadFull(r, name)
	return string(name), err
}

// appendName appends what readName reads; a name is not longer than maxName.
func appendName(b []byte, name string) []byte {
	return append(append(b, byte(len(name))), name...)
}
