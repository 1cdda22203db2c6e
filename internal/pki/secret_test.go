package pki

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
)

// forms are the ways in which b might be printed.
func forms(b []byte) []string {
	list := fmt.Sprintf("%v", b)
	source := fmt.Sprintf("%#v", b)
	return []string{
		hex.EncodeToString(b), strings.ToUpper(hex.EncodeToString(b)), string(b),
		base64.RawStdEncoding.EncodeToString(b), base64.RawURLEncoding.EncodeToString(b),
		strings.Trim(list, "[]"), source[strings.IndexByte(source, '{')+1 : len(source)-1],
		strings.ReplaceAll(strings.Trim(list, "[]"), " ", ","),
	}
}

// refuseSecrets fails if text has one of the private keys in it.
func refuseSecrets(t *testing.T, what, text string, keys ...*ecdsa.PrivateKey) {
	t.Helper()
	for _, key := range keys {
		scalar, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		pemText, _ := encodeKey(key)
		refuse(t, what, text, append(forms(scalar), new(big.Int).SetBytes(scalar).String(), string(bytes.Split(pemText, []byte("\n"))[1]))...)
	}
}

func refuse(t *testing.T, what, text string, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if strings.Contains(text, s) {
			t.Errorf("%s reveals a secret: %s", what, text)
		}
	}
}

// timeless leaves out the time, whose digits may look like what is looked for.
var timeless = &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.TimeKey {
		return slog.Attr{}
	}
	return a
}}

// printed is v in every way that a program might print it.
func printed(t *testing.T, v any) map[string]string {
	t.Helper()
	out := map[string]string{"Sprint": fmt.Sprint(v)}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		out[verb] = fmt.Sprintf(verb, v)
	}
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	out["JSON"] = string(text)
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, timeless)).Info("x", "v", v)
	slog.New(slog.NewJSONHandler(&b, timeless)).Info("x", "v", v)
	out["slog"] = b.String()
	return out
}

func TestNothingPrintsASecret(t *testing.T) {
	ca := newTestCA(t)
	c := node(t, ca, Balancer, "b1")
	files, token := Static(c), newTestToken(t, ca)
	secrets := append(forms(token.Secret()), token.Text(), strings.TrimPrefix(token.Text(), tokenPrefix))
	type inside struct {
		Exported any
		hidden   any
		token    Token
		ca       CA
		own      Credentials
	}
	for name, v := range map[string]any{
		"Token": *token, "*Token": token, "CA": *ca, "*CA": ca, "Credentials": *c, "*Credentials": c, "Reloader": files,
		"struct": inside{token, token, *token, *ca, *c}, "slice": []any{token, *token, ca, c},
	} {
		for way, text := range printed(t, v) {
			refuse(t, name+" by "+way, text, secrets...)
			refuseSecrets(t, name+" by "+way, text, ca.key(), c.key())
		}
	}
}

// What is hidden can still be told apart.
func TestPrintedNames(t *testing.T) {
	ca := newTestCA(t)
	token := newTestToken(t, ca)
	for what, want := range map[any]string{ca: ca.Cluster(), node(t, ca, Operator, "ann"): "operator/ann", token: token.Invite} {
		for way, text := range printed(t, what) {
			if !strings.Contains(text, want) && way != "%x" && way != "%X" && way != "%d" {
				t.Errorf("%T by %s is %s, want %s in it", what, way, text, want)
			}
		}
	}
}
