//go:build !linux

package patches

import "errors"

func mountSmall(string) (func(), error) {
	return nil, errors.New("no way to mount one is known for this system")
}
