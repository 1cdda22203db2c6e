package proxy

import (
	"net"
	"net/url"
	"strings"
)

// relative is where a target sends a visitor, without the target's address: a name
// that is good on this host only would show where that is, and lead nowhere.
func (p *proxy) relative(place string) string {
	u, err := url.Parse(place)
	if err != nil || u.Host == "" || !p.names(u) {
		return place
	}
	// Two slashes would be another host.
	path := "/" + strings.TrimLeft(u.EscapedPath(), "/")
	if u.RawQuery != "" {
		path += "?" + u.RawQuery
	}
	if u.Fragment != "" {
		path += "#" + u.EscapedFragment()
	}
	return path
}

// names reports whether a URL names the target.
func (p *proxy) names(u *url.URL) bool {
	name := strings.ToLower(u.Hostname())
	if spoofed, _ := url.Parse("//" + p.SpoofHost); spoofed != nil && name == strings.ToLower(spoofed.Hostname()) {
		return !strings.HasSuffix(name, ".i2p") // that one is good for visitors
	}
	if p.target.network == "unix" {
		return loopback(name) && u.Port() == ""
	}
	host, port, _ := net.SplitHostPort(p.target.address)
	if !loopback(host) {
		return name == strings.ToLower(host)
	}
	// Another port of a visitor's own host may well be meant: routers' consoles are
	// there.
	return loopback(name) && (u.Port() == port || u.Port() == "")
}

// loopback reports whether a host is this one, by any of its names.
func loopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}
