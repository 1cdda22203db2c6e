package plugin

import (
	"errors"

	"github.com/onelease/onelease/backend/plugin/catalog"
)

// Why a plugin does not run. What wraps them says which program and what to do.
var (
	// ErrConfig says that a Config cannot work; the message names the field.
	ErrConfig = errors.New("plugin configuration")
	// ErrChecksum says that the program is not the one that it was to be.
	ErrChecksum = catalog.ErrChecksum
	// ErrNotPlugin says that the program cannot be executed, or ended or said
	// something else than a plugin's first line.
	ErrNotPlugin = errors.New("not a plugin of Onelease")
	// ErrVersion says that the program speaks another version of the protocol.
	ErrVersion = errors.New("another version of the plugin protocol")
	// ErrSettings says that the plugin did not take its settings.
	ErrSettings = errors.New("settings not taken")
	// ErrStartLimit says that the plugin was not ready in time.
	ErrStartLimit = errors.New("not ready in time")
	// ErrNotServing says that there is nothing to reload: Serve does not run.
	ErrNotServing = errors.New("the plugin is not being served")

	errHung      = errors.New("it answered no health check: it hangs or was stopped")
	errDrained   = errors.New("it had not ended when its time to drain was over")
	errStopped   = errors.New("no longer wanted")
	errDeaf      = errors.New("it does not read its control stream")
	errViolation = errors.New("it does not keep to the protocol")
	errDied      = errors.New("its process ended")
)
