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
