package sambridge

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
)

func base64Of(b []byte) string { return i2p.Base64.WithPadding(base64.StdPadding).EncodeToString(b) }

// What a client is told of a datagram that cannot be sent; it goes on.
func TestDatagramsRefused(t *testing.T) {
	w := newWorld(t, nil)
	clients := w.sessions("STYLE=DATAGRAM ID=d", "STYLE=RAW ID=r")
	none := w.hello()
	to := " DESTINATION=" + w.of("d")
	for name, c := range map[string]struct {
		client     *client
		line, want string
	}{
		"no session":    {none, "DATAGRAM SEND SIZE=1" + to, `DATAGRAM STATUS RESULT=I2P_ERROR MESSAGE="no session*`},
		"raw":           {clients["d"], "RAW SEND SIZE=1" + to, `RAW STATUS RESULT=I2P_ERROR MESSAGE="this is a session with STYLE=DATAGRAM"`},
		"not raw":       {clients["r"], "DATAGRAM SEND SIZE=1" + to, `DATAGRAM STATUS RESULT=I2P_ERROR MESSAGE="this is a session with STYLE=RAW"`},
		"no receiver":   {clients["d"], "DATAGRAM SEND SIZE=1", `DATAGRAM STATUS RESULT=INVALID_KEY MESSAGE="DESTINATION is missing"`},
		"bad base64":    {clients["d"], "DATAGRAM SEND SIZE=1 DESTINATION=" + strings.Repeat("!", 516), "DATAGRAM STATUS RESULT=INVALID_KEY*"},
		"bad b32":       {clients["d"], "DATAGRAM SEND SIZE=1 DESTINATION=a.b32.i2p", "DATAGRAM STATUS RESULT=INVALID_KEY*"},
		"not a name":    {clients["d"], "DATAGRAM SEND SIZE=1 DESTINATION=example.com", "DATAGRAM STATUS RESULT=INVALID_KEY*"},
		"bad port":      {clients["d"], "DATAGRAM SEND SIZE=1 FROM_PORT=65536" + to, "DATAGRAM STATUS RESULT=I2P_ERROR*"},
		"bad tags":      {clients["d"], "DATAGRAM SEND SIZE=1 SEND_TAGS=x" + to, "DATAGRAM STATUS RESULT=I2P_ERROR*"},
		"bad boolean":   {clients["d"], "DATAGRAM SEND SIZE=1 SEND_LEASESET=x" + to, "DATAGRAM STATUS RESULT=I2P_ERROR*"},
		"streams":       {clients["r"], "RAW SEND SIZE=1 PROTOCOL=6" + to, "RAW STATUS RESULT=I2P_ERROR*"},
		"a datagram2":   {clients["r"], "RAW SEND SIZE=1 PROTOCOL=19" + to, "RAW STATUS RESULT=I2P_ERROR*"},
		"protocol 256":  {clients["r"], "RAW SEND SIZE=1 PROTOCOL=256" + to, "RAW STATUS RESULT=I2P_ERROR*"},
		"too large":     {clients["d"], "DATAGRAM SEND SIZE=40000" + to, `DATAGRAM STATUS RESULT=I2P_ERROR MESSAGE=*`},
		"raw too large": {clients["r"], "RAW SEND SIZE=65536" + to, `RAW STATUS RESULT=I2P_ERROR MESSAGE="65536 bytes are too many*`},
	} {
		var size int
		fmt.Sscanf(c.line[strings.Index(c.line, "SIZE="):], "SIZE=%d", &size)
		c.client.say(c.line)
		if _, err := c.client.Write(make([]byte, size)); err != nil {
			t.Fatal(err)
		}
		if got := c.client.line(); !matches(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
		c.client.talk("PING", "PONG")
	}
	for _, size := range []string{"", " SIZE=0", " SIZE=65537", " SIZE=x", " SIZE=99999999999999999999"} {
		c := w.hello()
		c.talk("RAW SEND"+size+to, `RAW STATUS RESULT=I2P_ERROR MESSAGE="RAW SEND needs SIZE=n*`)
		c.ends()
	}
}

// Sessions of datagrams that cannot be; the connection goes on.
func TestDatagramSessionsRefused(t *testing.T) {
	w := newWorld(t, withPackets)
	c := w.hello()
	for _, words := range []string{
		"STYLE=RAW PROTOCOL=6", "STYLE=RAW PROTOCOL=17", "STYLE=RAW PROTOCOL=19", "STYLE=RAW PROTOCOL=20",
		"STYLE=DATAGRAM PORT=9 HOST=10.0.0.1", "STYLE=DATAGRAM PORT=9 HOST=example.com", "STYLE=RAW PORT=65536",
	} {
		c.talk("SESSION CREATE ID=x DESTINATION=TRANSIENT "+words, "SESSION STATUS RESULT=I2P_ERROR MESSAGE=*")
	}
	c.talk("SESSION CREATE ID=x DESTINATION=TRANSIENT STYLE=RAW PORT=9 HOST=::1", "SESSION STATUS RESULT=OK*")
}

// A session of a user with a password is used by UDP only from where its own datagrams go.
func TestUDPOfUsers(t *testing.T) {
	users := new(Users)
	if err := users.Add("alice", "secret"); err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, func(c *Config) { withPackets(c); c.Users = users })
	own, other := w.mailbox(), w.mailbox()
	c := w.connect()
	c.talk("HELLO VERSION USER=alice PASSWORD=secret", "HELLO REPLY RESULT=OK*")
	c.talk(fmt.Sprint("SESSION CREATE STYLE=RAW ID=a DESTINATION=TRANSIENT PORT=", own.port()), "SESSION STATUS RESULT=OK*")
	to := w.bridge.sessions.find("alice", "a").Hosted.Keys().Destination.Base64()
	other.send("3.3 a " + to + "\nstolen")
	w.until("another's is refused", func() bool { return w.bridge.Status().BadDatagrams == 1 })
	own.send("3.3 a " + to + "\nown")
	w.until("its own is sent", func() bool { return w.bridge.Status().SentDatagrams == 1 })
	c.Close()
	w.until("the session has ended", func() bool {
		w.bridge.udp.mu.Lock()
		defer w.bridge.udp.mu.Unlock()
		return len(w.bridge.udp.forwards) == 0
	})
}
