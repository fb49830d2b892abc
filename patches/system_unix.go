//go:build unix

package patches

import (
	"errors"
	"io/fs"
	"os"
	"strconv"
	"syscall"
)

// keepOwner gives f the owner and group that like has. Where the system does not
// allow it the file stays the user's own, as with any editor that saves by renaming.
func keepOwner(f *os.File, like fs.FileInfo) {
	want, ok := like.Sys().(*syscall.Stat_t)
	if !ok {
		return
	}
	info, err := f.Stat()
	if err != nil {
		return
	}
	have, ok := info.Sys().(*syscall.Stat_t)
	if !ok || have.Uid == want.Uid && have.Gid == want.Gid {
		return
	}
	if f.Chown(int(want.Uid), int(want.Gid)) != nil {
		f.Chown(-1, int(want.Gid))
	}
}

// readOnlyFS reports whether err says that the whole file system is read-only.
func readOnlyFS(err error) bool { return errors.Is(err, syscall.EROFS) }

// removeDir is rmdir: os.Remove would take a file or a link of that name too.
func removeDir(name string) error {
	for {
		err := syscall.Rmdir(name)
		if err == nil {
			return nil
		}
		if err != syscall.EINTR {
			return &fs.PathError{Op: "rmdir", Path: name, Err: err}
		}
	}
}

// otherOwner reports whether two files have different owners, beside the one on whose behalf sudo runs the command.
func otherOwner(one, other fs.FileInfo) bool {
	a, ok := one.Sys().(*syscall.Stat_t)
	b, ok2 := other.Sys().(*syscall.Stat_t)
	if !ok || !ok2 || a.Uid == b.Uid {
		return false
	}
	return os.Geteuid() != 0 || os.Getenv("SUDO_UID") != strconv.FormatUint(uint64(a.Uid), 10)
}
