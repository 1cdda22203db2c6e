package demo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"

	"github.com/onelease/onelease/backend/plugin"
	"github.com/onelease/onelease/backend/plugin/catalog"
)

// pluginDrain is how long a plugin of a demo that ends may finish its streams.
const pluginDrain = 2 * time.Second

// newPlugin makes the service that is a plugin, as --plugin and --settings say.
func (c Config) newPlugin() (*plugin.Supervisor, error) {
	return plugin.New(plugin.Config{
		Name: c.pluginName(), Path: c.Plugin, SettingsFile: c.Settings, DrainLimit: pluginDrain, MustStart: true,
	})
}

// pluginName is what the program's file is called, if that will do as a name.
func (c Config) pluginName() string {
	if name := filepath.Base(c.Plugin); catalog.CheckName(name) == nil {
		return name
	}
	return "plugin"
}

// describePlugin finds out what cannot work before anybody waits for tunnels.
func (c Config) describePlugin(ctx context.Context) (*PluginReport, error) {
	d, err := plugin.Describe(ctx, plugin.Config{Name: c.pluginName(), Path: c.Plugin})
	if err != nil {
		return nil, err
	}
	return &PluginReport{Name: d.GetName(), Version: d.GetVersion(), Responses: map[string]int{}}, nil
}

func (w *world) pluginsReady() bool {
	for _, s := range w.plugins {
		if running(s) == 0 {
			return false
		}
	}
	return true
}

// running is the process that serves, 0 if none does.
func running(s *plugin.Supervisor) int {
	for _, i := range s.Stats().Instances {
		if i.State == plugin.Running {
			return i.PID
		}
	}
	return 0
}

// errNoPlugin says that there is nothing to kill.
var errNoPlugin = errors.New("no process of the plugin runs that could be killed")

// killPlugin is kill -9 of a plugin's process. Streams that come until the next one is
// ready wait for it.
func (r *run) killPlugin() error {
	pid := 0
	for _, s := range r.world.plugins {
		pid = cmp.Or(pid, running(s))
	}
	if pid == 0 {
		return errNoPlugin
	}
	e := r.begin(killPlugin, fmt.Sprintf("process %d", pid))
	r.world.tally.Kill(e.at)
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		return fmt.Errorf("kill plugin: %w", err)
	}
	r.say(e.at, "killed the plugin with -9, "+e.report.Target)
	return nil
}

// lookPlugin notes the first answer to a request that was begun after the kill.
func (r *run) lookPlugin(e *event, now time.Time) {
	if e.report.RecoveredMS != nil {
		return
	}
	if at, ok := r.world.probes.firstAfter(e.at); ok {
		e.report.RecoveredMS = milliseconds(at.Sub(e.at))
		r.say(now, fmt.Sprintf("a new stream was answered %d ms after the kill", at.Sub(e.at).Milliseconds()))
	}
}

// sumUpPlugin completes the report.
func (r *run) sumUpPlugin() {
	if r.report.Plugin == nil {
		return
	}
	for _, s := range r.world.plugins {
		r.report.Plugin.Restarts += s.Stats().Restarts
	}
	r.report.Plugin.Responses = r.world.probes.responses()
}
