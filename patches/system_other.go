//go:build !unix

package patches

import (
	"io/fs"
	"os"
)

// keepOwner does nothing: a file's owner does not depend on who creates it here.
func keepOwner(*os.File, fs.FileInfo) {}

// readOnlyFS reports whether err says that the whole file system is read-only;
// here that is no error of its own.
func readOnlyFS(error) bool { return false }

// removeDir looks first, since the system has one call for files and directories.
func removeDir(name string) error {
	info, err := os.Lstat(name)
	if err != nil {
		return err
	}
	if !info.IsDir() {
		return &fs.PathError{Op: "rmdir", Path: name, Err: fs.ErrExist}
	}
	return os.Remove(name)
}

// otherOwner is for systems whose cache directory is writable for others.
func otherOwner(one, other fs.FileInfo) bool { return false }
