package patches

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// The ways in which an operation can go wrong.
type fault int

const (
	faultNone  fault = iota
	faultFail        // it fails, without effect
	faultLie         // it fails, but has had its effect
	faultFull        // creating a file finds the disk full; other operations succeed
	faultCrash       // the process dies before it
	faultAfter       // the process dies after it
	faultTorn        // the process dies half way through writing a file
	faultEdit        // somebody else does something before it
)

var errFault = errors.New("injected failure")
var errCrash = errors.New("the process is dead")

// faultFS is the real file system, where operation number at goes wrong. It leaves
// syncing to disk out.
type faultFS struct {
	osFS
	fault fault
	at    int
	n     int // operations so far
	dead  bool
	hit   bool   // the fault has taken place
	hitAt string // the operation and name it took place at
	edit  func() // for faultEdit
	plain bool   // the system cannot exchange names
	// onOp is called with every operation before it takes place.
	onOp func(op, name string)
}

// step counts one operation and says whether it takes place and what it returns.
func (f *faultFS) step(op, name string) (do bool, err error) {
	if f.dead {
		return false, errCrash
	}
	f.n++
	if f.onOp != nil {
		f.onOp(op, name)
	}
	if f.n != f.at || f.fault == faultNone {
		return true, nil
	}
	if f.fault == faultFull && op != "write" {
		f.at++ // the next one then
		return true, nil
	}
	f.hit, f.hitAt = true, op+" "+filepath.Base(name)
	fail := &fs.PathError{Op: op, Path: name, Err: errFault}
	switch f.fault {
	case faultFail:
		return false, fail
	case faultLie:
		return true, fail
	case faultFull:
		return false, &fs.PathError{Op: op, Path: name, Err: syscall.ENOSPC}
	case faultAfter:
		f.dead = true
		return true, errCrash
	case faultEdit:
		f.edit()
		return true, nil
	}
	f.dead = true
	return false, errCrash
}

func (f *faultFS) Lstat(name string) (fs.FileInfo, error) {
	if do, err := f.step("lstat", name); !do || err != nil {
		return nil, err
	}
	return f.osFS.Lstat(name)
}

func (f *faultFS) ReadFile(name string) ([]byte, error) {
	if do, err := f.step("read", name); !do || err != nil {
		return nil, err
	}
	return f.osFS.ReadFile(name)
}

func (f *faultFS) ReadNames(name string) ([]string, error) {
	if do, err := f.step("readdir", name); !do || err != nil {
		return nil, err
	}
	return f.osFS.ReadNames(name)
}

func (f *faultFS) EvalSymlinks(name string) (string, error) {
	if do, err := f.step("eval", name); !do || err != nil {
		return "", err
	}
	return f.osFS.EvalSymlinks(name)
}

func (f *faultFS) CheckWritable(name string) error {
	if do, err := f.step("writable", name); !do || err != nil {
		return err
	}
	return f.osFS.CheckWritable(name)
}

func (f *faultFS) Open(name string) (newFile, error) {
	do, err := f.step("open", name)
	if !do {
		return nil, err
	}
	file, oerr := f.osFS.Open(name)
	if oerr != nil {
		return nil, oerr
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return &faultFile{f, name, file}, nil
}

// A faultFile is a file being written to a faultFS.
type faultFile struct {
	fs   *faultFS
	name string
	file newFile
}

func (f *faultFile) Write(data []byte) (int, error) {
	do, err := f.fs.step("write", f.name)
	if !do && f.fs.fault == faultTorn && f.fs.hit && f.fs.n == f.fs.at {
		f.file.Write(data[:len(data)/2])
	}
	if do {
		f.file.Write(data)
	}
	return len(data), err
}

func (f *faultFile) Own(fs.FileInfo) {}

func (f *faultFile) Chmod(mode fs.FileMode) error {
	do, err := f.fs.step("chmod", f.name)
	if do {
		f.file.Chmod(mode)
	}
	return err
}

func (f *faultFile) Sync() error {
	_, err := f.fs.step("fsync", f.name)
	return err
}

func (f *faultFile) Close() error { return f.file.Close() }

// change takes one step that changes names.
func (f *faultFS) change(op, name string, change func() error) error {
	do, err := f.step(op, name)
	if do {
		if err := change(); err != nil {
			return err
		}
	}
	return err
}

func (f *faultFS) Rename(from, to string) error {
	return f.change("rename", to, func() error { return f.osFS.Rename(from, to) })
}

func (f *faultFS) RenameNew(from, to string) error {
	return f.change("renamenew", to, func() error { return f.osFS.RenameNew(from, to) })
}

func (f *faultFS) Exchange(one, other string) error {
	if f.plain {
		return errors.ErrUnsupported
	}
	return f.change("exchange", other, func() error { return f.osFS.Exchange(one, other) })
}

func (f *faultFS) Remove(name string) error {
	return f.change("remove", name, func() error { return f.osFS.Remove(name) })
}

func (f *faultFS) RemoveDir(name string) error {
	return f.change("rmdir", name, func() error { return f.osFS.RemoveDir(name) })
}

func (f *faultFS) Mkdir(name string) error {
	return f.change("mkdir", name, func() error { return f.osFS.Mkdir(name) })
}

func (f *faultFS) MkdirPrivate(name string) error {
	return f.change("mkdirall", name, func() error { return f.osFS.MkdirPrivate(name) })
}

func (f *faultFS) SyncDir(name string) error {
	return f.change("sync", name, func() error {
		_, err := os.Lstat(name)
		return err
	})
}

// A world is a directory tree with a patch set for it and a cache directory.
type testWorld struct {
	root, cache string
	set         *Set
	before      tree // before an earlier fix, which is on record
	old, new    tree // before and after the set
}

// A tree is what a directory holds: contents and mode by name.
type tree map[string]string

func readTree(t testing.TB, dir string) tree {
	t.Helper()
	got := tree{}
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || name == dir {
			return err
		}
		rel := filepath.ToSlash(name[len(dir)+1:])
		info, err := d.Info()
		if err != nil {
			return err
		}
		switch {
		case d.IsDir():
			got[rel+"/"] = ""
		case info.Mode().IsRegular():
			data, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			got[rel] = fmt.Sprintf("%v %q", info.Mode(), data)
		default:
			got[rel] = info.Mode().String()
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// memoryDir returns a temporary directory, in memory where there is such a place:
// a disk takes its time to replace a file, and the tests replace thousands.
func memoryDir(t testing.TB) string {
	const shm = "/dev/shm"
	dir, err := os.MkdirTemp(shm, "ctxmend")
	if err != nil {
		return t.TempDir()
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// newWorld makes a world in which one fix, of prior.go, has been written before.
func newWorld(t testing.TB) *testWorld {
	t.Helper()
	dir, err := filepath.EvalSymlinks(memoryDir(t))
	if err != nil {
		t.Fatal(err)
	}
	w := &testWorld{root: filepath.Join(dir, "src"), cache: filepath.Join(dir, "cache")}
	writeFile(t, w.name("prior.go"), []byte("package prior\n"), 0o644)
	writeFile(t, w.name("a.go"), []byte("package a\n"), 0o644)
	writeFile(t, w.name("sub/b.go"), []byte("package b\r\n\r\nvar x\r\n"), 0o755)
	writeFile(t, w.name("sub/gone.go"), []byte("package b"), 0o600)
	writeFile(t, w.name("other/keep.txt"), []byte("keep"), 0o644)
	w.before = readTree(t, w.root)
	prior := &Set{Root: w.root, Files: []*File{w.file("prior.go", "package prior\n", "package prior // fixed\n")}}
	if err := prior.Write(t.Context(), WriteOptions{CacheDir: w.cache, ops: &faultFS{}}); err != nil {
		t.Fatal(err)
	}
	w.set = w.newSet()
	w.old = readTree(t, w.root)
	w.new = tree{}
	for name, text := range w.old {
		w.new[name] = text
	}
	delete(w.new, "sub/gone.go")
	w.new["a.go"] = `-rw-r--r-- "package a\n\nvar New int\n"`
	w.new["sub/b.go"] = `-rwxr-xr-x "package b\r\n"`
	w.new["sub/made.go"] = `-rw-r--r-- "package b\n"`
	w.new["new/"], w.new["new/deep/"] = "", ""
	w.new["new/deep/c.go"] = `-rw-r--r-- "package deep\n"`
	return w
}

// newSet returns the set that is tried on the world.
func (w *testWorld) newSet() *Set {
	return &Set{Root: w.root, Roots: []string{w.root}, Files: []*File{
		w.file("a.go", "package a\n", "package a\n\nvar New int\n"),
		w.file("new/deep/c.go", "", "package deep\n"),
		w.file("sub/b.go", "package b\r\n\r\nvar x\r\n", "package b\r\n"),
		w.file("sub/gone.go", "package b", ""),
		w.file("sub/made.go", "", "package b\n"),
	}}
}

func (w *testWorld) name(rel string) string { return filepath.Join(w.root, filepath.FromSlash(rel)) }

// file returns a change; an empty text stands for no file.
func (w *testWorld) file(rel, old, new string) *File {
	f := &File{Name: w.name(rel), Rel: rel}
	if old != "" {
		f.Old = []byte(old)
	}
	if new != "" {
		f.New = []byte(new)
	}
	return f
}

// cacheFiles returns the names in the world's journal directory.
func (w *testWorld) cacheFiles(t testing.TB) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(w.cache, "*", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range files {
		files[i] = filepath.Base(files[i])
	}
	return files
}
