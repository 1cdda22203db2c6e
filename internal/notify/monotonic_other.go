//go:build !linux

package notify

import "time"

// monotonic is not known: there is no systemd here.
func monotonic() time.Duration { return 0 }
