package patches

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"sort"
	"strings"
)

// A change is one file to be written: a File, or a file to be taken back.
type change struct {
	name     string // absolute
	label    string // for messages
	old, new []byte
	mode     fs.FileMode // for a file that is created
	info     fs.FileInfo // of the file on disk, nil if there is none; set by check
}

// A checker looks at changes before anything is written.
type checker struct {
	ops    fsops
	roots  []string
	undo   bool
	stale  []string        // labels of files that do not hold their old bytes
	seen   map[string]bool // real names of the files met
	dirs   []string        // directories to create, parents first
	listed map[string]map[string]string
}

// check makes sure that every change can be made and that each file holds its old
// bytes. It returns the directories that are missing.
func check(ops fsops, roots []string, changes []*change, undo bool) (dirs []string, err error) {
	c := &checker{
		ops: ops, roots: roots, undo: undo,
		seen:   map[string]bool{},
		listed: map[string]map[string]string{},
	}
	for _, ch := range changes {
		if err := c.checkFile(ch); err != nil {
			return nil, err
		}
	}
	if len(c.stale) > 0 {
		sort.Strings(c.stale)
		return nil, &ChangedError{Files: slices.Compact(c.stale), Undo: undo}
	}
	return c.dirs, nil
}

func (c *checker) checkFile(ch *change) error {
	dir, absent, err := confine(c.ops, c.roots, ch)
	if err != nil {
		return err
	}
	real := filepath.Join(dir, filepath.Join(absent...), filepath.Base(ch.name))
	if c.seen[real] {
		return fmt.Errorf("%s is in the patch set twice", ch.label)
	}
	c.seen[real] = true
	info, err := c.ops.Lstat(ch.name)
	if err != nil && !missing(err) {
		return &WriteError{File: ch.label, Err: err}
	}
	if err != nil {
		info = nil
	}
	ch.info = info
	if ch.old == nil {
		return c.checkNew(ch, dir, absent)
	}
	return c.checkOld(ch, dir)
}

// checkOld checks a file that is to exist.
func (c *checker) checkOld(ch *change, dir string) error {
	if ch.info == nil {
		c.stale = append(c.stale, ch.label)
		return nil
	}
	if !ch.info.Mode().IsRegular() {
		return &IrregularError{File: ch.label, Mode: ch.info.Mode().Type()}
	}
	data, err := c.ops.ReadFile(ch.name)
	if err != nil {
		return &WriteError{File: ch.label, Err: err}
	}
	if !bytes.Equal(data, ch.old) {
		c.stale = append(c.stale, ch.label)
		return nil
	}
	// Renaming would replace a read-only file, and root may write to any: the
	// bits say that nobody should.
	if ch.info.Mode().Perm()&0o222 == 0 {
		return &ReadOnlyError{File: ch.label}
	}
	if err := c.ops.CheckWritable(ch.name); err != nil {
		return refused(ch.label, err, false)
	}
	return c.checkDir(ch, dir)
}

// checkNew checks a file that is to be created below dir in the absent directories.
func (c *checker) checkNew(ch *change, dir string, absent []string) error {
	if ch.info != nil {
		if c.undo {
			c.stale = append(c.stale, ch.label)
			return nil
		}
		return &ExistsError{File: ch.label}
	}
	if err := c.checkDir(ch, dir); err != nil {
		return err
	}
	lexical := ch.name
	for range absent {
		lexical = filepath.Dir(lexical)
	}
	lexical = filepath.Dir(lexical)
	for _, part := range append(slices.Clone(absent), filepath.Base(ch.name)) {
		if err := c.checkCase(ch, dir, part); err != nil {
			return err
		}
		dir = filepath.Join(dir, part)
		lexical = filepath.Join(lexical, part)
		if lexical != ch.name && !slices.Contains(c.dirs, lexical) {
			c.dirs = append(c.dirs, lexical)
		}
	}
	return nil
}

// checkDir checks that names in the directory may be changed as far as its bits tell.
func (c *checker) checkDir(ch *change, dir string) error {
	info, err := c.ops.Lstat(dir)
	if err != nil {
		return &WriteError{File: ch.label, Err: err}
	}
	if info.Mode().Perm()&0o222 == 0 {
		return &ReadOnlyError{File: ch.label, Dir: true}
	}
	return nil
}

// checkCase refuses a new name that differs from one in the directory by letter
// case only. It does so on every system, since the go command refuses such
// packages everywhere and the file would be lost where case does not matter.
func (c *checker) checkCase(ch *change, dir, name string) error {
	names := c.listed[dir]
	if names == nil {
		names = map[string]string{}
		have, err := c.ops.ReadNames(dir)
		if err != nil && !missing(err) {
			return &WriteError{File: ch.label, Err: err}
		}
		sort.Strings(have)
		for _, n := range have {
			names[foldCase(n)] = n
		}
		c.listed[dir] = names
	}
	if other, ok := names[foldCase(name)]; ok && other != name {
		return &ExistsError{File: ch.label, Other: other}
	}
	names[foldCase(name)] = name
	return nil
}

// foldCase maps names to one text if they differ by letter case only.
func foldCase(name string) string { return strings.ToLower(strings.ToUpper(name)) }

// confine returns the real path of the nearest existing directory above the
// change's file, and the names of the directories between it and the file that are
// missing. It fails unless all that lies in one of the roots.
func confine(ops fsops, roots []string, ch *change) (dir string, absent []string, err error) {
	root, realRoot := findRoot(ops, roots, ch.name)
	if root == "" || !filepath.IsAbs(ch.name) || filepath.Clean(ch.name) != ch.name {
		return "", nil, &OutsideError{File: ch.label}
	}
	at := filepath.Dir(ch.name)
	for at != root {
		_, err := ops.Lstat(at)
		if err == nil {
			break
		}
		if !missing(err) {
			return "", nil, &WriteError{File: ch.label, Err: err}
		}
		absent = append([]string{filepath.Base(at)}, absent...)
		at = filepath.Dir(at)
	}
	real, err := ops.EvalSymlinks(at)
	if err != nil {
		return "", nil, &WriteError{File: ch.label, Err: err} // a link to nowhere
	}
	if rel, err := filepath.Rel(realRoot, real); err != nil || !filepath.IsLocal(rel) {
		return "", nil, &OutsideError{File: ch.label, Real: filepath.Join(real, filepath.Join(absent...), filepath.Base(ch.name))}
	}
	info, err := ops.Lstat(real)
	if err != nil {
		return "", nil, &WriteError{File: ch.label, Err: err}
	}
	if !info.IsDir() {
		return "", nil, &IrregularError{File: ch.label, Mode: info.Mode().Type()}
	}
	return real, absent, nil
}

// findRoot returns the innermost of the roots that name lies below by its spelling,
// as spelled and as it really is; a root may be meant by its real name too.
func findRoot(ops fsops, roots []string, name string) (root, real string) {
	for _, r := range roots {
		at, err := ops.EvalSymlinks(r)
		if err != nil {
			continue // a root that is not there holds no file
		}
		for _, spelled := range []string{filepath.Clean(r), at} {
			rel, err := filepath.Rel(spelled, name)
			if err == nil && filepath.IsLocal(rel) && rel != "." && len(spelled) > len(root) {
				root, real = spelled, at
			}
		}
	}
	return root, real
}

// refused turns what the system said about writing a file, or in its directory,
// into the error that says what to do.
func refused(label string, err error, dir bool) error {
	if errors.Is(err, fs.ErrPermission) || readOnlyFS(err) {
		return &ReadOnlyError{File: label, Dir: dir || readOnlyFS(err), Err: err}
	}
	return &WriteError{File: label, Err: err}
}

// refusedIf is refused for an operation on a name that may have worked.
func refusedIf(label string, err error) error {
	if err == nil {
		return nil
	}
	return refused(label, err, true)
}
