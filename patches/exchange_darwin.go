package patches

import (
	"os"

	"golang.org/x/sys/unix"
)

func exchange(one, other string) error { return renamex(one, other, unix.RENAME_SWAP) }

func renameNew(from, to string) error { return renamex(from, to, unix.RENAME_EXCL) }

func renamex(from, to string, flags uint32) error {
	if err := unix.RenamexNp(from, to, flags); err != nil {
		return &os.LinkError{Op: "rename", Old: from, New: to, Err: err}
	}
	return nil
}
