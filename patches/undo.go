package patches

import (
	"context"
	"sort"
)

// An UndoResult says what Undo did.
type UndoResult struct {
	// Files are the absolute names of the files whose contents from before the fix
	// are in place again, sorted: changed, created again or removed.
	Files []string
	// Interrupted is set when the fix taken back had been interrupted half way.
	Interrupted bool
}

// Undo takes back the last fix written to root, as atomically as Write made it. It
// returns ErrNothingToUndo if there is none; only the last fix is on record, so
// after an Undo there is none. If a file does not hold what the fix wrote, nothing
// is changed and the error is a *ChangedError naming all such files. The other
// errors are those of Set.Write. cacheDir is as in WriteOptions.
//
// An interrupted fix counts as the last: rolling it back is then all Undo does.
func Undo(ctx context.Context, root, cacheDir string) (*UndoResult, error) {
	return undo(ctx, osFS{}, root, cacheDir)
}

func undo(ctx context.Context, ops fsops, root, cacheDir string) (*UndoResult, error) {
	s, err := openStore(ops, root, cacheDir)
	if err != nil {
		return nil, err
	}
	if !s.exists() {
		return nil, ErrNothingToUndo
	}
	unlock, err := s.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	r, err := s.recover()
	if err != nil {
		return nil, err
	}
	if r != nil && r.forward == (r.journal.Kind == kindUndo) {
		// What was interrupted was the undo asked for, now complete, or a fix, now
		// rolled back.
		return undone(r.journal, true), nil
	}
	last, err := s.load(s.last())
	if err != nil {
		return nil, err
	}
	if last == nil || last.Kind != kindFix {
		return nil, ErrNothingToUndo
	}
	return s.takeBack(ctx, last)
}

// exists reports whether the store may hold a journal.
func (s *store) exists() bool {
	for _, name := range []string{s.pending(), s.last()} {
		if _, err := s.ops.Lstat(name); !missing(err) {
			return true
		}
	}
	return false
}

// takeBack undoes the run that last records.
func (s *store) takeBack(ctx context.Context, last *journal) (*UndoResult, error) {
	changes, err := s.inverse(last)
	if err != nil {
		return nil, err
	}
	dirs, err := check(s.ops, last.Roots, changes, true)
	if err != nil {
		return nil, err
	}
	j := newJournal(kindUndo, s.root, last.Roots, changes)
	j.MakeDirs, j.DropDirs = dirs, last.MakeDirs
	if err := s.run(ctx, j, changes, nil); err != nil {
		return nil, err
	}
	// It says that nothing is left to undo; no journal says so too.
	s.ops.Remove(s.last())
	return undone(j, false), nil
}

// inverse returns the changes that take back what last records, or a
// *ChangedError if a file does not hold what the run wrote.
func (s *store) inverse(last *journal) ([]*change, error) {
	var changes []*change
	var edited []string
	for _, e := range last.Entries {
		ch := &change{name: e.Name, label: label(s.root, e.Name), new: e.Old, mode: e.Mode}
		info, err := s.ops.Lstat(e.Name)
		switch {
		case missing(err):
		case err != nil:
			return nil, &WriteError{File: ch.label, Err: err}
		case !info.Mode().IsRegular():
			return nil, &IrregularError{File: ch.label, Mode: info.Mode().Type()}
		default:
			if ch.old, err = s.ops.ReadFile(e.Name); err != nil {
				return nil, &WriteError{File: ch.label, Err: err}
			}
		}
		if ch.old == nil && e.New != "" || ch.old != nil && sum(ch.old) != e.New {
			edited = append(edited, ch.label)
		}
		changes = append(changes, ch)
	}
	if len(edited) > 0 {
		sort.Strings(edited)
		return nil, &ChangedError{Files: edited, Undo: true}
	}
	return changes, nil
}

// undone returns the result of taking back what j records.
func undone(j *journal, interrupted bool) *UndoResult {
	r := &UndoResult{Interrupted: interrupted}
	for _, e := range j.Entries {
		r.Files = append(r.Files, e.Name)
	}
	sort.Strings(r.Files)
	return r
}
