package patches

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestEditorSaves has somebody save files all the time, as editors do, by renaming,
// while fixes are written and taken back. What was saved last is what a file holds.
func TestEditorSaves(t *testing.T) {
	dir := memoryDir(t)
	root, cache := filepath.Join(dir, "src"), filepath.Join(dir, "cache")
	if !canExchange(t, dir) {
		t.Skip("this system leaves a moment open, in which the editor may lose")
	}
	rounds := 60
	if testing.Short() {
		rounds = 10
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	wins := map[string]int{}
	for round := range rounds {
		s := &Set{Root: root}
		for i := range 8 {
			name := fmt.Sprintf("f%d.go", i)
			f := &File{Name: filepath.Join(root, name), Rel: name, Old: fmt.Appendf(nil, "old %d", round), New: fmt.Appendf(nil, "new %d", round)}
			writeFile(t, f.Name, f.Old, 0o644)
			s.Files = append(s.Files, f)
		}
		victim := s.Files[rnd.IntN(len(s.Files))].Name
		saved := fmt.Appendf(nil, "saved %d", round)
		writeFile(t, filepath.Join(dir, "buffer"), saved, 0o644)
		done := make(chan error)
		wait := time.Duration(rnd.IntN(3000)) * time.Microsecond
		go func() {
			time.Sleep(wait)
			done <- os.Rename(filepath.Join(dir, "buffer"), victim)
		}()
		err := s.Write(t.Context(), WriteOptions{CacheDir: cache})
		if round%2 == 0 && err == nil {
			_, err = Undo(t.Context(), root, cache)
		}
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if got, rerr := os.ReadFile(victim); rerr != nil || !bytes.Equal(got, saved) {
			t.Fatalf("%s holds %q (%v), saved was %q; the run said %v", victim, got, rerr, saved, err)
		}
		wins[fmt.Sprintf("%T", err)]++
		os.RemoveAll(cache)
		if left, _ := filepath.Glob(filepath.Join(root, ".ctxmend-*")); len(left) > 0 {
			t.Fatalf("left: %q, the run said %v", left, err)
		}
	}
	t.Log(wins)
}

func canExchange(t *testing.T, dir string) bool {
	t.Helper()
	one, other := filepath.Join(dir, "one"), filepath.Join(dir, "other")
	writeFile(t, one, []byte("1"), 0o644)
	writeFile(t, other, []byte("2"), 0o644)
	err := osFS{}.Exchange(one, other)
	if err != nil && !errors.Is(err, errors.ErrUnsupported) {
		t.Fatal(err)
	}
	return err == nil
}

// TestRenameNew never replaces, by whatever means.
func TestRenameNew(t *testing.T) {
	dir := t.TempDir()
	from, to := filepath.Join(dir, "from"), filepath.Join(dir, "to")
	writeFile(t, from, []byte("from"), 0o644)
	writeFile(t, to, []byte("to"), 0o644)
	if err := (osFS{}).RenameNew(from, to); !errors.Is(err, os.ErrExist) {
		t.Errorf("error %v", err)
	}
	os.Remove(to)
	if err := (osFS{}).RenameNew(from, to); err != nil {
		t.Error(err)
	}
	if err := (osFS{}).RenameNew(from, to); !missing(err) {
		t.Errorf("error %v", err)
	}
	if data, err := os.ReadFile(to); string(data) != "from" {
		t.Errorf("%q %v", data, err)
	}
}

// TestSaveInPlace saves into a file that was opened before it was replaced, as editors
// do that keep the file.
func TestSaveInPlace(t *testing.T) {
	if !canExchange(t, memoryDir(t)) {
		t.Skip("this system cannot set files aside")
	}
	w := newWorld(t)
	open, err := os.OpenFile(w.name("a.go"), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer open.Close()
	f := &faultFS{}
	f.onOp = func(op, name string) {
		if op == "exchange" && name == w.name("sub/b.go") { // a.go was replaced by then
			open.Truncate(0)
			open.WriteAt([]byte("mine"), 0)
		}
	}
	err = w.writer(f)
	var changed *ChangedError
	if !errors.As(err, &changed) {
		t.Fatalf("error %v", err)
	}
	w.old["a.go"] = `-rw-r--r-- "mine"`
	w.is(t, w.old, "after the error")
}

// TestManyFiles writes ten thousand files and takes them back.
func TestManyFiles(t *testing.T) {
	dir := memoryDir(t)
	root, cache := filepath.Join(dir, "src"), filepath.Join(dir, "cache")
	files := 10_000
	if testing.Short() {
		files = 500
	}
	if !canExchange(t, dir) {
		t.Skip("the test has somebody save when names are exchanged")
	}
	s := &Set{Root: root}
	for i := range files {
		rel := fmt.Sprintf("p%d/f%d.go", i%100, i)
		f := &File{Name: filepath.Join(root, filepath.FromSlash(rel)), Rel: rel, Old: fmt.Appendf(nil, "old %d", i), New: fmt.Appendf(nil, "new %d", i)}
		writeFile(t, f.Name, f.Old, 0o644)
		s.Files = append(s.Files, f)
	}
	holds := func(text func(*File) []byte, when string) {
		t.Helper()
		for _, f := range s.Files {
			if got, err := os.ReadFile(f.Name); err != nil || !bytes.Equal(got, text(f)) {
				t.Fatalf("%s: %s holds %q (%v)", when, f.Rel, got, err)
			}
		}
		if got := len(readTree(t, root)); got != files+100 {
			t.Fatalf("%s: %d files and directories", when, got)
		}
	}
	// The last file is saved by somebody when all others are in place: they are put back.
	last := s.Files[files-1]
	f, saved := &faultFS{}, false
	f.onOp = func(op, name string) {
		if op == "exchange" && name == last.Name && !saved {
			saved = true
			writeFile(t, name, []byte("mine"), 0o644)
		}
	}
	err := s.Write(t.Context(), WriteOptions{CacheDir: cache, ops: f})
	var changed *ChangedError
	if got, _ := os.ReadFile(last.Name); string(got) != "mine" || !errors.As(err, &changed) {
		t.Fatalf("%q, error %v", got, err)
	}
	writeFile(t, last.Name, last.Old, 0o644)
	holds(func(f *File) []byte { return f.Old }, "after the error")
	if err := s.Write(t.Context(), WriteOptions{CacheDir: cache}); err != nil {
		t.Fatal(err)
	}
	holds(func(f *File) []byte { return f.New }, "after writing")
	if r, err := Undo(t.Context(), root, cache); err != nil || len(r.Files) != files {
		t.Fatal(err)
	}
	holds(func(f *File) []byte { return f.Old }, "after undo")
}

// smallDiskEnv, when it is set, makes a test fail that would be skipped for want of a
// small disk.
const smallDiskEnv = "CTXMEND_TEST_SMALL_DISK"

// TestDiskFull writes to a disk that is too small, once with the files on it, once
// with the journal. It needs a small file system, and so root or namespaces of its own.
func TestDiskFull(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var why []string
	for _, prefix := range [][]string{nil, {"unshare", "-Urm"}} {
		cmd := play("full", dir)
		if prefix != nil {
			cmd.Path, err = exec.LookPath(prefix[0])
			cmd.Args = append(prefix, os.Args[0])
			if err != nil {
				why = append(why, err.Error())
				continue
			}
		}
		out, err := cmd.CombinedOutput()
		switch cmd.ProcessState.ExitCode() {
		case 0:
			t.Logf("%s", out)
			return
		case playSkip:
			why = append(why, strings.TrimSpace(string(out)))
		default:
			if prefix == nil || !strings.Contains(string(out), "unshare:") {
				t.Fatalf("%v\n%s", err, out)
			}
			why = append(why, strings.TrimSpace(string(out)))
		}
	}
	message := "no small file system can be made here: " + strings.Join(why, "; ")
	if os.Getenv(smallDiskEnv) != "" {
		t.Fatal(message)
	}
	t.Skip(message)
}

// playSkip is the exit code of a process that could not do what it was to do.
const playSkip = 4

// playFull mounts a small file system in dir and tries it.
func playFull(dir string) int {
	unmount, err := mountSmall(dir)
	if err != nil {
		fmt.Println(err)
		return playSkip
	}
	defer unmount()
	if err := tryFull(dir); err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("a full disk was met and left unchanged")
	return 0
}

// tryFull has the new contents, and then the journal, exceed what the disk holds.
func tryFull(small string) error {
	roomy, err := os.MkdirTemp("", "ctxmend")
	if err != nil {
		return err
	}
	defer os.RemoveAll(roomy)
	for _, test := range []struct{ root, cache string }{
		{filepath.Join(small, "src"), filepath.Join(roomy, "cache")},
		{filepath.Join(roomy, "src"), filepath.Join(small, "cache")},
	} {
		s := &Set{Root: test.root}
		if err := os.MkdirAll(test.root, 0o755); err != nil {
			return err
		}
		for i := range 3 { // 3 x 20 KB of 128: the new contents or the journal do not fit
			name := filepath.Join(test.root, fmt.Sprintf("f%d.go", i))
			f := &File{Name: name, Rel: filepath.Base(name), Old: bytes.Repeat([]byte("o"), 20_000), New: bytes.Repeat([]byte("n"), 40_000)}
			if strings.HasPrefix(test.cache, small) {
				f.Old = bytes.Repeat([]byte("o"), 60_000)
			}
			if err := os.WriteFile(name, f.Old, 0o644); err != nil {
				return err
			}
			s.Files = append(s.Files, f)
		}
		err := s.Write(context.Background(), WriteOptions{CacheDir: test.cache})
		if !errors.Is(err, syscall.ENOSPC) {
			return fmt.Errorf("error %v, want that the disk is full", err)
		}
		for _, f := range s.Files {
			if got, err := os.ReadFile(f.Name); err != nil || !bytes.Equal(got, f.Old) {
				return fmt.Errorf("%s changed (%v)", f.Name, err)
			}
		}
		left, _ := filepath.Glob(filepath.Join(test.root, ".*"))
		journals, _ := filepath.Glob(filepath.Join(test.cache, "*", "*"))
		if len(left)+len(journals) > 0 {
			return fmt.Errorf("left: %q %q", left, journals)
		}
	}
	return nil
}
