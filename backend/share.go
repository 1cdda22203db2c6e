package backend

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/internal/owner"
)

// A Host with a Name shares its Destination with other backends, behind the same
// frontends. These give each packet to one of them: what belongs to a stream to who
// chose its ID, which has the name in it, and what is new by its sender, so that a
// remote keeps to one backend as long as that takes new work.
//
// A remote may have streams with several all the same, some from before one came or
// went, and has one session with one router. So all must answer it by the same
// frontend: they choose alike (link.rank), and tell each other, through the frontend
// where it was, when a remote is heard by another one than before (SESSION HEARD).

// maxWeight is the greatest Config.Weight.
const maxWeight = owner.MaxWeight

var namePattern = regexp.MustCompile(`^[a-z0-9._-]{1,64}$`)

// checkName checks what is of use with a Name only, too.
func (c *Config) checkName() error {
	switch {
	case c.Name == "" && (c.Weight != 0 || c.Standby):
		return errors.New("field Weight or Standby is set without a Name: give each of several backends one")
	case c.Name != "" && !namePattern.MatchString(c.Name):
		return fmt.Errorf("field Name is %.80q: want 1 to 64 of a-z, 0-9, \".\", \"_\" and \"-\", unlike other backends' names", c.Name)
	case c.Weight < 0 || c.Weight > maxWeight:
		return fmt.Errorf("field Weight is %d: want 1 to %d, or 0 for 1", c.Weight, maxWeight)
	}
	return nil
}

// errOtherKey says that a frontend would not find the owner of our packets.
var errOtherKey = errors.New("the frontend has another key of stream IDs than others: start it anew")

// adoptKey takes the key of stream IDs that a frontend tells, or checks that it is
// the one of the others. One that tells none gives every backend all packets.
func (h *Host) adoptKey(client *sam.PacketClient) error {
	key := client.IDKey()
	if h.cfg.Name == "" || len(key) == 0 {
		return nil
	}
	if h.ids.Load() == nil {
		ids, err := owner.NewIDs(key)
		if err != nil {
			return err
		}
		h.ids.CompareAndSwap(nil, ids)
	}
	if !bytes.Equal(h.ids.Load().Key(), key) {
		return errOtherKey
	}
	return nil
}

// newID chooses the ID of a stream or a ping: with our tag, if frontends look for one.
func (h *Host) newID() uint32 {
	var random [4]byte
	rand.Read(random[:])
	if ids := h.ids.Load(); ids != nil {
		return ids.Join(owner.Tag(h.cfg.Name), binary.BigEndian.Uint16(random[:]))
	}
	return binary.BigEndian.Uint32(random[:])
}

// weightLocked is what frontends are told: nothing new is for us before something is
// there to take it.
func (h *Host) weightLocked() int {
	if !h.listens {
		return 0
	}
	return h.weight
}

// opened notes that a port is open: from now on there is something to do.
func (h *Host) opened() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.listens {
		h.listens = true
		h.tellWeightLocked()
	}
}

// SetWeight changes Config.Weight while the Host runs: new streams, and datagrams,
// come in proportion to it. With 0 none come, and those that are there go on. It is
// an error for a Host without a Name.
func (h *Host) SetWeight(weight int) error {
	switch {
	case h.cfg.Name == "":
		return fmt.Errorf("%w: a Host without a Name has no weight: set Config.Name", ErrConfig)
	case weight < 0 || weight > maxWeight:
		return fmt.Errorf("%w: weight %d: want 0 to %d", ErrConfig, weight, maxWeight)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.weight = weight
	h.tellWeightLocked()
	return nil
}

func (h *Host) tellWeightLocked() {
	for _, l := range h.links {
		if client := l.live.Load(); client != nil {
			h.tellWeightByLocked(client)
		}
	}
}

// tellWeightAgain is for frontends that took no line when the weight changed.
func (h *Host) tellWeightAgain() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, l := range h.links {
		if client := l.live.Load(); client != nil && client.Weight() != h.weightLocked() {
			h.tellWeightByLocked(client)
		}
	}
}

func (h *Host) tellWeightByLocked(client *sam.PacketClient) {
	if len(client.IDKey()) > 0 {
		client.SetWeight(h.weightLocked())
	}
}

// drainCheck is how often Drain looks.
const drainCheck = 100 * time.Millisecond

// Drain has new streams and datagrams go to other backends, and returns when all
// frontends know and no stream is left, or with the error of ctx. SetWeight undoes
// it. What the Host dials itself counts too.
func (h *Host) Drain(ctx context.Context) error {
	if err := h.SetWeight(0); err != nil {
		return err
	}
	ticker := time.NewTicker(drainCheck)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return fmt.Errorf("drain: %d streams are left: %w", h.Stats().Streams.Open, context.Cause(ctx))
		case <-h.stop:
			return nil
		case <-ticker.C:
			h.tellWeightAgain()
			if stack := h.stack(); h.saidWeight(0) && (stack == nil || stack.Stats().Open == 0) {
				return nil
			}
		}
	}
}

// saidWeight reports whether all frontends that are connected have confirmed it.
func (h *Host) saidWeight(weight int) bool {
	for _, l := range h.links {
		if client := l.live.Load(); client != nil && len(client.IDKey()) > 0 && client.Weight() != weight {
			return false
		}
	}
	return true
}

// tellBegan tells the other frontends of a SYN that came in by l and was taken, so
// that it is ours too if it comes again by one of them.
func (h *Host) tellBegan(l *link, p sam.Packet) {
	if h.cfg.Name == "" {
		return
	}
	c := owner.Of(p.Protocol, p.FromPort, p.ToPort, p.Data)
	if c.Kind != owner.Begins {
		return
	}
	remote := c.Hash()
	for _, other := range h.links {
		if client := other.live.Load(); other != l && client != nil && len(client.IDKey()) > 0 {
			client.Began(remote, c.ID)
		}
	}
}

// hearLocked is followLocked for what we heard ourselves: the others are told if that
// is news.
func (h *Host) hearLocked(r *remote, l *link, now time.Time) {
	came := r.came
	h.followLocked(r, l, now)
	client := l.live.Load()
	if h.cfg.Name == "" || r.came.Equal(came) || client == nil || len(client.IDKey()) == 0 {
		return
	}
	client.Heard(r.hash)
}

// toldHeard is told by l that another backend has heard a remote there.
func (h *Host) toldHeard(l *link, hash i2p.Hash) {
	now := time.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.followToldLocked(h.remotes.touch(hash, now, h.forgetLocked), l, now)
	if r := h.hearsay.byHash[hash]; r != nil {
		h.followToldLocked(r, l, now)
	}
}

// followToldLocked has r settle as others have it settle. If two backends first
// hear a remote by two frontends at once, and so tell each other, both go by rank.
func (h *Host) followToldLocked(r *remote, l *link, now time.Time) {
	if r.settlesLocked(l, now) {
		if l.rank(r.hash) < r.link.rank(r.hash) {
			return
		}
		r.came = time.Time{}
	}
	h.followLocked(r, l, now)
}
