package pluginwire

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"testing"
	"time"

	"github.com/onelease/onelease/backend/pluginpb"
	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/i2p/sam"
	"github.com/onelease/onelease/i2p/streaming"
)

func TestPreface(t *testing.T) {
	want := Preface{Token{1, 2, 31: 3}, Packets, 1 << 40}
	b := want.AppendTo(nil)
	if len(b) != 45 || string(b[:4]) != "OLP1" || b[36] != 3 {
		t.Fatalf("% x", b)
	}
	got, err := ReadPreface(bytes.NewReader(b))
	if err != nil || got != want || !got.Token.Equal(want.Token) || got.Token.Equal(Token{}) {
		t.Errorf("%+v, %v", got, err)
	}
	if text := fmt.Sprint(want, want.Token); bytes.Contains([]byte(text), []byte("31")) || !bytes.Contains([]byte(text), []byte("(token)")) {
		t.Errorf("the token is printed: %s", text)
	}
	for what, bad := range map[string][]byte{
		"short":       b[:44],
		"magic":       append([]byte("OLP2"), b[4:]...),
		"role":        Preface{Role: 4, ID: 1}.AppendTo(nil),
		"dial with":   Preface{Role: Dials, ID: 1}.AppendTo(nil),
		"accept none": Preface{Role: Accepts}.AppendTo(nil),
	} {
		if p, err := ParsePreface(bad); err == nil {
			t.Errorf("%s: %+v", what, p)
		}
	}
}

func TestAddr(t *testing.T) {
	full := newAddr(t, 80)
	for _, a := range []*i2p.Addr{full, {Hash: full.Hash, Port: 65535}, {Port: 7}, {}} {
		b := AppendAddr([]byte("x"), a)[1:]
		got, n, err := ParseAddr(append(b, "rest"...))
		if err != nil || n != len(b) || *got != *a {
			t.Errorf("%v: %v, %d of %d bytes, %v", a, got, n, len(b), err)
		}
		for i := range b {
			if _, _, err := ParseAddr(b[:i]); !errors.Is(err, i2p.ErrTruncated) {
				t.Fatalf("%v cut to %d: %v", a, i, err)
			}
		}
	}
	noHash := AppendAddr(nil, &i2p.Addr{Destination: full.Destination, Port: 80})
	if got, _, err := ParseAddr(noHash); err != nil || *got != *full {
		t.Errorf("an Addr made without its Hash: %v, %v", got, err)
	}
	forged := AppendAddr(nil, &i2p.Addr{Destination: full.Destination, Hash: i2p.Hash{1}})
	if _, _, err := ParseAddr(forged); !errors.Is(err, i2p.ErrInvalid) {
		t.Errorf("another's hash: %v", err)
	}
}

func TestAddrCache(t *testing.T) {
	var c addrCache
	full := newAddr(t, 80)
	b := AppendAddr(nil, full)
	first, _, err := c.parse(b)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 * cacheSize { // others drive it out of no more than what is old
		if _, _, err := c.parse(AppendAddr(nil, &i2p.Addr{Hash: i2p.Hash{byte(i), byte(i >> 8), 1}})); err != nil {
			t.Fatal(err)
		}
		if again, _, err := c.parse(b); again != first || err != nil {
			t.Fatalf("parsed anew after %d others", i)
		}
	}
	if n := len(c.recent.young) + len(c.recent.old); n > 2*cacheSize {
		t.Errorf("%d addresses are kept", n)
	}
	short, _, err := c.parse(AppendAddr(nil, &i2p.Addr{Hash: full.Hash, Port: 80}))
	if err != nil || !short.Destination.IsZero() {
		t.Errorf("%v, %v: its Destination was not told this time", short, err)
	}
	forged := AppendAddr(nil, full)
	forged[addrFixed+3]++
	if _, _, err := c.parse(forged); !errors.Is(err, i2p.ErrInvalid) {
		t.Errorf("a Destination with another's hash: %v", err)
	}
}

func TestCodesAreThoseOfTheProtocol(t *testing.T) {
	if len(pluginpb.ErrorCode_name) != int(CodeConfig)+1 {
		t.Errorf("%d codes in plugin.proto, %d here", len(pluginpb.ErrorCode_name), CodeConfig+1)
	}
	for code, name := range map[Code]string{
		CodeNone: "NONE", CodeOther: "OTHER", CodePortInUse: "PORT_IN_USE", CodeNoFrontend: "NO_FRONTEND",
		CodeNoSigner: "NO_SIGNER", CodeUnreachable: "UNREACHABLE", CodeRefused: "REFUSED", CodeTimeout: "TIMEOUT",
		CodeReset: "RESET", CodeInvalid: "INVALID", CodeClosed: "CLOSED", CodeConfig: "CONFIG",
	} {
		if got := pluginpb.ErrorCode(code).String(); got != "ERROR_CODE_"+name {
			t.Errorf("%d is %s, want %s", code, got, name)
		}
	}
}

func TestErrorsCross(t *testing.T) {
	for _, target := range []error{
		streaming.ErrPortInUse, ErrNoSigner, ErrNoFrontend, ErrConfig, sam.ResultKeyNotFound, sam.ResultCantReachPeer, sam.ResultInvalidKey,
		context.DeadlineExceeded, i2p.ErrUnsupported,
		streaming.ErrRefused, streaming.ErrTimeout, streaming.ErrReset, i2p.ErrInvalid, net.ErrClosed,
	} {
		sent := &net.OpError{Op: "dial", Net: i2p.Network, Err: fmt.Errorf("somebody: %w", target)}
		got, err := ParseError(Of(sent).AppendTo(nil))
		if err != nil {
			t.Fatal(err)
		}
		if !errors.Is(got, target) {
			t.Errorf("%v crossed as %v", target, got)
		}
		if got.Text != sent.Err.Error() {
			t.Errorf("%q crossed as %q", sent.Err, got.Text)
		}
	}
	if err := (&Error{Code: CodeReset}); !errors.Is(err, syscall.ECONNRESET) || err.Error() != streaming.ErrReset.Error() {
		t.Errorf("a RESET without a text is %v", err)
	}
	for _, err := range []error{context.DeadlineExceeded, streaming.ErrTimeout} {
		if got := Of(err); got.Code != CodeTimeout || !got.Timeout() {
			t.Errorf("%v crosses as %+v", err, got)
		}
	}
	if CodeOf(nil) != CodeNone || Of(nil) != nil || CodeOf(errors.New("?")) != CodeOther || CodeOf(ErrBroken) != CodeReset {
		t.Error("codes of nil, of another error, or of a broken connection")
	}
	long := Error{CodeOther, string(bytes.Repeat([]byte("é"), maxError))}
	if b := long.AppendTo(nil); len(b) > maxError {
		t.Errorf("%d bytes", len(b))
	} else if _, err := ParseError(b); err != nil {
		t.Error(err)
	}
}

func TestDialFrame(t *testing.T) {
	b := appendFrame(nil, typeDial, func(b []byte) []byte { return appendDial(b, "a.i2p:80", 1500*time.Millisecond) })
	typ, n, err := parseHeader(b)
	if err != nil || typ != typeDial || n != len(b)-headerSize {
		t.Fatalf("%v, %d, %v", typ, n, err)
	}
	if address, limit, err := parseDial(b[headerSize:]); err != nil || address != "a.i2p:80" || limit != 1500*time.Millisecond {
		t.Errorf("%q, %v, %v", address, limit, err)
	}
}

func FuzzAddr(f *testing.F) {
	f.Add(AppendAddr(nil, newAddr(f, 80)))
	f.Add(AppendAddr(nil, &i2p.Addr{Port: 7}))
	f.Fuzz(func(t *testing.T, b []byte) {
		a, n, err := ParseAddr(b)
		if err != nil {
			return
		}
		if again := AppendAddr(nil, a); !bytes.Equal(again, b[:n]) && a.Hash != (i2p.Hash{}) {
			t.Errorf("% x became % x", b[:n], again)
		}
	})
}

func FuzzPreface(f *testing.F) {
	f.Add(Preface{Token{1}, Accepts, 7}.AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, err := ParsePreface(b); err == nil && !bytes.Equal(p.AppendTo(nil), b) {
			t.Errorf("% x became %+v", b, p)
		}
	})
}

func FuzzError(f *testing.F) {
	f.Add(Of(streaming.ErrRefused).AppendTo(nil))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := ParseError(b)
		if err != nil {
			return
		}
		_ = e.Error()
		if again, err := ParseError(e.AppendTo(nil)); err != nil || again.Code != e.Code {
			t.Errorf("% x: %v, %v", b, again, err)
		}
	})
}
