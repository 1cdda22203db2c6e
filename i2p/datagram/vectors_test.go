package datagram

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease/i2p"
)

// A vector is a line of testdata/datagrams.tsv.
type vector struct {
	version, form, sigType string
	sender                 *Sender
	target                 i2p.Hash
	payload, datagram      []byte
}

func i2pdVectors(t *testing.T) (vectors []vector) {
	t.Helper()
	f, err := os.Open("testdata/datagrams.tsv")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if !strings.HasPrefix(lines.Text(), "#") {
			vectors = append(vectors, parseVector(t, strings.Split(lines.Text(), "\t")))
		}
	}
	return vectors
}

func parseVector(t *testing.T, fields []string) vector {
	t.Helper()
	dest, err := i2p.ParseDestinationBase64(fields[3])
	target, err2 := i2p.Base64.DecodeString(fields[4])
	payload, err3 := hex.DecodeString(fields[5])
	datagram, err4 := hex.DecodeString(fields[6])
	if err := errors.Join(err, err2, err3, err4); err != nil {
		t.Fatal(err)
	}
	return vector{fields[0], fields[1], fields[2], NewSender(dest), i2p.Hash(target), payload, datagram}
}

func TestDatagramsOfI2PD(t *testing.T) {
	vectors := i2pdVectors(t)
	if len(vectors) != 36 {
		t.Fatalf("%d vectors, want 36", len(vectors))
	}
	for _, v := range vectors {
		name := "i2pd " + v.version + ", datagram" + v.form + ", signature type " + v.sigType
		switch v.form {
		case "1":
			d, err := ParseDatagram1(v.datagram)
			if err != nil || !bytes.Equal(d.Payload, v.payload) || !bytes.Equal(d.From, v.sender.Destination.Bytes()) {
				t.Errorf("%s: %+v, %v", name, d, err)
			} else if err := d.Verify(v.sender); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		case "2":
			checkDatagram2(t, name, v)
		case "3":
			d, err := ParseDatagram3(v.datagram)
			if err != nil || !bytes.Equal(d.Payload, v.payload) || d.From != v.sender.Hash {
				t.Errorf("%s: %+v, %v", name, d, err)
			}
		}
	}
}

// checkDatagram2 expects what the package comment says of i2pd.
func checkDatagram2(t *testing.T, name string, v vector) {
	t.Helper()
	d, err := ParseDatagram2(v.datagram)
	if err != nil || !bytes.Equal(d.Payload, v.payload) || !bytes.Equal(d.From, v.sender.Destination.Bytes()) {
		t.Errorf("%s: %+v, %v", name, d, err)
		return
	}
	if err := d.Verify(v.sender, v.sender.Hash, time.Now()); err != nil {
		t.Errorf("%s, over the sender's hash: %v", name, err)
	}
	if err := d.Verify(v.sender, v.target, time.Now()); !errors.Is(err, i2p.ErrSignature) {
		t.Errorf("%s, over the receiver's hash: %v, want ErrSignature", name, err)
	}
}
