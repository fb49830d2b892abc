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

	// Open makes a file that must not exist, writable for the user alone.
	Open(name string) (newFile, error)
	// Rename gives the file another name, in place of what bears it.
	Rename(from, to string) error
	// RenameNew gives the file a name that nothing bears; fs.ErrExist says that something does.
	RenameNew(from, to string) error
	// Exchange swaps what two names stand for, so that neither is lost at any moment.
	// errors.ErrUnsupported says that the system cannot do that here.
	Exchange(one, other string) error
	Remove(name string) error
	// RemoveDir removes an empty directory, and nothing that took its name.
	RemoveDir(name string) error
	Mkdir(name string) error
	// MkdirPrivate makes a directory and its parents for the user alone.
	MkdirPrivate(name string) error
	// SyncDir makes the names in a directory durable where the system can.
	SyncDir(name string) error
}

// A newFile is a file being written. What was written is durable after Sync.
type newFile interface {
	Write(data []byte) (int, error)
	// Own gives it the owner of another file where that is allowed.
	Own(like fs.FileInfo)
	Chmod(mode fs.FileMode) error
	Sync() error
	Close() error
}

// create makes a file that must not exist with exactly these bytes and mode,
// owned as like is where that is allowed (like may be nil), and makes its
// contents durable. On failure it removes what it made.
func create(ops fsops, name string, data []byte, mode fs.FileMode, like fs.FileInfo) error {
	f, err := ops.Open(name)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		if like != nil {
			f.Own(like) // before the mode: a change of owner clears bits of it
		}
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		ops.Remove(name)
	}
	return err
}

// osFS is the operating system's file system.
type osFS struct{}

// An osFile is a file of osFS.
type osFile struct{ *os.File }

func (f osFile) Own(like fs.FileInfo) { keepOwner(f.File, like) }

func (f osFile) Chmod(mode fs.FileMode) error {
	if runtime.GOOS == "windows" {
		return nil // knows no mode but read-only, which checkFile has refused
	}
	return f.File.Chmod(mode)
}

func (osFS) Lstat(name string) (fs.FileInfo, error)   { return os.Lstat(name) }
func (osFS) ReadFile(name string) ([]byte, error)     { return os.ReadFile(name) }
func (osFS) EvalSymlinks(name string) (string, error) { return filepath.EvalSymlinks(name) }
func (osFS) Rename(from, to string) error             { return os.Rename(from, to) }
func (osFS) Remove(name string) error                 { return os.Remove(name) }
func (osFS) RemoveDir(name string) error              { return removeDir(name) }
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

func (osFS) Open(name string) (newFile, error) {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return osFile{f}, nil
}

// RenameNew makes do with two steps where the system has no single one: both names
// stand for the file between them.
func (osFS) RenameNew(from, to string) error {
	err := renameNew(from, to)
	if !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	if err := os.Link(from, to); err == nil {
		return os.Remove(from)
	} else if errors.Is(err, fs.ErrExist) {
		return err
	}
	if _, err := os.Lstat(to); !missing(err) {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return os.Rename(from, to) // no hard links either: a moment stays open
}

func (osFS) Exchange(one, other string) error { return exchange(one, other) }

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
