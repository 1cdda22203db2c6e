package onelease_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/onelease/onelease"
	"github.com/onelease/onelease/backend"
	"github.com/onelease/onelease/balancer/cluster"
	"github.com/onelease/onelease/i2p/simnet"
)

// inCluster has balancers elsewhere.
func inCluster(c *onelease.Config, dir string) {
	c.Keys, c.Dir, c.Cluster = nil, "", &onelease.Cluster{Dir: dir}
}

// TestConfigErrors has one mistake in each Config: Start must say which field
// it is, and leave nothing running.
func TestConfigErrors(t *testing.T) {
	unsigned := *readKeys(t, "i2p/testdata/tunnel-sig1.dat")
	unsigned.Signing = nil
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		name    string
		mistake func(*onelease.Config)
		want    []string // in the message
	}{
		{"balancers and no keys", func(c *onelease.Config) { c.Keys, c.Balancers = nil, new(cluster.Local) }, []string{"Balancers", "Keys"}},
		{"no directory for keys", func(c *onelease.Config) { c.Keys, c.Dir = nil, "" }, []string{"Dir", "keys"}},
		{"no directory, one real router", func(c *onelease.Config) { c.Dir, c.Routers[0].Embedded = "", true }, []string{"Dir"}},
		{"keys that cannot sign", func(c *onelease.Config) { c.Keys = &unsigned }, []string{"keys", "P256"}},
		{"no service", func(c *onelease.Config) { c.Service = nil }, []string{"Service"}},
		{"no directory", func(c *onelease.Config) { c.Dir = "" }, []string{"Dir"}},
		{"a file as directory", func(c *onelease.Config) { c.Dir = file }, []string{file, "directory"}},
		{"no routers", func(c *onelease.Config) { c.Routers = nil }, []string{"Router", "Member"}},
		{"no member", func(c *onelease.Config) { c.Routers = c.Routers[2:] }, []string{"Member"}},
		{"no publisher", func(c *onelease.Config) { c.Routers = c.Routers[:2] }, []string{"Publisher"}},
		{"no role", func(c *onelease.Config) { c.Routers[0].Member = false }, []string{memberA, "Member", "Publisher"}},
		{"a refuge that serves", func(c *onelease.Config) { c.Routers[1].Refuge = true }, []string{"Refuge", "Member"}},
		{"a refuge and new keys", func(c *onelease.Config) {
			c.Routers[1].Member, c.Routers[1].Refuge, c.Policy.Rotation = false, true, "at-once"
		}, []string{"Refuge", "Rotation"}},
		{"refuges only", func(c *onelease.Config) {
			c.Routers[0].Member, c.Routers[1].Member, c.Routers[0].Refuge, c.Routers[1].Refuge = false, false, true, true
		}, []string{"Member"}},
		{"a name twice", func(c *onelease.Config) { c.Routers[1].Name = memberA }, []string{"Routers", `"a"`}},
		{"a bad name", func(c *onelease.Config) { c.Routers[1].Name = "No Name" }, []string{"Name", `"No Name"`, "a-z"}},
		{"no name", func(c *onelease.Config) { c.Routers[1].Name = "" }, []string{"Name"}},
		{"a bad quirk", func(c *onelease.Config) { c.Routers[2].DontPublish = "upside-down" }, []string{publish, "DontPublish", "inverted"}},
		{"too many tunnels", func(c *onelease.Config) { c.Policy.Tunnels = 17 }, []string{"Tunnels", "17", "16"}},
		{"too frequent", func(c *onelease.Config) { c.Policy.PublishGap = time.Second }, []string{"PublishGap", "20 s"}},
		{"balancers and a directory", func(c *onelease.Config) { c.Balancers = new(cluster.Local) }, []string{"Balancers", "Dir"}},
		{"frontends elsewhere and no cluster", func(c *onelease.Config) { c.Frontends = []string{"127.0.0.1:1"} }, []string{"Frontends", "Cluster"}},
		{"a cluster and keys", func(c *onelease.Config) { c.Cluster = &onelease.Cluster{Dir: "d"} }, []string{"Cluster", "Keys"}},
		{"a cluster without a directory", func(c *onelease.Config) { inCluster(c, "") }, []string{"Cluster.Dir", "onelease cluster join"}},
		{"a router of a cluster without one", func(c *onelease.Config) { inCluster(c, "d") }, []string{"Router", "Dir", "onelease cluster join"}},
		{"routers here and frontends elsewhere", func(c *onelease.Config) {
			inCluster(c, "d")
			c.Frontends = []string{"127.0.0.1:1"}
		}, []string{"Frontends", "Routers"}},
		{"no directory of a node", func(c *onelease.Config) {
			inCluster(c, filepath.Dir(file))
			c.Routers, c.Frontends = nil, []string{"127.0.0.1:1"}
		}, []string{filepath.Dir(file), "onelease cluster join"}},
		{"a bad rotation", func(c *onelease.Config) { c.Policy.Rotation = "sometimes" }, []string{"Rotation", "sometimes", "never"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			inWorld(t, simnet.Config{}, simnet.I2PD245, func(w *world) {
				cfg := w.config()
				test.mistake(&cfg)
				node, err := onelease.Start(cfg)
				if err == nil {
					node.Close()
					t.Fatal("it was taken")
				}
				for _, word := range test.want {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("%q does not say %q", err, word)
					}
				}
			})
		})
	}
}

// TestSecondNode has two nodes on one directory: the second must say so.
func TestSecondNode(t *testing.T) {
	inWorld(t, simnet.Config{}, simnet.I2PD245, func(w *world) {
		cfg := w.config()
		defer w.start(cfg)()
		if _, err := onelease.Start(cfg); err == nil || !strings.Contains(err.Error(), cfg.Dir) ||
			!strings.Contains(err.Error(), "in use") {
			t.Errorf("second node on one directory: %v", err)
		}
	})
}

// TestServiceFails has the service end with an error, which Close returns.
func TestServiceFails(t *testing.T) {
	inWorld(t, simnet.Config{Seed: 1}, simnet.I2PD245, func(w *world) {
		broken := errors.New("no disk space")
		cfg := w.config()
		cfg.Service = backend.ServiceFunc(func(context.Context, backend.Node) error { return broken })
		node, err := onelease.Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		if err := node.Close(); !errors.Is(err, broken) {
			t.Errorf("Close: %v", err)
		}
	})
}
