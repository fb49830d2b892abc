package patches

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var faultNames = map[fault]string{
	faultFail: "fail", faultLie: "lie", faultFull: "full", faultCrash: "crash",
	faultAfter: "after", faultTorn: "torn",
}

var allFaults = []fault{faultFail, faultLie, faultFull, faultCrash, faultAfter, faultTorn}

func (f fault) kills() bool { return f >= faultCrash && f <= faultTorn }

// ageLock makes a torn lock old enough to be taken for abandoned.
func ageLock(t *testing.T, cache string) {
	t.Helper()
	locks, err := filepath.Glob(filepath.Join(cache, "*", "lock*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range locks {
		info, err := os.Lstat(name)
		if err != nil {
			t.Fatal(err)
		}
		old := info.ModTime().Add(-2 * tornLock)
		if err := os.Chtimes(name, old, old); err != nil {
			t.Fatal(err)
		}
	}
}

func (w *testWorld) is(t *testing.T, want tree, when string) {
	t.Helper()
	if d := cmp.Diff(want, readTree(t, w.root)); d != "" {
		t.Fatalf("%s (-want +got):\n%s", when, d)
	}
}

// clean checks that no pending journal is left. A lock may be, or a journal that
// was never complete: both go with the next run.
func (w *testWorld) clean(t *testing.T) {
	t.Helper()
	files := slices.DeleteFunc(w.cacheFiles(t), func(name string) bool { return strings.HasPrefix(name, "lock") || name == "pending.tmp" })
	if len(files) > 1 || len(files) == 1 && files[0] != "last" {
		t.Fatalf("left in the cache: %q", files)
	}
}

// writer and undoer are the two runs that write files.
func (w *testWorld) writer(ops fsops) error {
	return w.set.Write(context.Background(), WriteOptions{CacheDir: w.cache, ops: ops})
}

func (w *testWorld) undoer(ops fsops) error {
	_, err := undo(context.Background(), ops, w.root, w.cache)
	return err
}

// eachOperation calls test in a fresh world for every operation of a run and every
// fault, until the run ends before the fault comes.
func eachOperation(t *testing.T, faults []fault, test func(t *testing.T, w *testWorld, f *faultFS)) {
	for _, kind := range faults {
		for at := 1; ; at++ {
			hit := false
			t.Run(fmt.Sprintf("%s/%d", faultNames[kind], at), func(t *testing.T) {
				f := &faultFS{fault: kind, at: at}
				test(t, newWorld(t), f)
				hit = f.hit
			})
			if !hit || t.Failed() {
				if at < 20 && kind != faultFull && !t.Failed() {
					t.Fatalf("only %d operations", at)
				}
				break
			}
		}
	}
}

// dropDirs removes the directories of the new files where that was the operation
// that failed: an empty directory that cannot be removed, perhaps because a shell
// is in it, is no reason not to undo.
func (w *testWorld) dropDirs(f *faultFS) {
	if f.hitAt == "rmdir deep" || f.hitAt == "rmdir new" {
		os.Remove(w.name("new/deep"))
		os.Remove(w.name("new"))
	}
}

// settle brings a world to rest after a run that met a fault: it checks what the
// run itself promises, then recovers. It returns whether the run took effect.
func (w *testWorld) settle(t *testing.T, f *faultFS, err error, old, new tree) bool {
	t.Helper()
	w.dropDirs(f)
	if f.fault.kills() && f.hit {
		ageLock(t, w.cache)
	} else {
		var half *RollbackError
		switch {
		case err == nil:
			w.is(t, new, "after success")
		case !errors.As(err, &half):
			w.is(t, old, fmt.Sprintf("after the error %v", err))
		}
		if f.fault == faultFull && f.hit && !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("error %v, want ENOSPC", err)
		}
	}
	if _, _, err := recoverRoot(&faultFS{}, w.root, w.cache); err != nil {
		t.Fatal(err)
	}
	got := readTree(t, w.root)
	if cmp.Equal(got, new) {
		w.clean(t)
		return true
	}
	w.is(t, old, "after recovery")
	return false
}

func TestWriteFaults(t *testing.T) {
	eachOperation(t, allFaults, func(t *testing.T, w *testWorld, f *faultFS) {
		err := w.writer(f)
		if !f.hit && err != nil {
			t.Fatal(err)
		}
		done := w.settle(t, f, err, w.old, w.new)
		if !f.fault.kills() && err == nil && !done {
			t.Fatal("success, but recovery rolled back")
		}
		r, err := undo(t.Context(), &faultFS{}, w.root, w.cache)
		if err != nil {
			t.Fatal(err)
		}
		want, files := w.before, 1
		if done {
			want, files = w.old, 5
		}
		w.is(t, want, "after undo")
		if len(r.Files) != files {
			t.Errorf("undo names %q", r.Files)
		}
		if files := w.cacheFiles(t); len(files) > 0 {
			t.Errorf("left in the cache: %q", files)
		}
		if _, err := undo(t.Context(), &faultFS{}, w.root, w.cache); err != ErrNothingToUndo {
			t.Errorf("second undo: %v", err)
		}
	})
}

func TestUndoFaults(t *testing.T) {
	eachOperation(t, allFaults, func(t *testing.T, w *testWorld, f *faultFS) {
		if err := w.writer(&faultFS{}); err != nil {
			t.Fatal(err)
		}
		err := w.undoer(f)
		if !f.hit && err != nil {
			t.Fatal(err)
		}
		done := w.settle(t, f, err, w.new, w.old)
		r, err := undo(t.Context(), &faultFS{}, w.root, w.cache)
		if done {
			if err != ErrNothingToUndo {
				t.Fatalf("second undo: %v %v", r, err)
			}
		} else if err != nil || len(r.Files) != 5 {
			t.Fatalf("second undo: %v %v", r, err)
		}
		w.is(t, w.old, "after undo")
	})
}

// TestUndoInterruptedFix has undo, not Recover, meet the interrupted fix.
func TestUndoInterruptedFix(t *testing.T) {
	eachOperation(t, []fault{faultCrash, faultAfter}, func(t *testing.T, w *testWorld, f *faultFS) {
		err := w.writer(f)
		if !f.hit && err != nil {
			t.Fatal(err)
		}
		pending := slices.Contains(w.cacheFiles(t), "pending")
		complete := cmp.Equal(withoutTemps(readTree(t, w.root)), w.new)
		r, err := undo(t.Context(), &faultFS{}, w.root, w.cache)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case !pending && !complete: // the fix had not begun: the one before it goes
			w.is(t, w.before, "after undo")
		default:
			w.is(t, w.old, "after undo")
		}
		if want := pending && !complete; r.Interrupted != want {
			t.Errorf("interrupted: %v, want %v", r.Interrupted, want)
		}
	})
}

// every makes TestRecoverFaults minutes long.
var every = flag.Bool("patches.every", false, "let a fix stop at every operation, not each seventh, before its recovery is stopped")

// TestRecoverFaults crashes a fix and then, at every operation, its recovery.
func TestRecoverFaults(t *testing.T) {
	// The operations at which a fix can stop that matter: each rename, the
	// temporary files, the commit.
	total := &faultFS{}
	if err := newWorld(t).writer(total); err != nil {
		t.Fatal(err)
	}
	step := 7
	if *every {
		step = 1
	}
	for first := 1; first <= total.n; first += step {
		for at := 1; ; at++ {
			kind := []fault{faultCrash, faultAfter, faultTorn, faultFail}[(first+at)%4]
			w := newWorld(t)
			w.writer(&faultFS{fault: faultCrash, at: first})
			f := &faultFS{fault: kind, at: at}
			recoverRoot(f, w.root, w.cache)
			w.dropDirs(f)
			if _, _, err := recoverRoot(&faultFS{}, w.root, w.cache); err != nil {
				t.Fatalf("fix stopped at %d, recovery at %d: %v", first, at, err)
			}
			if got := readTree(t, w.root); !cmp.Equal(got, w.old) && !cmp.Equal(got, w.new) {
				t.Fatalf("fix stopped at %d, recovery at %d: %s", first, at, cmp.Diff(w.old, got))
			}
			w.clean(t)
			if !f.hit {
				break
			}
		}
	}
}

// TestEditWhileWriting has somebody else save a file at every moment of a fix. What
// they saved must survive, and the fix be whole or absent otherwise.
func TestEditWhileWriting(t *testing.T) {
	mine := []byte("package mine\n")
	for _, rel := range []string{"a.go", "sub/b.go", "sub/gone.go", "sub/made.go"} {
		for at := 1; ; at++ {
			w := newWorld(t)
			name := w.name(rel)
			f := &faultFS{fault: faultEdit, at: at}
			f.edit = func() {
				os.Remove(name)
				writeFile(t, name, mine, 0o644)
			}
			err := w.writer(f)
			if !f.hit {
				break
			}
			got, rerr := os.ReadFile(name)
			if kept := rerr == nil && bytes.Equal(got, mine); !kept {
				t.Fatalf("%s edited before operation %d was overwritten: %v", rel, at, err)
			}
			for other, text := range readTree(t, w.root) {
				if strings.Contains(other, ".ctxmend") {
					t.Fatalf("%s edited before operation %d: %s left", rel, at, other)
				}
				var half *RollbackError
				if other == rel || errors.As(err, &half) {
					continue
				}
				want := w.new
				if err != nil {
					want = w.old
				}
				if want[other] != text && !strings.HasSuffix(other, "/") {
					t.Fatalf("%s edited before operation %d: %s is %s, error %v", rel, at, other, text, err)
				}
			}
		}
	}
}

// TestEditAfterCrash edits a file after a fix was interrupted at every operation.
func TestEditAfterCrash(t *testing.T) {
	mine := []byte("package mine\n")
	for _, rel := range []string{"a.go", "sub/b.go", "sub/gone.go", "sub/made.go"} {
		for at := 1; ; at++ {
			w := newWorld(t)
			f := &faultFS{fault: faultCrash, at: at}
			w.writer(f)
			if !f.hit {
				break
			}
			pending := slices.Contains(w.cacheFiles(t), "pending")
			// Whoever edits what the fix wrote has edited the fix: nothing else may be put back beside it.
			ours := pending && w.new[rel] != "" && readTree(t, w.root)[rel] == w.new[rel]
			os.Remove(w.name(rel))
			writeFile(t, w.name(rel), mine, 0o644)
			was := readTree(t, w.root)
			recovered, _, err := recoverRoot(&faultFS{}, w.root, w.cache)
			var edited *InterruptedError
			switch {
			case errors.As(err, &edited):
				if !slices.Equal(edited.Files, []string{rel}) {
					t.Fatalf("stopped at %d: %v", at, err)
				}
				was = withoutTemps(was)
				w.is(t, was, "after refusing to recover")
				// Again, now that the temporary files are gone.
				if _, _, err := recoverRoot(&faultFS{}, w.root, w.cache); !errors.As(err, &edited) {
					t.Fatalf("stopped at %d, second time: %v", at, err)
				}
				if err := w.writer(&faultFS{}); !errors.As(err, &edited) {
					t.Fatalf("stopped at %d, writing: %v", at, err)
				}
				// Taking the edit back resolves it.
				if w.old[rel] == "" {
					os.Remove(w.name(rel))
				} else {
					for _, f := range w.set.Files {
						if f.Rel == rel {
							writeFile(t, f.Name, f.Old, 0o644)
						}
					}
				}
				if ok, _, err := recoverRoot(&faultFS{}, w.root, w.cache); !ok || err != nil {
					t.Fatalf("stopped at %d, third time: %v %v", at, ok, err)
				}
			case err != nil:
				t.Fatalf("stopped at %d: %v", at, err)
			default:
				if ours {
					t.Fatalf("stopped at %d: %s was edited as the fix had left it, and all others were put back", at, rel)
				}
				if recovered != pending {
					t.Fatalf("stopped at %d: recovered %v, pending %v", at, recovered, pending)
				}
				got, err := os.ReadFile(w.name(rel))
				if err != nil || !bytes.Equal(got, mine) {
					t.Fatalf("stopped at %d: the edit of %s was overwritten", at, rel)
				}
			}
			want := w.old
			if !pending && cmp.Equal(without(was, rel), without(w.new, rel)) {
				want = w.new
			}
			if d := cmp.Diff(without(want, rel), without(readTree(t, w.root), rel)); d != "" {
				t.Fatalf("stopped at %d, edited %s (-want +got):\n%s", at, rel, d)
			}
		}
	}
}

func without(t tree, name string) tree {
	out := tree{}
	for n, text := range t {
		if n != name {
			out[n] = text
		}
	}
	return out
}

// withoutTemps leaves out the files that a run makes for itself.
func withoutTemps(t tree) tree {
	out := tree{}
	for n, text := range t {
		if !strings.Contains(n, ".ctxmend-") {
			out[n] = text
		}
	}
	return out
}

// TestEditThenCrash has somebody save a file just before it is swapped, and the process die soon after, before it has seen
// that.
func TestEditThenCrash(t *testing.T) {
	if !canExchange(t, memoryDir(t)) {
		t.Skip("this system leaves a moment open, in which the editor may lose")
	}
	for rel, op := range map[string]string{"a.go": "exchange", "sub/b.go": "exchange", "sub/gone.go": "renamenew"} {
		for after := 1; after <= 3; after++ {
			w := newWorld(t)
			for i, file := range w.set.Files {
				if file.Rel == rel { // the last one: all others are in place by then
					w.set.Files = w.set.Files[:i+1]
					break
				}
			}
			f := &faultFS{fault: faultCrash}
			f.onOp = func(did, name string) {
				aside := did == "renamenew" && strings.HasSuffix(name, ".out")
				if f.at == 0 && (did == op && name == w.name(rel) || did == op && aside) {
					os.Remove(w.name(rel))
					writeFile(t, w.name(rel), []byte("mine"), 0o644)
					f.at = f.n + after
				}
			}
			w.writer(f)
			if !f.hit {
				t.Fatalf("%s was not swapped", rel)
			}
			if _, _, err := recoverRoot(&faultFS{}, w.root, w.cache); err != nil {
				t.Fatalf("%s saved, death %d operations after: %v", rel, after, err)
			}
			w.old[rel] = `-rw-r--r-- "mine"`
			w.is(t, w.old, fmt.Sprintf("%s saved, death %d operations after", rel, after))
			w.clean(t)
		}
	}
}

// TestDirectoryReplaced has somebody put something of their own in the place of a directory that the fix has made.
func TestDirectoryReplaced(t *testing.T) {
	for at, done := 1, false; !done; at++ {
		w := newWorld(t)
		f := &faultFS{fault: faultCrash, at: at}
		w.writer(f)
		done = !f.hit
		dir := w.name("new/deep")
		if os.Remove(dir) != nil {
			continue // it is not there, or the fix has come to put something there
		}
		writeFile(t, dir, []byte("mine"), 0o644)
		if _, _, err := recoverRoot(&faultFS{}, w.root, w.cache); err != nil {
			t.Fatalf("stopped at %d: %v", at, err)
		}
		if got, err := os.ReadFile(dir); string(got) != "mine" {
			t.Fatalf("stopped at %d: %q, %v", at, got, err)
		}
	}
	w := newWorld(t)
	if err := w.write(t, w.set); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(w.name("new/deep"), w.name("deeper")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(w.name("deeper"), w.name("new/deep")); err != nil {
		t.Skip(err)
	}
	if _, err := Undo(t.Context(), w.root, w.cache); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Lstat(w.name("new/deep")); err != nil {
		t.Errorf("the link that took the directory's place is gone: %v", err)
	}
}
