package patches

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
)

// WriteOptions say how a set is written.
type WriteOptions struct {
	// CacheDir is the directory that holds the journals of all roots. Empty means
	// the one named by the environment variable CTXMEND_CACHE, or else the
	// directory ctxmend of the user's cache directory.
	CacheDir string

	// Also, when not nil, is run when all files hold their new contents and before the set counts as written. If it fails the
	// files go back. It returns what takes back what it did, for the case that the journal fails after it.
	Also func(ctx context.Context) (takeBack func() error, err error)

	ops fsops // nil is the operating system; tests set it
}

// Write makes the set's changes on disk, all or none of them. It first checks that
// every file still holds its old bytes and may be written; then it writes the new
// contents beside the old ones, and only then swaps names. What bore a name steps aside
// and is looked at again before it goes, so that nothing that somebody else saved in
// between is lost: a file that was replaced comes back, whatever it holds, and so do all
// others. (Only systems that cannot swap names leave a moment between looking and
// renaming.) Before the first of that Write records the old contents in a journal, so that an interrupted
// Write can be rolled back (Recover) and a completed one taken back (Undo). It
// replaces the record of the previous Write. A set without changes does nothing.
//
// After any error, and if ctx ends before the last step, every file is as it was
// and no temporary file is left; only a *RollbackError, when even putting files
// back failed, leaves that to Recover. The other errors to expect are
// *ChangedError, *ReadOnlyError, *OutsideError, *IrregularError, *ExistsError,
// *WriteError, *JournalError, *LockedError and *InterruptedError.
func (s *Set) Write(ctx context.Context, opts WriteOptions) error {
	changes := s.changes()
	if len(changes) == 0 {
		return nil
	}
	ops := opts.ops
	if ops == nil {
		ops = osFS{}
	}
	st, err := openStore(ops, s.Root, opts.CacheDir)
	if err != nil {
		return err
	}
	unlock, err := st.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	if _, err := st.recover(); err != nil {
		return err
	}
	roots := s.Roots
	if len(roots) == 0 {
		roots = []string{s.Root}
	}
	dirs, err := check(ops, roots, changes, false)
	if err != nil {
		return err
	}
	j := newJournal(kindFix, st.root, roots, changes)
	j.MakeDirs = dirs
	return st.run(ctx, j, changes, opts.Also)
}

// changes returns the set's changes in the order of their names.
func (s *Set) changes() []*change {
	var changes []*change
	for _, f := range s.Files {
		if !f.changes() {
			continue
		}
		mode, label := f.Mode, f.Rel
		if mode == 0 {
			mode = 0o644
		}
		if label == "" {
			label = f.Name
		}
		changes = append(changes, &change{name: f.Name, label: label, old: f.Old, new: f.New, mode: mode})
	}
	sort.SliceStable(changes, func(i, j int) bool { return changes[i].name < changes[j].name })
	return changes
}

// newJournal returns the record of a run that makes the changes, which check has seen.
func newJournal(kind, root string, roots []string, changes []*change) *journal {
	j := &journal{Kind: kind, ID: randomID(), Root: root, Roots: roots}
	for _, ch := range changes {
		e := &entry{Name: ch.name, Mode: ch.mode, Old: ch.old}
		if ch.info != nil {
			e.Mode = keptMode(ch.info)
		}
		if ch.new != nil {
			e.New = sum(ch.new)
		}
		j.Entries = append(j.Entries, e)
	}
	return j
}

// keptMode returns the bits of a file's mode that its successor gets.
func keptMode(info fs.FileInfo) fs.FileMode {
	return info.Mode() & (fs.ModePerm | fs.ModeSetuid | fs.ModeSetgid | fs.ModeSticky)
}

// run makes the changes that j records, or none of them.
func (s *store) run(ctx context.Context, j *journal, changes []*change, also func(context.Context) (func() error, error)) error {
	err := s.save(j)
	if err != nil {
		err = &JournalError{Path: s.dir, Err: err}
	} else if err = s.perform(ctx, j, changes); err == nil {
		takeBack := func() error { return nil }
		if also != nil {
			takeBack, err = also(ctx)
		}
		if err == nil {
			if err = s.commit(j); err == nil {
				return nil
			}
			err = &JournalError{Path: s.dir, Err: err}
			if terr := takeBack(); terr != nil {
				return &RollbackError{Err: err, Rollback: terr}
			}
		}
	}
	if rerr := s.rollback(j); rerr != nil {
		return &RollbackError{Err: err, Rollback: rerr}
	}
	return err
}

// perform makes the changes up to the commit.
func (s *store) perform(ctx context.Context, j *journal, changes []*change) error {
	for _, dir := range j.MakeDirs {
		if err := s.ops.Mkdir(dir); err != nil {
			return refused(firstBelow(changes, dir), err, true)
		}
	}
	for i, ch := range changes {
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		if ch.new == nil {
			continue
		}
		if err := create(s.ops, j.temp(i), ch.new, j.Entries[i].Mode, ch.info); err != nil {
			return refused(ch.label, err, true)
		}
	}
	for i, ch := range changes {
		if ctx.Err() != nil {
			return cancelled(ctx)
		}
		if err := s.swap(j, i, ch); err != nil {
			return err
		}
	}
	// An editor that had a file open may have saved into what stands aside by now.
	for i, ch := range changes {
		if err := s.dropAside(j, i, ch); err != nil {
			return err
		}
	}
	for i := len(j.DropDirs) - 1; i >= 0; i-- {
		s.ops.RemoveDir(j.DropDirs[i]) // stays when somebody put something there
	}
	for _, dir := range j.dirs() {
		if err := s.syncDir(dir); err != nil {
			return &WriteError{File: label(s.root, dir), Err: err}
		}
	}
	if ctx.Err() != nil {
		return cancelled(ctx)
	}
	return nil
}

// swap puts the new contents of one file in place, if it still holds the old ones.
// What bore the name steps aside and is looked at once more, since somebody may have
// saved the file after the first look: rolling back then gives it its name again.
func (s *store) swap(j *journal, i int, ch *change) error {
	state, err := s.state(j.Entries[i])
	if err != nil {
		return &WriteError{File: ch.label, Err: err}
	}
	if state != holdsOld {
		return s.edited(j, ch)
	}
	switch {
	case ch.old == nil:
		if err = s.ops.RenameNew(j.temp(i), ch.name); errors.Is(err, fs.ErrExist) {
			return s.edited(j, ch)
		}
		return refusedIf(ch.label, err)
	case ch.new == nil:
		err = s.ops.RenameNew(ch.name, j.aside(i))
	default:
		if err = s.ops.Exchange(j.temp(i), ch.name); err == nil {
			err = s.ops.Rename(j.temp(i), j.aside(i))
		} else if errors.Is(err, errors.ErrUnsupported) {
			// Between the look above and this there is a moment that such a system leaves open.
			return refusedIf(ch.label, s.ops.Rename(j.temp(i), ch.name))
		}
	}
	if missing(err) {
		return s.edited(j, ch)
	} else if err != nil {
		return refused(ch.label, err, true)
	}
	return s.checkAside(j, i, ch)
}

// checkAside makes sure that what stands aside is what the change was planned for.
func (s *store) checkAside(j *journal, i int, ch *change) error {
	state, err := s.contents(j.Entries[i], j.aside(i))
	if err != nil {
		return &WriteError{File: ch.label, Err: err}
	}
	if state != holdsOld {
		return s.edited(j, ch)
	}
	return nil
}

// dropAside removes what stands aside of a file, if it still holds the old contents.
func (s *store) dropAside(j *journal, i int, ch *change) error {
	if ch.old == nil {
		return nil
	}
	if _, err := s.ops.Lstat(j.aside(i)); missing(err) {
		return nil // the system could not set it aside
	}
	if err := s.checkAside(j, i, ch); err != nil {
		return err
	}
	return refusedIf(ch.label, s.ops.Remove(j.aside(i)))
}

// edited returns the error for a file that somebody else has changed.
func (s *store) edited(j *journal, ch *change) error {
	if ch.old == nil {
		return &ExistsError{File: ch.label}
	}
	return &ChangedError{Files: []string{ch.label}, Undo: j.Kind == kindUndo}
}

// syncDir makes the names in a directory durable; one that is gone needs nothing.
func (s *store) syncDir(dir string) error {
	if err := s.ops.SyncDir(dir); err != nil && !gone(err) {
		return err
	}
	return nil
}

// cancelled returns the error for a context that ended before the commit.
func cancelled(ctx context.Context) error {
	return fmt.Errorf("stopped before the files were written; nothing was changed: %w", context.Cause(ctx))
}

// firstBelow returns the label of the first change in the directory or below.
func firstBelow(changes []*change, dir string) string {
	for _, ch := range changes {
		if rel, err := filepath.Rel(dir, ch.name); err == nil && filepath.IsLocal(rel) {
			return ch.label
		}
	}
	return dir
}
