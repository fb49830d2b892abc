package patches

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// A diskWorld is a disk with a program, a fix of it that was written, and a set that is
// the next fix.
type diskWorld struct {
	disk             *disk
	root, cache      string
	set              *Set
	before, old, new tree
	plain            bool // the disk cannot exchange names
}

func newDiskWorld(t *testing.T, plain bool) *diskWorld {
	t.Helper()
	w := &diskWorld{disk: newDisk(), root: filepath.FromSlash("/work/src"), cache: filepath.FromSlash("/home/cache"), plain: plain}
	for _, name := range []string{"prior.go", "a.go", "gone.go", "sub/b.go"} {
		w.disk.put(w.name(name), "package "+name, 0o644)
	}
	w.disk.put("/home/other", "", 0o644)
	w.before = w.disk.tree(w.root)
	if err := w.write(w.disk, &Set{Root: w.root, Files: []*File{w.change("prior.go", "fixed")}}); err != nil {
		t.Fatal(err)
	}
	w.disk = w.settled(t, w.disk)
	w.old = w.disk.tree(w.root)
	w.set = &Set{Root: w.root, Files: []*File{
		w.change("a.go", "new"), w.change("gone.go", ""), w.change("new/c.go", "made"), w.change("sub/b.go", "new too"),
	}}
	w.new = maps.Clone(w.old)
	delete(w.new, "gone.go")
	w.new["new/"] = ""
	for rel, text := range map[string]string{"a.go": "new", "new/c.go": "made", "sub/b.go": "new too"} {
		w.new[rel] = fmt.Sprintf("%v %q", fs.FileMode(0o644), text)
	}
	return w
}

func (w *diskWorld) name(rel string) string { return filepath.Join(w.root, filepath.FromSlash(rel)) }

func (w *diskWorld) change(rel, text string) *File {
	f := &File{Name: w.name(rel), Rel: rel}
	if n, err := w.disk.find(f.Name); err == nil {
		f.Old = n.data
	}
	if text != "" {
		f.New = []byte(text)
	}
	return f
}

// A plainDisk cannot exchange names.
type plainDisk struct{ *disk }

func (plainDisk) Exchange(string, string) error { return errors.ErrUnsupported }

func (w *diskWorld) ops(d *disk) fsops {
	if w.plain {
		return plainDisk{d}
	}
	return d
}

func (w *diskWorld) write(d *disk, s *Set) error {
	return s.Write(context.Background(), WriteOptions{CacheDir: w.cache, ops: w.ops(d)})
}

func (w *diskWorld) undo(d *disk) (*UndoResult, error) {
	return undo(context.Background(), w.ops(d), w.root, w.cache)
}

func (w *diskWorld) recover(d *disk) error {
	_, _, err := recoverRoot(w.ops(d), w.root, w.cache)
	return err
}

// settled returns the disk as it is after everything has become durable.
func (w *diskWorld) settled(t *testing.T, d *disk) *disk {
	t.Helper()
	var walk func(*inode)
	walk = func(n *inode) {
		n.synced, n.pending, n.durable = maps.Clone(n.names), nil, true
		for _, to := range n.names {
			walk(to)
		}
	}
	walk(d.root)
	return d.clone()
}

// outages runs something on a disk and returns every state in which a power failure
// during or after it may leave the disk, each once, and those that are possible after
// it has returned.
func (w *diskWorld) outages(d *disk, run func(*disk)) (during, after map[string]*disk) {
	during, after = map[string]*disk{}, map[string]*disk{}
	collect := func(into map[string]*disk) {
		d.survivors(func(left *disk) { into[fingerprint(left)] = left })
	}
	d.onOp = func() { collect(during) }
	run(d)
	d.onOp = nil
	collect(after)
	for key, left := range after {
		during[key] = left
	}
	return during, after
}

// fingerprint tells states apart. What a whole lock says is of no consequence.
func fingerprint(d *disk) string {
	var b strings.Builder
	t := d.tree("/")
	for _, name := range slices.Sorted(maps.Keys(t)) {
		text := t[name]
		if strings.HasPrefix(path.Base(name), "lock") && strings.HasSuffix(text, `}"`) {
			text = "held"
		}
		fmt.Fprintf(&b, "%s %s\n", name, text)
	}
	return b.String()
}

// states returns the states in a stable order.
func states(of map[string]*disk) []*disk {
	var list []*disk
	for _, key := range slices.Sorted(maps.Keys(of)) {
		list = append(list, of[key])
	}
	return list
}

// checkRest makes sure that nothing is left of a run beside its result.
func (w *diskWorld) checkRest(t *testing.T, d *disk) {
	t.Helper()
	for name := range d.tree(w.cache) {
		switch base := filepath.Base(name); {
		case strings.HasSuffix(name, "/") || base == "last" || base == "pending.tmp" || strings.HasPrefix(base, "lock"):
		default:
			t.Fatalf("left in the cache: %s", name)
		}
	}
}

// recovered brings a state to rest and returns whether the run took effect.
func (w *diskWorld) recovered(t *testing.T, left *disk, old, new tree) bool {
	t.Helper()
	was := fingerprint(left)
	if err := w.recover(left); err != nil {
		t.Fatalf("%v\nin\n%s", err, was)
	}
	w.checkRest(t, left)
	got := left.tree(w.root)
	if cmp.Equal(got, new) {
		return true
	}
	if d := cmp.Diff(old, got); d != "" {
		t.Fatalf("neither old nor new (-old +got):\n%s\nin\n%s", d, was)
	}
	return false
}

func (w *diskWorld) is(t *testing.T, d *disk, want tree, when string) {
	t.Helper()
	if diff := cmp.Diff(want, d.tree(w.root)); diff != "" {
		t.Fatalf("%s (-want +got):\n%s", when, diff)
	}
}

func eachDisk(t *testing.T, test func(t *testing.T, w *diskWorld)) {
	for _, plain := range []bool{false, true} {
		t.Run(map[bool]string{false: "exchange", true: "plain"}[plain], func(t *testing.T) {
			test(t, newDiskWorld(t, plain))
		})
	}
}

// TestPowerFailsWhileWriting tries every state in which a power failure may leave a fix.
func TestPowerFailsWhileWriting(t *testing.T) {
	eachDisk(t, func(t *testing.T, w *diskWorld) { w.failsWhileWriting(t, 100) })
}

// TestPowerFailsWhileWritingOne does so with a fix of one file: the states are few even where nothing is ever synced.
func TestPowerFailsWhileWritingOne(t *testing.T) {
	eachDisk(t, func(t *testing.T, w *diskWorld) {
		w.set.Files = w.set.Files[:1]
		w.new = maps.Clone(w.old)
		w.new["a.go"] = fmt.Sprintf("%v %q", fs.FileMode(0o644), "new")
		w.failsWhileWriting(t, 10)
	})
}

// failsWhileWriting tries the states, of which there are to be some.
func (w *diskWorld) failsWhileWriting(t *testing.T, least int) {
	t.Helper()
	during, after := w.outages(w.disk.clone(), func(d *disk) {
		if err := w.write(d, w.set); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%d states, %d of them after success", len(during), len(after))
	if len(during) < least {
		t.Fatal("too few to mean anything")
	}
	for _, left := range states(after) {
		w.is(t, w.recoveredClone(t, left), w.new, "the fix was reported as written")
	}
	for _, left := range states(during) {
		w.undoesAfter(t, left)
		w.writesAfter(t, left)
	}
}

func (w *diskWorld) recoveredClone(t *testing.T, left *disk) *disk {
	t.Helper()
	d := left.clone()
	w.recovered(t, d, w.old, w.new)
	return d
}

// undoesAfter recovers a state and takes the last fix back.
func (w *diskWorld) undoesAfter(t *testing.T, left *disk) {
	t.Helper()
	d := left.clone()
	want := w.before
	if w.recovered(t, d, w.old, w.new) {
		want = w.old
	}
	if _, err := w.undo(d); err != nil {
		t.Fatalf("undo: %v\nin\n%s", err, fingerprint(left))
	}
	w.is(t, d, want, "after undo")
	if _, err := w.undo(d); err != ErrNothingToUndo {
		t.Fatalf("second undo: %v\nin\n%s", err, fingerprint(left))
	}
}

// writesAfter writes the fix once more, without recovering before.
func (w *diskWorld) writesAfter(t *testing.T, left *disk) {
	t.Helper()
	d := left.clone()
	err := w.write(d, w.set)
	var changed *ChangedError
	var exists *ExistsError // the same for a file that the fix creates
	if err != nil && !errors.As(err, &changed) && !errors.As(err, &exists) {
		t.Fatalf("%v\nin\n%s", err, fingerprint(left))
	}
	w.is(t, d, w.new, "after writing again")
	w.checkRest(t, d)
}

// TestPowerFailsWhileUndoing tries every state in which a power failure may leave undo.
func TestPowerFailsWhileUndoing(t *testing.T) {
	eachDisk(t, func(t *testing.T, w *diskWorld) {
		d := w.disk.clone()
		if err := w.write(d, w.set); err != nil {
			t.Fatal(err)
		}
		during, after := w.outages(w.settled(t, d), func(d *disk) {
			if _, err := w.undo(d); err != nil {
				t.Fatal(err)
			}
		})
		t.Logf("%d states", len(during))
		for _, left := range states(after) {
			w.is(t, w.recoveredClone(t, left), w.old, "the fix was reported as taken back")
		}
		for _, left := range states(during) {
			d := left.clone()
			done := w.recovered(t, d, w.new, w.old)
			if _, err := w.undo(d); done != (err == ErrNothingToUndo) || !done && err != nil {
				t.Fatalf("undo after recovery: %v\nin\n%s", err, fingerprint(left))
			}
			w.is(t, d, w.old, "after undo")
			if d := left.clone(); true {
				if _, err := w.undo(d); err != nil && err != ErrNothingToUndo {
					t.Fatalf("undo without recovery: %v\nin\n%s", err, fingerprint(left))
				}
				w.is(t, d, w.old, "after undo without recovery")
			}
		}
	})
}

// TestPowerFailsWhileRecovering has the power fail a second time, in every state of
// the recovery of some of the states that the first failure may leave.
func TestPowerFailsWhileRecovering(t *testing.T) {
	eachDisk(t, func(t *testing.T, w *diskWorld) {
		first, _ := w.outages(w.disk.clone(), func(d *disk) { w.write(d, w.set) })
		all, tried := states(first), map[string]bool{}
		step := max(1, len(all)/sampled())
		for i := 0; i < len(all); i += step {
			second, _ := w.outages(all[i].clone(), func(d *disk) { w.recover(d) })
			for _, left := range states(second) {
				if key := fingerprint(left); !tried[key] {
					tried[key] = true
					w.undoesAfter(t, left)
				}
			}
		}
		t.Logf("%d states of %d recoveries", len(tried), (len(all)+step-1)/step)
	})
}

// sampled is how many states are gone into further.
func sampled() int {
	if testing.Short() {
		return 2
	}
	return 8
}
