package patches

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (w *testWorld) write(t *testing.T, s *Set) error {
	t.Helper()
	return s.Write(t.Context(), WriteOptions{CacheDir: w.cache})
}

// TestWriteAndUndo goes the whole way on the real file system.
func TestWriteAndUndo(t *testing.T) {
	w := newWorld(t)
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	w.is(t, w.new, "after writing")
	if files := w.cacheFiles(t); !slices.Equal(files, []string{"last"}) {
		t.Errorf("in the cache: %q", files)
	}
	if ok, msg, err := Recover(w.root, w.cache); ok || msg != "" || err != nil {
		t.Errorf("recover: %v %q %v", ok, msg, err)
	}
	r, err := Undo(t.Context(), w.root, w.cache)
	if err != nil {
		t.Fatal(err)
	}
	w.is(t, w.old, "after undo")
	var want []string
	for _, f := range w.set.Files {
		want = append(want, f.Name)
	}
	if d := cmp.Diff(&UndoResult{Files: want}, r); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if _, err := Undo(t.Context(), w.root, w.cache); err != ErrNothingToUndo {
		t.Errorf("second undo: %v", err)
	}
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	w.is(t, w.new, "after writing again")
}

func TestNothingToUndo(t *testing.T) {
	root, cache := t.TempDir(), filepath.Join(t.TempDir(), "cache")
	if _, err := Undo(t.Context(), root, cache); err != ErrNothingToUndo {
		t.Error(err)
	}
	s := &Set{Root: root, Files: []*File{{Name: filepath.Join(root, "a"), Old: []byte("a"), New: []byte("a")}}}
	if err := s.Write(t.Context(), WriteOptions{CacheDir: cache}); err != nil {
		t.Error(err)
	}
	if _, err := os.Lstat(cache); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the cache was created: %v", err)
	}
}

// TestWriteRefuses holds everything that is found before a byte is written.
func TestWriteRefuses(t *testing.T) {
	for _, test := range []struct {
		name    string
		prepare func(t *testing.T, w *testWorld)
		want    error
		text    string
	}{
		{"changed", func(t *testing.T, w *testWorld) {
			writeFile(t, w.name("sub/b.go"), []byte("edited"), 0o644)
			writeFile(t, w.name("a.go"), []byte(""), 0o644)
		}, &ChangedError{Files: []string{"a.go", "sub/b.go"}}, "a.go, sub/b.go changed since it was read; run ctxmend again"},
		{"removed", func(t *testing.T, w *testWorld) { os.Remove(w.name("a.go")) },
			&ChangedError{Files: []string{"a.go"}}, "a.go changed since"},
		{"directory removed", func(t *testing.T, w *testWorld) { os.RemoveAll(w.name("sub")) },
			&ChangedError{Files: []string{"sub/b.go", "sub/gone.go"}}, ""},
		{"exists", func(t *testing.T, w *testWorld) { writeFile(t, w.name("sub/made.go"), []byte("x"), 0o644) },
			&ExistsError{File: "sub/made.go"}, "cannot create sub/made.go: it exists already"},
		{"exists in other case", func(t *testing.T, w *testWorld) {
			writeFile(t, w.name("sub/Made.go"), []byte("x"), 0o644)
		}, &ExistsError{File: "sub/made.go", Other: "Made.go"}, "only in letter case"},
		{"exists in lower case", func(t *testing.T, w *testWorld) {
			writeFile(t, w.name("sub/upper.go"), []byte("x"), 0o644)
			w.set.Files = append(w.set.Files, w.file("sub/Upper.go", "", "x"))
		}, &ExistsError{File: "sub/Upper.go", Other: "upper.go"}, "only in letter case"},
		{"directory in other case", func(t *testing.T, w *testWorld) {
			writeFile(t, w.name("New/x.go"), []byte("x"), 0o644)
		}, &ExistsError{File: "new/deep/c.go", Other: "New"}, ""},
		{"two new names alike", func(t *testing.T, w *testWorld) {
			w.set.Files = append(w.set.Files, w.file("new/Deep/d.go", "", "x"))
		}, &ExistsError{File: "new/deep/c.go", Other: "Deep"}, ""},
		{"read-only", func(t *testing.T, w *testWorld) { os.Chmod(w.name("a.go"), 0o444) },
			&ReadOnlyError{File: "a.go"}, "a.go is read-only; make it writable"},
		{"directory in the way", func(t *testing.T, w *testWorld) {
			os.Remove(w.name("a.go"))
			os.Mkdir(w.name("a.go"), 0o777)
		}, &IrregularError{File: "a.go", Mode: fs.ModeDir}, "a.go is a directory"},
		{"file in the way", func(t *testing.T, w *testWorld) { writeFile(t, w.name("new"), []byte("x"), 0o644) },
			nil, "new/deep/c.go"},
		{"outside", func(t *testing.T, w *testWorld) {
			w.set.Files = append(w.set.Files, w.file("../x.go", "", "x"))
		}, &OutsideError{File: "../x.go"}, "outside the modules"},
		{"not in a module", func(t *testing.T, w *testWorld) { w.set.Roots = []string{w.name("sub")} },
			&OutsideError{File: "a.go"}, ""},
		{"relative", func(t *testing.T, w *testWorld) { w.set.Files[0].Name = "a.go" },
			&OutsideError{File: "a.go"}, ""},
		{"twice", func(t *testing.T, w *testWorld) {
			w.set.Files = append(w.set.Files, w.file("a.go", "package a\n", "x"))
		}, nil, "a.go is in the patch set twice"},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWorld(t)
			test.prepare(t, w)
			w.refuses(t, test.want, test.text)
		})
	}
}

// refuses checks that writing the world's set fails as wanted and changes nothing.
func (w *testWorld) refuses(t *testing.T, want error, text string) {
	t.Helper()
	was := readTree(t, w.root)
	err := w.write(t, w.set)
	if err == nil {
		t.Fatal("no error")
	}
	if want != nil {
		if d := cmp.Diff(want, err); d != "" {
			t.Errorf("%v (-want +got):\n%s", err, d)
		}
	}
	if !strings.Contains(err.Error(), text) {
		t.Errorf("error %q, want %q", err, text)
	}
	w.is(t, was, "after the error")
	if files := w.cacheFiles(t); !slices.Equal(files, []string{"last"}) {
		t.Errorf("in the cache: %q", files)
	}
}

// TestWritePermissions needs directory permissions that bind, which they do not
// for the superuser: there the bits alone must be enough.
func TestWritePermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("directories have no such bits")
	}
	w := newWorld(t)
	for _, dir := range []string{"sub", "."} {
		if err := os.Chmod(w.name(dir), 0o555); err != nil {
			t.Fatal(err)
		}
		file := map[string]string{"sub": "sub/b.go", ".": "a.go"}[dir]
		w.refuses(t, &ReadOnlyError{File: file, Dir: true}, "the directory of "+file+" is read-only")
		if err := os.Chmod(w.name(dir), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w.set.Files = w.set.Files[1:2] // the new file alone
	os.Chmod(w.root, 0o555)
	defer os.Chmod(w.root, 0o755)
	w.refuses(t, &ReadOnlyError{File: "new/deep/c.go", Dir: true}, "")
}

// TestWriteDenied has the system deny what the bits allowed.
func TestWriteDenied(t *testing.T) {
	for _, errno := range []syscall.Errno{syscall.EACCES, syscall.EROFS, syscall.ENOSPC, syscall.EIO} {
		w := newWorld(t)
		ops := &denyFS{err: errno}
		err := w.set.Write(t.Context(), WriteOptions{CacheDir: w.cache, ops: ops})
		if !errors.Is(err, errno) {
			t.Errorf("%v: %v", errno, err)
		}
		var denied *ReadOnlyError
		if errors.As(err, &denied) != (errno == syscall.EACCES || errno == syscall.EROFS) {
			t.Errorf("%v: %T", errno, err)
		}
		if strings.Contains(err.Error(), ".ctxmend-") {
			t.Errorf("names a temporary file: %v", err)
		}
		w.is(t, w.old, "after the error")
	}
}

// denyFS cannot create temporary files beside the files of a tree.
type denyFS struct {
	faultFS
	err error
}

func (d *denyFS) Open(name string) (newFile, error) {
	if strings.HasPrefix(filepath.Base(name), ".ctxmend-") && filepath.Base(filepath.Dir(name)) == "sub" {
		return nil, &fs.PathError{Op: "open", Path: name, Err: d.err}
	}
	return d.faultFS.Open(name)
}

func symlink(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Skipf("no symbolic links here: %v", err)
	}
}

func TestWriteSymlinks(t *testing.T) {
	t.Run("file", func(t *testing.T) {
		w := newWorld(t)
		os.Rename(w.name("a.go"), w.name("real.go"))
		symlink(t, "real.go", w.name("a.go"))
		w.refuses(t, &IrregularError{File: "a.go", Mode: fs.ModeSymlink}, "a symbolic link")
	})
	t.Run("new file", func(t *testing.T) {
		w := newWorld(t)
		symlink(t, "nowhere.go", w.name("sub/made.go"))
		w.refuses(t, &ExistsError{File: "sub/made.go"}, "")
	})
	t.Run("directory out of the module", func(t *testing.T) {
		w := newWorld(t)
		out := filepath.Join(filepath.Dir(w.root), "out")
		os.Rename(w.name("sub"), out)
		symlink(t, out, w.name("sub"))
		before := readTree(t, out)
		w.refuses(t, &OutsideError{File: "sub/b.go", Real: filepath.Join(out, "b.go")}, "through a symbolic link")
		if d := cmp.Diff(before, readTree(t, out)); d != "" {
			t.Error(d)
		}
	})
	t.Run("new directory out of the module", func(t *testing.T) {
		w := newWorld(t)
		out := t.TempDir()
		symlink(t, out, w.name("new"))
		w.refuses(t, nil, "through a symbolic link")
	})
	t.Run("directory within the module", func(t *testing.T) {
		w := newWorld(t)
		os.Rename(w.name("sub"), w.name("real"))
		symlink(t, "real", w.name("sub"))
		if err := w.write(t, w.set); err != nil {
			t.Fatal(err)
		}
		if data, err := os.ReadFile(w.name("real/b.go")); string(data) != "package b\r\n" {
			t.Error(string(data), err)
		}
		if info, err := os.Lstat(w.name("sub")); err != nil || info.Mode()&fs.ModeSymlink == 0 {
			t.Error("the link was replaced")
		}
	})
	t.Run("two names for one file", func(t *testing.T) {
		w := newWorld(t)
		symlink(t, "sub", w.name("link"))
		w.set.Files = append(w.set.Files, w.file("link/b.go", string(w.set.Files[2].Old), "x"))
		w.refuses(t, nil, "twice")
	})
	t.Run("link to nowhere", func(t *testing.T) {
		w := newWorld(t)
		symlink(t, "nowhere", w.name("new"))
		w.refuses(t, nil, "new/deep/c.go")
	})
	t.Run("root", func(t *testing.T) {
		w := newWorld(t)
		link := filepath.Join(filepath.Dir(w.root), "link")
		symlink(t, w.root, link)
		s := &Set{Root: link, Roots: []string{link}}
		for _, f := range w.set.Files {
			c := *f
			c.Name = filepath.Join(link, filepath.FromSlash(f.Rel))
			s.Files = append(s.Files, &c)
		}
		if err := w.write(t, s); err != nil {
			t.Fatal(err)
		}
		w.is(t, w.new, "after writing")
		if _, err := Undo(t.Context(), w.root, w.cache); err != nil {
			t.Fatal(err)
		}
		w.is(t, w.old, "after undo by the root's real name")
	})
}

// TestWriteSiblings writes to two modules of a workspace at once.
func TestWriteSiblings(t *testing.T) {
	w := newWorld(t)
	sibling := filepath.Join(filepath.Dir(w.root), "lib")
	writeFile(t, filepath.Join(sibling, "l.go"), []byte("l"), 0o644)
	w.set.Files = append(w.set.Files, w.file("../lib/l.go", "l", "m"))
	w.refuses(t, &OutsideError{File: "../lib/l.go"}, "")
	w.set.Roots = append(w.set.Roots, sibling)
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(sibling, "l.go"), []byte("edited"), 0o644)
	_, err := Undo(t.Context(), w.root, w.cache)
	if d := cmp.Diff(error(&ChangedError{Files: []string{"../lib/l.go"}, Undo: true}), err); d != "" {
		t.Error(d)
	}
	w.is(t, w.new, "after the refused undo")
}

func TestUndoRefuses(t *testing.T) {
	w := newWorld(t)
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	writeFile(t, w.name("sub/gone.go"), []byte("package b"), 0o644)
	os.Remove(w.name("sub/made.go"))
	writeFile(t, w.name("a.go"), []byte("edited"), 0o644)
	was := readTree(t, w.root)
	_, err := Undo(t.Context(), w.root, w.cache)
	want := &ChangedError{Files: []string{"a.go", "sub/gone.go", "sub/made.go"}, Undo: true}
	if d := cmp.Diff(error(want), err); d != "" {
		t.Error(d)
	}
	if !strings.Contains(err.Error(), "changed since the fix") {
		t.Error(err)
	}
	w.is(t, was, "after the refused undo")
	// The record stays: once the edits are gone, undo works.
	os.Remove(w.name("sub/gone.go"))
	writeFile(t, w.name("sub/made.go"), []byte("package b\n"), 0o644)
	writeFile(t, w.name("a.go"), []byte("package a\n\nvar New int\n"), 0o644)
	if _, err := Undo(t.Context(), w.root, w.cache); err != nil {
		t.Fatal(err)
	}
	w.is(t, w.old, "after undo")
}

// TestUndoKeeps keeps what is not the fix's: a file in a directory that the fix
// made, and a mode changed since.
func TestUndoKeeps(t *testing.T) {
	w := newWorld(t)
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	writeFile(t, w.name("new/mine.go"), []byte("mine"), 0o644)
	os.Chmod(w.name("a.go"), 0o600)
	os.RemoveAll(w.name("other"))
	if _, err := Undo(t.Context(), w.root, w.cache); err != nil {
		t.Fatal(err)
	}
	w.old["new/"], w.old["new/mine.go"] = "", `-rw-r--r-- "mine"`
	delete(w.old, "other/")
	delete(w.old, "other/keep.txt")
	if runtime.GOOS != "windows" {
		w.old["a.go"] = `-rw------- "package a\n"`
	}
	w.is(t, w.old, "after undo")
}

func TestUndoDamagedJournal(t *testing.T) {
	w := newWorld(t)
	names, _ := filepath.Glob(filepath.Join(w.cache, "*", "last"))
	data, err := os.ReadFile(names[0])
	if err != nil {
		t.Fatal(err)
	}
	data[len(data)/2] ^= 1
	writeFile(t, names[0], data, 0o600)
	_, err = Undo(t.Context(), w.root, w.cache)
	var damaged *JournalError
	if !errors.As(err, &damaged) || !strings.Contains(err.Error(), "damaged") {
		t.Error(err)
	}
	w.is(t, w.old, "after the error")
}

// TestWriteCancelled cancels the context at every operation.
// TestForgedJournal has journals that name what no run writes to; nothing of it is touched.
func TestForgedJournal(t *testing.T) {
	for name, forge := range map[string]func(w *testWorld, j *journal, victim string){
		"file":       func(_ *testWorld, j *journal, victim string) { j.Entries[0].Name = victim },
		"dots":       func(w *testWorld, j *journal, _ string) { j.Entries[0].Name = w.root + "/../victim" },
		"relative":   func(_ *testWorld, j *journal, _ string) { j.Entries[0].Name = "../victim" },
		"directory":  func(_ *testWorld, j *journal, victim string) { j.MakeDirs = []string{filepath.Dir(victim) + "/empty"} },
		"temporary":  func(w *testWorld, j *journal, _ string) { j.ID = "/../../../victim" },
		"no entry":   func(_ *testWorld, j *journal, _ string) { j.Entries[0] = nil },
		"other root": func(_ *testWorld, j *journal, _ string) { j.Root = "/" },
	} {
		w := newWorld(t)
		victim := filepath.Join(filepath.Dir(w.root), "victim")
		writeFile(t, victim, []byte("new"), 0o644)
		if err := os.Mkdir(filepath.Join(filepath.Dir(w.root), "empty"), 0o777); err != nil {
			t.Fatal(err)
		}
		s, err := openStore(osFS{}, w.root, w.cache)
		if err != nil {
			t.Fatal(err)
		}
		j := &journal{Kind: kindFix, ID: randomID(), Root: w.root, Roots: []string{w.root}, Entries: []*entry{{Name: w.name("a.go"), Mode: 0o644, Old: []byte("old"), New: sum([]byte("new"))}}}
		forge(w, j, victim)
		if err := s.save(j); err != nil {
			t.Fatal(err)
		}
		before := readTree(t, filepath.Dir(w.root))
		delete(before, "cache/"+filepath.Base(s.dir)+"/lock")
		_, _, err = Recover(w.root, w.cache)
		var refused *JournalError
		if !errors.As(err, &refused) {
			t.Errorf("%s: %v", name, err)
		}
		if d := cmp.Diff(before, readTree(t, filepath.Dir(w.root))); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// TestJournalIsNoFile has something else stand where the journal should.
func TestJournalIsNoFile(t *testing.T) {
	w := newWorld(t)
	names, _ := filepath.Glob(filepath.Join(w.cache, "*", "last"))
	if err := os.Remove(names[0]); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(names[0], 0o700); err != nil {
		t.Fatal(err)
	}
	var refused *JournalError
	if _, err := Undo(t.Context(), w.root, w.cache); !errors.As(err, &refused) || !strings.Contains(err.Error(), "no regular file") {
		t.Error(err)
	}
}

func TestWriteCancelled(t *testing.T) {
	for at := 1; ; at++ {
		w := newWorld(t)
		ctx, cancel := context.WithCancel(t.Context())
		committed := false
		f := &faultFS{onOp: func(op, name string) { committed = committed || op == "rename" && filepath.Base(name) == "last" }}
		f.fault, f.at, f.edit = faultEdit, at, func() {
			if !committed {
				cancel()
			}
		}
		err := w.set.Write(ctx, WriteOptions{CacheDir: w.cache, ops: f})
		cancel()
		want := w.old
		if err == nil {
			want = w.new
		} else if !errors.Is(err, context.Canceled) || !strings.Contains(err.Error(), "nothing was changed") {
			t.Fatal(err)
		}
		w.is(t, want, fmt.Sprintf("cancelled at %d", at))
		if !f.hit {
			break
		}
	}
}

func TestWriteMode(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no modes")
	}
	w := newWorld(t)
	modes := []fs.FileMode{0o600, 0o755, 0o666, 0o640, fs.ModeSetuid | 0o755, fs.ModeSetgid | 0o750}
	s := &Set{Root: w.root}
	for i, mode := range modes {
		f := w.file(fmt.Sprintf("m%d.go", i), "old", "new")
		writeFile(t, f.Name, f.Old, mode)
		f.Mode = 0o644 // a mistake of the caller's: the one on disk counts
		s.Files = append(s.Files, f)
	}
	made := w.file("made.go", "", "x")
	made.Mode = 0o755
	s.Files = append(s.Files, made)
	if err := w.write(t, s); err != nil {
		t.Fatal(err)
	}
	for i, f := range s.Files {
		want := append(modes, 0o755)[i]
		if info, err := os.Lstat(f.Name); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, want %v (%v)", f.Rel, info.Mode(), want, err)
		}
	}
}

// TestCacheDir finds the journal by the environment, too.
func TestCacheDir(t *testing.T) {
	w := newWorld(t)
	t.Setenv("CTXMEND_CACHE", w.cache)
	if err := w.set.Write(t.Context(), WriteOptions{}); err != nil {
		t.Fatal(err)
	}
	w.is(t, w.new, "after writing")
	if _, err := Undo(t.Context(), w.root, ""); err != nil {
		t.Fatal(err)
	}
	w.is(t, w.old, "after undo")

	t.Setenv("CTXMEND_CACHE", "")
	for _, name := range []string{"HOME", "XDG_CACHE_HOME", "LocalAppData"} {
		t.Setenv(name, "")
	}
	err := w.set.Write(t.Context(), WriteOptions{})
	var none *JournalError
	if !errors.As(err, &none) || !strings.Contains(err.Error(), "set CTXMEND_CACHE") {
		t.Error(err)
	}
	if ok, _, err := Recover(w.root, ""); ok || err != nil {
		t.Error(ok, err)
	}
	w.is(t, w.old, "after the error")
}

// TestUnusableCache has a file where the cache directory should be.
func TestUnusableCache(t *testing.T) {
	w := newWorld(t)
	cache := filepath.Join(t.TempDir(), "cache")
	writeFile(t, cache, nil, 0o644)
	err := w.set.Write(t.Context(), WriteOptions{CacheDir: cache})
	var unusable *JournalError
	if !errors.As(err, &unusable) {
		t.Errorf("%T %v", err, err)
	}
	w.is(t, w.old, "after the error")
	if ok, _, err := Recover(w.root, cache); ok || err != nil {
		t.Error(ok, err)
	}
}
