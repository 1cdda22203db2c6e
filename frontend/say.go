package frontend

import "github.com/onelease/onelease/balancer/controlpb"

// begin notes who leads, and what a new leader has to hear.
func (c *control) begin(leader string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.attached, c.replies = leader, nil
	c.pool, c.unsaid = true, c.ask != nil
}

func (c *control) attachedTo() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.attached
}

// poolChanged has the pool reported.
func (c *control) poolChanged() {
	c.mu.Lock()
	c.pool = true
	c.mu.Unlock()
	c.kick()
}

// reply says m to the leader that asked for it; if that is gone, to nobody.
func (c *control) reply(m *controlpb.FrontendMessage) {
	c.mu.Lock()
	if c.attached != "" {
		c.replies = append(c.replies, m)
	}
	c.mu.Unlock()
	c.kick()
}

func (c *control) kick() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// askSession asks every leader from now on for a signed session configuration,
// until one comes by the channel or stopAsking.
func (c *control) askSession(m *controlpb.SessionRequest) <-chan []byte {
	c.mu.Lock()
	select {
	case <-c.answer: // of an earlier time
	default:
	}
	c.ask, c.unsaid = m, true
	c.mu.Unlock()
	c.kick()
	return c.answer
}

func (c *control) stopAsking() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ask = nil
}

// answered passes on a session configuration that somebody still waits for.
func (c *control) answered(config []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ask != nil {
		c.ask = nil
		c.answer <- config // has room: askSession has emptied it
	}
}

// take returns what is to be said now.
func (c *control) take() []*controlpb.FrontendMessage {
	c.mu.Lock()
	pool, ask := c.pool, c.ask
	if !c.unsaid {
		ask = nil
	}
	messages := c.replies
	c.pool, c.unsaid, c.replies = false, false, nil
	c.mu.Unlock()
	if pool {
		messages = append(messages, &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_Pool{Pool: c.events.pool()}})
	}
	if ask != nil {
		messages = append(messages, &controlpb.FrontendMessage{Kind: &controlpb.FrontendMessage_SessionRequest{SessionRequest: ask}})
	}
	return messages
}
