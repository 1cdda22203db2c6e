package onelease

import "context"

// Run runs all parts of a Destination with its Service until ctx ends, or the
// service does. What can be left out of cfg is: see there.
//
// When ctx ends, so does that of the service, which has Config.Patience to finish
// what is open; nil is returned then. Else it is the first error that ended a part.
// The errors before anything runs are ErrConfig, and those of the file system.
func Run(ctx context.Context, cfg Config) error {
	node, err := Start(cfg)
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-node.Done():
	case <-node.served:
	}
	return node.Close()
}
