//go:build !linux && !darwin && !freebsd

package doctor

import "errors"

// space is not asked for on this system.
func space(string) (Space, error) {
	return Space{}, errors.New("cannot be checked on this system")
}
