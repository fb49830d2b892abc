package patches

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// killFS is the real file system for a process that kills itself before operation
// number at. Nothing of the process runs after that: no deferred call, no clean-up.
type killFS struct {
	osFS
	at, n int
}

func (k *killFS) step() {
	if k.n++; k.n == k.at {
		if p, err := os.FindProcess(os.Getpid()); err == nil {
			p.Kill()
		}
		select {}
	}
}

func (k *killFS) Open(name string) (newFile, error) {
	k.step()
	f, err := k.osFS.Open(name)
	if err != nil {
		return nil, err
	}
	return killFile{f.(osFile), k}, nil
}

func (k *killFS) Rename(from, to string) error    { k.step(); return k.osFS.Rename(from, to) }
func (k *killFS) RenameNew(from, to string) error { k.step(); return k.osFS.RenameNew(from, to) }
func (k *killFS) Exchange(a, b string) error      { k.step(); return k.osFS.Exchange(a, b) }
func (k *killFS) Remove(name string) error        { k.step(); return k.osFS.Remove(name) }
func (k *killFS) Mkdir(name string) error         { k.step(); return k.osFS.Mkdir(name) }
func (k *killFS) MkdirPrivate(name string) error  { k.step(); return k.osFS.MkdirPrivate(name) }
func (k *killFS) SyncDir(name string) error       { k.step(); return k.osFS.SyncDir(name) }

// A killFile writes what it is given in two pieces.
type killFile struct {
	osFile
	fs *killFS
}

func (f killFile) Write(data []byte) (int, error) {
	f.fs.step()
	half := len(data) / 2
	if n, err := f.osFile.Write(data[:half]); err != nil {
		return n, err
	}
	f.fs.step()
	n, err := f.osFile.Write(data[half:])
	return half + n, err
}

func (f killFile) Sync() error { f.fs.step(); return f.osFile.Sync() }

// playVictim makes the changes of a world's set, takes them back, or recovers, and is
// killed before an operation.
func playVictim(what, root, cache, at string) int {
	ops := &killFS{}
	ops.at, _ = strconv.Atoi(at)
	w := &testWorld{root: root, cache: cache}
	var err error
	switch what {
	case "write":
		err = w.newSet().Write(context.Background(), WriteOptions{CacheDir: cache, ops: ops})
	case "undo":
		_, err = undo(context.Background(), ops, root, cache)
	case "recover":
		_, _, err = recoverRoot(ops, root, cache)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// killed has another process do something and die before an operation. It reports
// whether the process got that far.
func (w *testWorld) killed(t *testing.T, what string, at int) bool {
	t.Helper()
	cmd := play("victim", what, w.root, w.cache, strconv.Itoa(at))
	cmd.Stderr = os.Stderr
	cmd.Run()
	if code := cmd.ProcessState.ExitCode(); code > 0 && cmd.ProcessState.Exited() && code != 1 {
		t.Fatalf("%s, operation %d: exit code %d", what, at, code)
	} else if code == 1 {
		if _, err := os.Lstat("/proc"); err == nil { // elsewhere a process that is killed has this code
			t.Fatalf("%s, operation %d failed", what, at)
		}
	}
	return !cmd.ProcessState.Success()
}

// eachKill kills a process at each operation, with the stride that the time allows.
func eachKill(t *testing.T, prepare func(*testing.T, *testWorld), what string, check func(*testing.T, *testWorld)) {
	stride := 1
	if testing.Short() {
		stride = 5
	}
	at := 1
	for ; ; at += stride {
		w := newWorld(t)
		prepare(t, w)
		hit := w.killed(t, what, at)
		check(t, w)
		if t.Failed() {
			t.Fatalf("%s killed before operation %d", what, at)
		}
		if !hit {
			break
		}
	}
	if t.Logf("%d operations", at); at < 20 {
		t.Fatal("too few to mean anything")
	}
}

// TestKilled kills a process for good at every operation on names and contents, and
// then lets another go on.
func TestKilled(t *testing.T) {
	t.Run("write", func(t *testing.T) {
		eachKill(t, func(*testing.T, *testWorld) {}, "write", func(t *testing.T, w *testWorld) { w.goOn(t, w.old, w.new) })
	})
	t.Run("undo", func(t *testing.T) {
		eachKill(t, func(t *testing.T, w *testWorld) {
			if err := w.writer(&faultFS{}); err != nil {
				t.Fatal(err)
			}
		}, "undo", func(t *testing.T, w *testWorld) { w.goOn(t, w.new, w.old) })
	})
	t.Run("recover", func(t *testing.T) {
		eachKill(t, func(t *testing.T, w *testWorld) {
			if !w.killed(t, "write", 35) || !slices.Contains(w.cacheFiles(t), "pending") {
				t.Fatal("not killed half way")
			}
		}, "recover", func(t *testing.T, w *testWorld) { w.goOn(t, w.old, w.new) })
	})
}

// goOn recovers after a process was killed, and takes back what is the last fix then.
func (w *testWorld) goOn(t *testing.T, old, new tree) {
	t.Helper()
	ageLock(t, w.cache)
	if _, _, err := Recover(w.root, w.cache); err != nil {
		t.Fatal(err)
	}
	w.clean(t)
	got := readTree(t, w.root)
	want := w.before
	if cmp.Equal(got, w.new) {
		want = w.old
	} else if d := cmp.Diff(w.old, got); d != "" {
		t.Fatalf("neither old nor new (-old +got):\n%s", d)
	}
	_, err := Undo(t.Context(), w.root, w.cache)
	switch {
	case err == ErrNothingToUndo && cmp.Equal(got, new) && cmp.Equal(new, w.old): // it was undo that was killed
	case err != nil:
		t.Fatal(err)
	default:
		w.is(t, want, "after undo")
	}
}
