package queue

import (
	"os"
	"path/filepath"
	"strings"
)

// ownerFile names the process that a directory for clones belongs to.
const ownerFile = "owner"

// WorkDir makes a directory for the clones of this process below base, and removes those that processes left which were
// killed. Remove removes it with all there is in it.
func WorkDir(base string) (dir string, remove func() error, err error) {
	if err := os.MkdirAll(base, 0o700); err != nil {
		return "", nil, err
	}
	entries, err := os.ReadDir(base)
	if err != nil {
		return "", nil, err
	}
	for _, e := range entries {
		left := filepath.Join(base, e.Name())
		if owner, err := os.ReadFile(filepath.Join(left, ownerFile)); err == nil && dead(strings.TrimSpace(string(owner))) {
			_ = os.RemoveAll(left) // another process may do the same
		}
	}
	if dir, err = os.MkdirTemp(base, "clones-"); err != nil {
		return "", nil, err
	}
	if err := os.WriteFile(filepath.Join(dir, ownerFile), []byte(workerName()+"\n"), 0o600); err != nil {
		return "", nil, err
	}
	return dir, func() error { return os.RemoveAll(dir) }, nil
}
