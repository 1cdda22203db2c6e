package proxy

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/onelease/onelease/i2p"
)

// The headers by which an HTTP target learns who a visitor is, as in Java I2P
// (apps/i2ptunnel, I2PTunnelHTTPServer.java: HASH_HEADER, DEST32_HEADER,
// DEST64_HEADER) and i2pd (libi2pd_client/I2PTunnel.h: X_I2P_DEST_HASH and others).
const (
	headerHash = "X-I2P-DestHash" // the Destination's hash in I2P's base64, 44 characters
	headerB32  = "X-I2P-DestB32"  // the b32 address, with ".b32.i2p"
	headerB64  = "X-I2P-DestB64"  // the Destination in I2P's base64
)

// introduce tells the target who a visitor is. The names are written as Java I2P
// writes them, which http.Header.Set would not.
func introduce(h http.Header, remote *i2p.Addr) {
	if remote == nil || remote.Hash == (i2p.Hash{}) {
		return
	}
	h[headerHash] = []string{i2p.Base64.EncodeToString(remote.Hash[:])}
	h[headerB32] = []string{remote.Hash.Base32()}
	if !remote.Destination.IsZero() {
		h[headerB64] = []string{remote.Destination.Base64()}
	}
}

// inproxy are the headers by which a proxy from the web shows, as Java I2P's option
// rejectInproxy takes them.
var inproxy = []string{"X-Forwarded-For", "X-Forwarded-Server", "X-Forwarded-Host", "Forwarded"}

func fromInproxy(h http.Header) bool {
	for _, name := range inproxy {
		if _, ok := h[name]; ok {
			return true
		}
	}
	return false
}

// requestPrefixes and requestNames are what a visitor cannot say to a target, in
// lower case.
var (
	requestPrefixes = []string{
		"x-i2p-",       // who the visitor is; i2pd strips "X-I2P" too, Java I2P the three names
		"x-forwarded-", // what a proxy in front says, and the target believes since we are near
		"x-auth-request-", "x-ssl-client-",
	}
	requestNames = setOf(
		// The address or host of the visitor, by what proxies and hosters call it.
		"forwarded", "via", "x-real-ip", "x-client-ip", "client-ip", "true-client-ip", "x-cluster-client-ip",
		"x-remote-ip", "x-remote-addr", "x-originating-ip", "x-original-forwarded-for", "x-forwarded",
		"cf-connecting-ip", "cf-connecting-ipv6", "fastly-client-ip", "x-original-host", "x-host",
		// Another path than the one that was asked for.
		"x-original-url", "x-rewrite-url",
		// Who has logged in, by what authenticating proxies say.
		"remote-user", "x-remote-user", "x-webauth-user", "x-authenticated-user",
		// httpoxy.org: CGI makes it HTTP_PROXY, which programs take for their proxy.
		"proxy",
		// What Java I2P's client asks its server for (x-i2p-gzip); that strips it too.
		"x-accept-encoding",
	)
)

// stripRequest takes out what a visitor cannot say to a target. A "_" counts as "-",
// as it does to CGI and all that followed it: they hand X_I2P_DestB32 to programs by
// the same name as X-I2P-DestB32.
func stripRequest(h http.Header) {
	for name := range h {
		plain := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
		strip := requestNames[plain]
		for _, prefix := range requestPrefixes {
			strip = strip || strings.HasPrefix(plain, prefix)
		}
		if strip {
			delete(h, name)
		}
	}
}

// responseNames are what a visitor does not get to see, in lower case.
var responseNames = setOf(
	// As Java I2P (I2PTunnelHTTPServer.java, SERVER_SKIPHEADERS) and i2pd
	// (I2PTunnel.cpp, I2PServerTunnelConnectionHTTP::WriteToStream).
	"date", "server", "x-powered-by", "x-runtime", "proxy",
	// The clock, and how fast the host is.
	"age", "x-timer", "x-response-time", "server-timing", "x-envoy-upstream-service-time",
	// Software.
	"x-aspnet-version", "x-aspnetmvc-version", "x-varnish", "x-hacker", "x-nananana", "x-generator",
	// Hosts between the target and us, and the target's own name.
	"via", "x-cache", "x-cache-hits", "x-served-by", "x-server", "x-backend", "x-backend-server", "x-hostname",
	"x-host", "x-upstream", "x-pantheon-styx-hostname", "x-styx-req-id", "x-cloud-trace-context",
	// What makes browsers go elsewhere, to the web or to HTTPS that is not there.
	"alt-svc", "strict-transport-security", "public-key-pins", "public-key-pins-report-only", "expect-ct",
	"report-to", "reporting-endpoints", "nel",
)

// stripResponse takes out what tells about the host.
func stripResponse(h http.Header) {
	for name := range h {
		if responseNames[strings.ToLower(name)] {
			delete(h, name)
		}
	}
}

// expire puts Cache-Control in place of Expires, which tells the target's clock as
// Date does.
func expire(h http.Header, now time.Time) {
	expires, ok := h["Expires"]
	if !ok {
		return
	}
	delete(h, "Expires")
	control := strings.ToLower(strings.Join(h.Values("Cache-Control"), ","))
	for _, says := range []string{"max-age", "no-store", "no-cache"} {
		if strings.Contains(control, says) {
			return // and that counts for more (RFC 9111, section 5.3)
		}
	}
	if date, err := http.ParseTime(h.Get("Date")); err == nil {
		now = date
	}
	var age time.Duration // what cannot be read has expired, such as "0"
	if at, err := http.ParseTime(strings.Join(expires, ",")); err == nil {
		age = max(0, at.Sub(now))
	}
	h.Add("Cache-Control", "max-age="+strconv.FormatInt(int64(age/time.Second), 10))
}

func setOf(names ...string) map[string]bool {
	set := make(map[string]bool)
	for _, name := range names {
		set[name] = true
	}
	return set
}

// cleaned strips the headers of all that is written, so also of informational
// responses (1xx), which ReverseProxy passes on by itself.
type cleaned struct{ http.ResponseWriter }

// WriteHeader implements http.ResponseWriter.
func (w cleaned) WriteHeader(status int) {
	stripResponse(w.Header())
	w.Header()["Date"] = nil // or net/http adds one
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (w cleaned) Unwrap() http.ResponseWriter { return w.ResponseWriter }
