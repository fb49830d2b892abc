package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// Names are the names that the file may have.
var Names = []string{".ctxmend.yaml", ".ctxmend.yml"}

// Find returns the file that holds for a directory, "" when there is none: the nearest one in the directory or above it,
// up to the top of the repository (the directory with .git in it) or, outside of any, up to the outermost module or
// workspace. What lies further up belongs to somebody else, and a home directory would make results differ
// between machines.
func Find(dir string) (string, error) {
	top := topOf(dir)
	for {
		name, err := in(dir)
		if err != nil || name != "" || dir == top {
			return name, err
		}
		dir = filepath.Dir(dir)
	}
}

// topOf returns the directory at which the search ends: dir itself or one above it.
func topOf(dir string) string {
	top := dir
	for at := dir; ; at = filepath.Dir(at) {
		if there(at, ".git") {
			return at
		}
		if there(at, "go.mod") || there(at, "go.work") {
			top = at
		}
		if at == filepath.Dir(at) {
			return top
		}
	}
}

func there(dir, name string) bool {
	_, err := os.Lstat(filepath.Join(dir, name))
	return err == nil
}

// in returns the file that lies in a directory, if one does.
func in(dir string) (string, error) {
	found := ""
	for _, base := range Names {
		name := filepath.Join(dir, base)
		if _, err := os.Lstat(name); errors.Is(err, fs.ErrNotExist) {
			continue
		} else if err != nil {
			return "", err
		}
		if found != "" {
			return "", fmt.Errorf("both %s and %s lie in %s; remove one", Names[0], base, dir)
		}
		found = name
	}
	return found, nil
}
