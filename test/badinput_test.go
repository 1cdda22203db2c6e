package test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/onelease/onelease/i2p"
)

const (
	samHello   = "HELLO VERSION MIN=3.0 MAX=3.3\n"
	samSession = "SESSION CREATE STYLE=RAW ID=bad DESTINATION=TRANSIENT"
)

// TestBadSAM has SAM clients that do not speak SAM, one after the other.
func TestBadSAM(t *testing.T) {
	long, noise := strings.Repeat("x", 10<<20), make([]byte, 1<<20)
	rand.NewChaCha8([32]byte{}).Read(noise)
	whileServing(t, func(v *target) {
		other := newKeys(t).Destination.Base64()
		for _, test := range []struct {
			name, says string
			want       []string // in the last line of the answer
		}{
			{"a line of 10 MB", long, []string{"HELLO REPLY RESULT=I2P_ERROR", "8192 bytes"}},
			{"a HELLO of 10 MB", "HELLO " + long + "\n", []string{"HELLO REPLY RESULT=I2P_ERROR", "8192 bytes"}},
			{"an option of 10 MB", samHello + samSession + " X=" + long + "\n", []string{"SESSION STATUS RESULT=I2P_ERROR", "8192 bytes"}},
			{"a line of 10 MB in a session", samHello + samSession + "\n" + long, []string{"SESSION STATUS RESULT=I2P_ERROR", "8192 bytes"}},
			{"noise", string(noise), []string{"HELLO REPLY RESULT=I2P_ERROR", "UTF-8"}},
			{"noise in a session", samHello + samSession + "\n" + string(noise), []string{"SESSION STATUS RESULT=I2P_ERROR", "UTF-8"}},
			{"HTTP", "GET / HTTP/1.1\r\nHost: x\r\n\r\n", []string{"HELLO REPLY RESULT=I2P_ERROR", "HELLO VERSION"}},
			{"empty lines, and a short one", "\n\n\nx\n", []string{"HELLO REPLY RESULT=I2P_ERROR", "HELLO VERSION"}},
			{"SAM 4", "HELLO VERSION MIN=4.0\n", []string{"RESULT=NOVERSION", "3.3"}},
			{"a version that is none", "HELLO VERSION MIN=new\n", []string{"I2P_ERROR", "MIN=new", "3.3"}},
			{"no HELLO", samSession + "\n", []string{"HELLO REPLY RESULT=I2P_ERROR", "HELLO VERSION"}},
			{"streams", samHello + "STREAM CONNECT ID=x\n", []string{"I2P_ERROR", "STREAM", "RAW SEND"}},
			{"a style that is not there", samHello + "SESSION CREATE STYLE=STREAM ID=x DESTINATION=TRANSIENT\n", []string{"STYLE=STREAM", "STYLE=RAW"}},
			{"another Destination", samHello + "SESSION CREATE STYLE=RAW ID=x DESTINATION=" + other + "\n", []string{"INVALID_KEY", v.keys.Destination.Base32(), "TRANSIENT"}},
			{"no ID", samHello + "SESSION CREATE STYLE=RAW DESTINATION=TRANSIENT\n", []string{"INVALID_ID", "ID"}},
			{"a port that is none", samHello + samSession + " LISTEN_PORT=70000\n", []string{"I2P_ERROR", "LISTEN_PORT", "65535"}},
			{"a protocol that is none", samHello + samSession + " PROTOCOL=many\n", []string{"I2P_ERROR", "PROTOCOL", "many"}},
			{"an option twice", samHello + samSession + " X=1 X=2\n", []string{"I2P_ERROR", `X`, "twice"}},
			{"an open quote", samHello + samSession + " X=\"1\n", []string{"I2P_ERROR", "quote"}},
			{"1000 options", samHello + samSession + manyOptions(1000) + "\n", []string{"I2P_ERROR", "128 options"}},
			{"a packet of no size", samHello + samSession + "\nRAW SEND DESTINATION=" + other + "\n", []string{"I2P_ERROR", "SIZE=n"}},
			{"a packet too large", samHello + samSession + "\nRAW SEND DESTINATION=" + other + " SIZE=70000\n", []string{"I2P_ERROR", "65536"}},
			{"half a packet", samHello + samSession + "\nRAW SEND DESTINATION=" + other + " SIZE=1000\nhalf", []string{"SESSION STATUS RESULT=OK"}},
			{"a packet to nobody", samHello + samSession + " SEND_STATUS=true\nRAW SEND ID=7 DESTINATION=~~~~ SIZE=1\n.", []string{"RAW STATUS ID=7 RESULT="}},
			// As with stock routers, an option that is not SAM's is for the I2CP
			// session, which is not this client's to change: it is passed over.
			{"an unknown option", samHello + samSession + " inbound.quantity=9 frobnicate=yes\n", []string{"SESSION STATUS RESULT=OK"}},
		} {
			v.expect(test.name, v.sam(test.says), test.want...)
		}
	})
}

func manyOptions(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, " o%d", i)
	}
	return b.String()
}

// sam says something to the SAM server of a member, hangs up, and returns the
// last line that came back.
func (v *target) sam(says string) string {
	v.t.Helper()
	conn, err := v.node.Frontend("a").DialSAM(context.Background())
	if err != nil {
		v.t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	done := make(chan struct{})
	go func() {
		defer close(done)
		io.WriteString(conn, says) // the server may hang up at any time
		conn.(interface{ CloseWrite() error }).CloseWrite()
	}()
	answer, err := io.ReadAll(conn)
	if err != nil {
		v.t.Errorf("%.60q: %v", says, err)
	}
	conn.Close()
	<-done
	lines := strings.Split(strings.TrimSpace(string(answer)), "\n")
	return lines[len(lines)-1]
}

// TestManyConnections has more SAM clients than are served, that say nothing.
func TestManyConnections(t *testing.T) {
	whileServing(t, func(v *target) {
		for range 300 {
			conn, err := v.node.Frontend("a").DialSAM(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
		}
		synctest.Wait() // until all are taken in
		v.expect("one too many", v.sam(samHello), "HELLO REPLY RESULT=I2P_ERROR", "connections are taken", "close some")
		time.Sleep(90 * time.Second) // those that say nothing are ended
		v.expect("later", v.sam(samHello), "HELLO REPLY RESULT=OK")
	})
}

// TestBadKeyFiles: what cannot be read says which file it is, why, and what
// would be right.
func TestBadKeyFiles(t *testing.T) {
	good := newKeys(t).Bytes()
	flipped := bytes.Clone(good)
	flipped[len(flipped)-1] ^= 1
	dir := t.TempDir()
	for name, test := range map[string]struct {
		content []byte
		want    []string
	}{
		"empty":     {nil, []string{"want a private key file"}},
		"truncated": {good[:len(good)-7], []string{"bytes after the Destination", "want a private key file"}},
		"public":    {good[:391], []string{"public part", "want a private key file"}},
		"flipped":   {flipped, []string{"does not match", "want a private key file"}},
		"longer":    {append(bytes.Clone(good), 0), []string{"1 bytes too many"}},
		"text":      {[]byte("my keys are in the other file\n"), []string{"want a private key file"}},
		"half PRIV": {[]byte(i2p.Base64.EncodeToString(good)[:700]), []string{"want a private key file"}},
		"huge":      {make([]byte, 1<<20), []string{"too many for a key file"}},
	} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, test.content, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := i2p.ReadKeyFile(path)
		if err == nil {
			t.Errorf("%s: it was taken", name)
			continue
		}
		for _, word := range append(test.want, path) {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: %q does not say %q", name, err, word)
			}
		}
		if secret := i2p.Base64.EncodeToString(good[len(good)-32:])[:20]; strings.Contains(err.Error(), secret) {
			t.Errorf("%s: the key is in the message", name)
		}
	}
}
