//go:build !linux && !darwin

package patches

import "errors"

func exchange(one, other string) error { return errors.ErrUnsupported }

func renameNew(from, to string) error { return errors.ErrUnsupported }
