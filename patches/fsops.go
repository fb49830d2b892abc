package patches

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// fsops is every operation this package performs on files, so that tests can make
// any one of them fail or be the last before a crash.
type fsops interface {
	Lstat(name string) (fs.FileInfo, error)
	ReadFile(name string) ([]byte, error)
	// ReadNames returns the names in a directory.
	ReadNames(dir string) ([]string, error)
	EvalSymlinks(name string) (string, error)
	// CheckWritable returns an error if the file may not be written. It changes nothing.
	CheckWritable(name string) error

	// Create makes a file that must not exist with exactly these bytes and mode,
	// owned as like is where that is allowed (like may be nil), and makes its
	// contents durable. On failure it removes what it made.
	Create(name string, data []byte, mode fs.FileMode, like fs.FileInfo) error
	Rename(from, to string) error
	Remove(name string) error
	Mkdir(name string) error
	// MkdirPrivate makes a directory and its parents for the user alone.
	MkdirPrivate(name string) error
	// SyncDir makes the names in a directory durable where the system can.
	SyncDir(name string) error
}

// osFS is the operating system's file system.
type osFS struct{}

func (osFS) Lstat(name string) (fs.FileInfo, error)   { return os.Lstat(name) }
func (osFS) ReadFile(name string) ([]byte, error)     { return os.ReadFile(name) }
func (osFS) EvalSymlinks(name string) (string, error) { return filepath.EvalSymlinks(name) }
func (osFS) Rename(from, to string) error             { return os.Rename(from, to) }
func (osFS) Remove(name string) error                 { return os.Remove(name) }
func (osFS) Mkdir(name string) error                  { return os.Mkdir(name, 0o777) }
func (osFS) MkdirPrivate(name string) error           { return os.MkdirAll(name, 0o700) }

func (osFS) ReadNames(dir string) ([]string, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	return d.Readdirnames(-1)
}

func (osFS) CheckWritable(name string) error {
	f, err := os.OpenFile(name, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

func (osFS) Create(name string, data []byte, mode fs.FileMode, like fs.FileInfo) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		if like != nil {
			keepOwner(f, like) // before the mode: a change of owner clears bits of it
		}
		err = f.Chmod(mode)
		if runtime.GOOS == "windows" {
			err = nil // knows no mode but read-only, which checkFile has refused
		}
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		os.Remove(name)
	}
	return err
}

func (osFS) SyncDir(name string) error {
	if runtime.GOOS == "windows" {
		return nil // a directory cannot be flushed there
	}
	d, err := os.Open(name)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	if errors.Is(err, syscall.EINVAL) || errors.Is(err, syscall.ENOTSUP) {
		return nil // some network and user-space file systems cannot
	}
	return err
}
