package patches

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"
)

// A disk is a file system in memory that knows what would be left of it if the power
// failed: what was written to a file is durable once the file was synced, and what
// became of a name once its directory was. Of all else any part may be lost, in any order.
type disk struct {
	root *inode
	// onOp is called before every operation.
	onOp func()
}

// An inode is a file or a directory, as it is and as it would be after a power failure.
type inode struct {
	dir     bool
	data    []byte
	mode    fs.FileMode
	durable bool // a file's data and mode are
	names   map[string]*inode
	synced  map[string]*inode
	pending []nameChange // since the directory was synced
}

// A nameChange is one operation on the names of a directory, which is kept as a whole
// or lost: what becomes of each name it concerns, nil for nothing.
type nameChange map[string]*inode

func newDisk() *disk { return &disk{root: newDir()} }

func newDir() *inode {
	return &inode{dir: true, mode: fs.ModeDir | 0o755, names: map[string]*inode{}, synced: map[string]*inode{}}
}

func (d *disk) step() {
	if d.onOp != nil {
		d.onOp()
	}
}

// find returns what a name stands for.
func (d *disk) find(name string) (*inode, error) {
	at := d.root
	for part := range strings.SplitSeq(strings.Trim(filepath.ToSlash(name), "/"), "/") {
		if part == "" {
			continue
		}
		if !at.dir {
			return nil, &fs.PathError{Op: "lookup", Path: name, Err: syscall.ENOTDIR}
		}
		next := at.names[part]
		if next == nil {
			return nil, &fs.PathError{Op: "lookup", Path: name, Err: fs.ErrNotExist}
		}
		at = next
	}
	return at, nil
}

// change carries out an operation on names of one directory.
func (d *disk) change(dir string, change nameChange) error {
	at, err := d.find(dir)
	if err != nil {
		return err
	}
	apply(at.names, change)
	at.pending = append(at.pending, change)
	return nil
}

func apply(names map[string]*inode, change nameChange) {
	for name, to := range change {
		if to == nil {
			delete(names, name)
		} else {
			names[name] = to
		}
	}
}

// survivors calls yield with every disk that a power failure may leave, all of it durable.
func (d *disk) survivors(yield func(*disk)) {
	var unsynced []*inode // directories with pending changes, files with data at risk
	seen := map[*inode]bool{}
	var walk func(*inode)
	walk = func(n *inode) {
		if seen[n] {
			return
		}
		seen[n] = true
		if n.dir && len(n.pending) > 0 || !n.dir && !n.durable {
			unsynced = append(unsynced, n)
		}
		for _, names := range append([]map[string]*inode{n.synced, n.names}, asMaps(n.pending)...) {
			for _, name := range slices.Sorted(maps.Keys(names)) {
				if to := names[name]; to != nil {
					walk(to)
				}
			}
		}
	}
	walk(d.root)
	fate := map[*inode]int{} // which changes stay, or how much data
	var choose func(i int)
	choose = func(i int) {
		if i == len(unsynced) {
			yield(&disk{root: remains(d.root, fate, map[*inode]*inode{})})
			return
		}
		fates := 3
		if unsynced[i].dir {
			fates = 1 << len(unsynced[i].pending)
		}
		for f := range fates {
			fate[unsynced[i]] = f
			choose(i + 1)
		}
	}
	choose(0)
}

func asMaps(changes []nameChange) []map[string]*inode {
	var out []map[string]*inode
	for _, c := range changes {
		out = append(out, c)
	}
	return out
}

// remains returns what is left of an inode whose fate is decided.
func remains(n *inode, fate map[*inode]int, done map[*inode]*inode) *inode {
	if done[n] != nil {
		return done[n]
	}
	if !n.dir {
		left := &inode{data: n.data, mode: n.mode, durable: true}
		done[n] = left
		if !n.durable {
			left.data = n.data[:len(n.data)*fate[n]/2]
			if fate[n] < 2 {
				left.mode = 0o600
			}
		}
		return left
	}
	left := newDir()
	left.mode = n.mode
	done[n] = left
	names := maps.Clone(n.synced)
	for i, change := range n.pending {
		if fate[n]&(1<<i) != 0 {
			apply(names, change)
		}
	}
	for name, to := range names {
		left.names[name] = remains(to, fate, done)
	}
	left.synced = maps.Clone(left.names)
	return left
}

// clone returns an independent copy of a disk of which all is durable.
func (d *disk) clone() *disk {
	return &disk{root: remains(d.root, nil, map[*inode]*inode{})}
}

// tree returns what a directory holds, as readTree does.
func (d *disk) tree(dir string) tree {
	t := tree{}
	at, err := d.find(dir)
	if err != nil {
		return t
	}
	var walk func(prefix string, n *inode)
	walk = func(prefix string, n *inode) {
		for name, to := range n.names {
			if to.dir {
				t[prefix+name+"/"] = ""
				walk(prefix+name+"/", to)
			} else {
				t[prefix+name] = fmt.Sprintf("%v %q", to.mode, to.data)
			}
		}
	}
	walk("", at)
	return t
}

// put writes a file as if it had always been there.
func (d *disk) put(name, text string, mode fs.FileMode) {
	at := d.root
	dir, base := path.Split(filepath.ToSlash(name))
	for part := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		if at.names[part] == nil {
			at.names[part] = newDir()
			at.synced[part] = at.names[part]
		}
		at = at.names[part]
	}
	at.names[base] = &inode{data: []byte(text), mode: mode, durable: true}
	at.synced[base] = at.names[base]
}

// An inodeInfo describes an inode. Everything is old, so that no lock is taken for fresh.
type inodeInfo struct {
	*inode
	name string
}

func (i inodeInfo) Name() string       { return i.name }
func (i inodeInfo) Size() int64        { return int64(len(i.data)) }
func (i inodeInfo) Mode() fs.FileMode  { return i.mode }
func (i inodeInfo) ModTime() time.Time { return time.Now().Add(-time.Hour) }
func (i inodeInfo) IsDir() bool        { return i.dir }
func (i inodeInfo) Sys() any           { return nil }

func (d *disk) Lstat(name string) (fs.FileInfo, error) {
	n, err := d.find(name)
	if err != nil {
		return nil, err
	}
	return inodeInfo{n, filepath.Base(name)}, nil
}

func (d *disk) ReadFile(name string) ([]byte, error) {
	n, err := d.find(name)
	if err != nil {
		return nil, err
	}
	return slices.Clone(n.data), nil
}

func (d *disk) ReadNames(dir string) ([]string, error) {
	n, err := d.find(dir)
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(n.names)), nil
}

func (d *disk) EvalSymlinks(name string) (string, error) {
	_, err := d.find(name)
	return name, err
}

func (d *disk) CheckWritable(name string) error {
	_, err := d.find(name)
	return err
}

func (d *disk) Open(name string) (newFile, error) {
	d.step()
	if _, err := d.find(name); err == nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrExist}
	}
	n := &inode{mode: 0o600}
	return &diskFile{n, d}, d.change(filepath.Dir(name), nameChange{filepath.Base(name): n})
}

// A diskFile is a file of a disk that is being written.
type diskFile struct {
	n *inode
	d *disk
}

func (f *diskFile) Write(data []byte) (int, error) {
	f.d.step()
	f.n.data, f.n.durable = append(f.n.data, data...), false
	return len(data), nil
}

func (f *diskFile) Own(fs.FileInfo) {}

func (f *diskFile) Chmod(mode fs.FileMode) error {
	f.d.step()
	f.n.mode, f.n.durable = mode, false
	return nil
}

func (f *diskFile) Sync() error {
	f.d.step()
	f.n.durable = true
	return nil
}

func (f *diskFile) Close() error { return nil }

// move changes two names of one directory at once.
func (d *disk) move(from, to string, exchange bool) error {
	d.step()
	if filepath.Dir(from) != filepath.Dir(to) {
		return errors.New("the model knows no moves between directories")
	}
	n, err := d.find(from)
	if err != nil {
		return err
	}
	change := nameChange{filepath.Base(from): nil, filepath.Base(to): n}
	if exchange {
		if change[filepath.Base(from)], err = d.find(to); err != nil {
			return err
		}
	}
	return d.change(filepath.Dir(from), change)
}

func (d *disk) Rename(from, to string) error     { return d.move(from, to, false) }
func (d *disk) Exchange(one, other string) error { return d.move(one, other, true) }

func (d *disk) RenameNew(from, to string) error {
	if _, err := d.find(to); err == nil {
		return &fs.PathError{Op: "rename", Path: to, Err: fs.ErrExist}
	}
	return d.move(from, to, false)
}

func (d *disk) Remove(name string) error {
	d.step()
	n, err := d.find(name)
	if err != nil {
		return err
	}
	if n.dir && len(n.names) > 0 {
		return &fs.PathError{Op: "remove", Path: name, Err: syscall.ENOTEMPTY}
	}
	return d.change(filepath.Dir(name), nameChange{filepath.Base(name): nil})
}

func (d *disk) RemoveDir(name string) error {
	if n, err := d.find(name); err == nil && !n.dir {
		return &fs.PathError{Op: "rmdir", Path: name, Err: syscall.ENOTDIR}
	}
	return d.Remove(name)
}

func (d *disk) Mkdir(name string) error {
	d.step()
	if _, err := d.find(name); err == nil {
		return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
	}
	return d.change(filepath.Dir(name), nameChange{filepath.Base(name): newDir()})
}

func (d *disk) MkdirPrivate(name string) error {
	if _, err := d.find(name); err == nil {
		return nil
	}
	if err := d.MkdirPrivate(filepath.Dir(name)); err != nil {
		return err
	}
	return d.Mkdir(name)
}

func (d *disk) SyncDir(name string) error {
	d.step()
	n, err := d.find(name)
	if err != nil {
		return err
	}
	for _, change := range n.pending {
		apply(n.synced, change)
	}
	n.pending = nil
	return nil
}
