package program

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A tree is the disk as an overlay makes it look. Every look at files goes through it.
type tree struct {
	overlay map[string][]byte
	// names are what the overlay adds to or changes in a directory, sorted: files, and
	// directories that may not exist on disk.
	names map[string][]string
	// trace, when not nil, notes what the disk answers.
	trace *Trace
}

func newTree(overlay map[string][]byte, trace *Trace) tree {
	t := tree{overlay: overlay, trace: trace}
	if len(overlay) == 0 {
		return t
	}
	t.names = map[string][]string{}
	for _, file := range sortedKeys(overlay) {
		if overlay[file] == nil {
			continue
		}
		for name := file; ; name = filepath.Dir(name) {
			dir := filepath.Dir(name)
			if dir == name || slices.Contains(t.names[dir], filepath.Base(name)) {
				break
			}
			t.names[dir] = append(t.names[dir], filepath.Base(name))
		}
	}
	for dir := range t.names {
		slices.Sort(t.names[dir])
	}
	return t
}

// read returns the content of a source file.
func (t tree) read(name string) ([]byte, error) {
	if src, ok := t.overlay[name]; ok {
		if src == nil {
			return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
		}
		return src, nil
	}
	src, err := ReadFile(name)
	t.trace.file(name, func() []byte { return src }, err)
	return src, err
}

// readInto is read into a buffer that can be used again; what the buffer held is dropped.
func (t tree) readInto(buf *bytes.Buffer, name string) error {
	src, ok := t.overlay[name]
	if !ok {
		err := ReadInto(buf, name)
		t.trace.file(name, buf.Bytes, err)
		return err
	}
	buf.Reset()
	if src == nil {
		return &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	buf.Write(src)
	return nil
}

// exists reports whether there is a file or directory of that name.
func (t tree) exists(name string) bool {
	if src, ok := t.overlay[name]; ok {
		return src != nil
	}
	if len(t.names[name]) > 0 {
		return true
	}
	is := exists(name)
	t.trace.exists(name, is)
	return is
}

// readDir lists a directory by name.
func (t tree) readDir(dir string) ([]fs.DirEntry, error) {
	list, err := os.ReadDir(dir)
	t.trace.dir(dir, list, err)
	added := t.names[dir]
	if err != nil && len(added) == 0 {
		return list, err
	}
	list = slices.DeleteFunc(list, func(d fs.DirEntry) bool {
		src, ok := t.overlay[filepath.Join(dir, d.Name())]
		return ok && src == nil || slices.Contains(added, d.Name())
	})
	for _, base := range added {
		name := filepath.Join(dir, base)
		list = append(list, overlaidEntry{base, int64(len(t.overlay[name])), t.overlay[name] == nil})
	}
	slices.SortFunc(list, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return list, nil
}

// walkDir is filepath.WalkDir.
func (t tree) walkDir(root string, visit fs.WalkDirFunc) error {
	if len(t.overlay) == 0 && t.trace == nil {
		return filepath.WalkDir(root, visit)
	}
	var d fs.DirEntry = overlaidEntry{filepath.Base(root), 0, true}
	if info, err := os.Lstat(root); err == nil {
		d = fs.FileInfoToDirEntry(info)
	} else if len(t.names[root]) == 0 {
		d = nil
		if err = visit(root, nil, err); err == filepath.SkipDir || err == filepath.SkipAll {
			return nil
		}
		return err
	}
	err := t.walk(root, d, visit)
	if err == filepath.SkipDir || err == filepath.SkipAll {
		return nil
	}
	return err
}

func (t tree) walk(name string, d fs.DirEntry, visit fs.WalkDirFunc) error {
	if err := visit(name, d, nil); err != nil || !d.IsDir() {
		if err == filepath.SkipDir && d.IsDir() {
			err = nil
		}
		return err
	}
	list, err := t.readDir(name)
	if err != nil {
		if err = visit(name, d, err); err != nil {
			if err == filepath.SkipDir {
				err = nil
			}
			return err
		}
	}
	for _, e := range list {
		if err := t.walk(filepath.Join(name, e.Name()), e, visit); err != nil {
			if err == filepath.SkipDir {
				break
			}
			return err
		}
	}
	return nil
}

// An overlaidEntry is a file that an overlay holds, or a directory of such.
type overlaidEntry struct {
	name string
	size int64
	dir  bool
}

func (e overlaidEntry) Name() string               { return e.name }
func (e overlaidEntry) Size() int64                { return e.size }
func (e overlaidEntry) IsDir() bool                { return e.dir }
func (e overlaidEntry) Type() fs.FileMode          { return e.Mode().Type() }
func (e overlaidEntry) Info() (fs.FileInfo, error) { return e, nil }
func (e overlaidEntry) ModTime() time.Time         { return time.Time{} }
func (e overlaidEntry) Sys() any                   { return nil }

func (e overlaidEntry) Mode() fs.FileMode {
	if e.dir {
		return fs.ModeDir | 0o755
	}
	return 0o644
}

// ReadFile returns the content of a source file as the program was loaded with it; see [ReadFile].
func (p *Program) ReadFile(name string) ([]byte, error) { return p.loader.tree.read(name) }

// ReadInto is ReadFile into a buffer that can be used again; what the buffer held is dropped.
func (p *Program) ReadInto(buf *bytes.Buffer, name string) error {
	return p.loader.tree.readInto(buf, name)
}

// WalkDir is filepath.WalkDir over the files that the program was loaded with.
func (p *Program) WalkDir(root string, visit fs.WalkDirFunc) error {
	return p.loader.tree.walkDir(root, visit)
}

// Exists reports whether there was a file or directory of that name when the program was loaded.
func (p *Program) Exists(name string) bool { return p.loader.tree.exists(name) }

// InDir returns the absolute names of a directory's files that end in ext, sorted.
func (p *Program) InDir(dir, ext string) []string {
	list, _ := p.loader.tree.readDir(dir)
	var names []string
	for _, d := range list {
		if !d.IsDir() && strings.HasSuffix(d.Name(), ext) {
			names = append(names, filepath.Join(dir, d.Name()))
		}
	}
	return names
}
