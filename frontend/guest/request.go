package guest

import (
	"context"
	"fmt"
	"time"

	"github.com/hashicorp/yamux"
)

// request opens a stream that begins with h and with more, and reads the reply, for as
// long as patience or ctx lasts.
func (c *Client) request(ctx context.Context, session *yamux.Session, h header, more []byte, patience time.Duration) (stream, []byte, error) {
	opened, err := session.OpenStream()
	if err != nil {
		return stream{}, nil, fmt.Errorf("frontend %s: %w", c.cfg.Name, err)
	}
	st := stream{opened}
	stop := context.AfterFunc(ctx, func() { st.Close() })
	st.SetDeadline(time.Now().Add(patience))
	h.instance = c.instance
	var text []byte
	if _, err = st.Write(append(h.append(nil), more...)); err == nil {
		text, err = readReply(st)
	}
	if !stop() {
		err = ctx.Err()
	}
	if err != nil {
		st.Close()
		return stream{}, nil, fmt.Errorf("frontend %s: %w", c.cfg.Name, err)
	}
	st.SetDeadline(time.Time{})
	return st, text, nil
}
