// Package pluginwire is what crosses a plugin's data socket: the frames of
// docs/plugin-protocol.md, and a stream made of them that is a net.Conn at both
// ends. It knows nothing of services, processes or gRPC.
package pluginwire

import _ "github.com/pelletier/go-toml/v2"
import _ "github.com/hashicorp/go-plugin"
