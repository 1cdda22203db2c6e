package main

import (
	"net"
	"strings"
	"testing"

	"github.com/onelease/onelease/i2p"
	"github.com/onelease/onelease/test/embedded"
)

// TestSAMOnFrontends is a bridge whose routers are reached by a cluster's frontends, in
// processes of their own. One is killed: sessions go on by the other.
func TestSAMOnFrontends(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	network := embedded.Start(embedded.Config{Names: []string{"zzz.i2p"}})
	t.Cleanup(network.Close)
	processes, flags := map[string]*process{}, []string{}
	for _, name := range []string{"member-1", "member-2", "publisher"} {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer ln.Close()
		go network.Router(name).ServeI2CP(ln)
		role, _, _ := strings.Cut(name, "-")
		guests := freeAddr(t)
		s.join("frontend", name)
		processes[name] = start(t, "frontend", "--dir", s.of(name), "--router", ln.Addr().String(), "--"+role,
			"--dont-publish", "inverted", "--guests", guests, "--guests-of", "sam-1,other")
		flags = append(flags, "--frontend", name+"="+guests+","+role)
	}
	for _, p := range processes {
		p.says("guests may come here")
	}
	s.join("guest", "sam-1")
	if r := inside(t.Context(), "", "doctor", "--running", "--quick", "--dir", s.of("sam-1")); !strings.Contains(r.out, "a guest is not told how the cluster is") || strings.Contains(r.out, "fail  cluster") {
		t.Errorf("doctor: %s%s", r.out, r.said)
	}
	p, view := startSAM(t, append(flags, "sam", "--dir", s.of("sam-1"), "--listen", "127.0.0.1:0", "--udp", "none", "--json")...)
	for _, frontend := range processes {
		frontend.says("a backend is connected")
	}
	control := dialSAM(t, view.SAM[0])
	control.ask("HELLO VERSION", "HELLO REPLY RESULT=OK")
	control.ask("NAMING LOOKUP NAME=zzz.i2p", "NAMING REPLY RESULT=OK NAME=zzz.i2p VALUE=")
	keys, err := i2p.GenerateKeys()
	if err != nil {
		t.Fatal(err)
	}
	control.ask("SESSION CREATE STYLE=STREAM ID=it DESTINATION="+keys.Base64(), "SESSION STATUS RESULT=OK")
	fetch := func(session string) {
		t.Helper()
		stream := dialSAM(t, view.SAM[0])
		stream.ask("HELLO VERSION", "HELLO REPLY RESULT=OK")
		stream.ask("STREAM CONNECT ID="+session+" DESTINATION=zzz.i2p", "STREAM STATUS RESULT=OK")
		stream.ask("GET / HTTP/1.0\n", "HTTP/1.0 200 OK")
	}
	fetch("it")
	processes["member-1"].kill()
	p.says("not connected to a frontend")
	second := dialSAM(t, view.SAM[0])
	second.ask("HELLO VERSION", "HELLO REPLY RESULT=OK")
	second.ask("SESSION CREATE STYLE=STREAM ID=second DESTINATION=TRANSIENT", "SESSION STATUS RESULT=OK")
	fetch("second")
	p.end()
	processes["member-2"].says("the connection of a backend has ended")
	for name, p := range processes {
		if strings.Contains(p.log(), strings.TrimSuffix(keys.Destination.Base32(), ".b32.i2p")) {
			t.Errorf("%s has logged the Destination: %s", name, p.log())
		}
	}
}

// Wrong use is named, and nothing begins.
func TestGuestFlags(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.join("frontend", "router-1")
	s.join("guest", "sam-1")
	for _, test := range []struct {
		code int
		want string
		args []string
	}{
		{exitUsage, "go with --guests", []string{"frontend", "--dir", s.of("router-1"), "--guests-of", "x"}},
		{exitUsage, "want 1 or more", []string{"frontend", "--dir", s.of("router-1"), "--guests", "127.0.0.1:0", "--guests-max", "0"}},
		{exitFailed, "listen for guests", []string{"frontend", "--dir", s.of("router-1"), "--guests", "192.0.2.1:1"}},
		{exitUsage, "give --dir", []string{"sam", "--frontend", "router-1=127.0.0.1:1,member,publisher"}},
		{exitUsage, "give --frontend", []string{"sam", "--dir", s.of("sam-1"), "--router", "a=127.0.0.1:1"}},
		{exitUsage, "want NAME=HOST:PORT", []string{"sam", "--dir", s.of("sam-1"), "--frontend", "127.0.0.1:1"}},
		{exitFailed, "directory of a guest", []string{"backend", "--dir", s.of("sam-1"), "--frontend", "router-1=127.0.0.1:1", "--builtin", "echo"}},
		{exitFailed, "directory of a guest", []string{"frontend", "--dir", s.of("sam-1")}},
		{exitFailed, "directory of a guest", []string{"balancer", "--dir", s.of("sam-1")}},
		{exitFailed, "for [operator] only", []string{"cluster", "policy", "show", "--dir", s.of("sam-1")}},
		{exitFailed, "for [balancer frontend backend operator] only", []string{"cluster", "status", "--dir", s.of("sam-1")}},
		{exitFailed, "directory of a frontend", []string{"sam", "--dir", s.of("router-1"), "--frontend", "router-1=127.0.0.1:1,member,publisher", "--listen", "127.0.0.1:0", "--udp", "none"}},
	} {
		fails(t, test.code, []string{test.want}, "", test.args...)
	}
}
