package patches

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
	"strconv"
)

// Recover finishes what an earlier run that was killed, or that lost its power,
// left half done in root: it puts back the old contents of every file, or, if all
// files had their new contents already, declares the run complete. Commands call it
// before they read the program (all but undo: Undo does it by itself). cacheDir is
// as in WriteOptions.
//
// It reports whether there was something to recover, with a message for the user.
// A file that holds neither its old nor its new bytes is never overwritten: if the
// run had changed it and it was edited since, nothing is done and the error is an
// *InterruptedError; the same error returns until that is resolved. A *LockedError
// means that another process is writing right now.
func Recover(root, cacheDir string) (recovered bool, msg string, err error) {
	return recoverRoot(osFS{}, root, cacheDir)
}

func recoverRoot(ops fsops, root, cacheDir string) (bool, string, error) {
	s, err := openStore(ops, root, cacheDir)
	if err != nil {
		var e *JournalError
		if errors.As(err, &e) && e.Path == "" {
			return false, "", nil // where no journal can be, none was left
		}
		return false, "", err
	}
	if _, err := ops.Lstat(s.pending()); err != nil {
		return false, "", nil // a journal that cannot be there is no reason to fail a mere check
	}
	unlock, err := s.lock(context.Background())
	if err != nil {
		return false, "", err
	}
	defer unlock()
	r, err := s.recover()
	if err != nil || r == nil {
		return false, "", err
	}
	return true, r.message(), nil
}

// A recovery is what became of an interrupted run.
type recovery struct {
	journal *journal
	forward bool // the run was completed, not rolled back
}

func (r *recovery) message() string {
	files := strconv.Itoa(len(r.journal.Entries)) + " files"
	if len(r.journal.Entries) == 1 {
		files = "1 file"
	}
	if r.forward {
		return fmt.Sprintf("an interrupted %s had already written everything; it is complete now (%s)", r.journal.Kind, files)
	}
	return fmt.Sprintf("an interrupted %s was rolled back; the contents from before it are in place again (%s)", r.journal.Kind, files)
}

// recover ends a pending run, if there is one. The lock must be held.
func (s *store) recover() (*recovery, error) {
	j, err := s.load(s.pending())
	if j == nil || err != nil {
		return nil, err
	}
	done := true
	for _, e := range j.Entries {
		state, err := s.state(e)
		if err != nil {
			return nil, unfinished(j, err)
		}
		done = done && state == holdsNew
	}
	if done {
		err = s.finish(j)
	} else {
		err = s.rollback(j)
	}
	var edited *InterruptedError
	switch {
	case errors.As(err, &edited):
		return nil, err
	case err != nil:
		return nil, unfinished(j, err)
	}
	return &recovery{journal: j, forward: done}, nil
}

// unfinished returns the error for a run that stays interrupted for now.
func unfinished(j *journal, err error) error {
	return &RollbackError{Err: fmt.Errorf("an earlier %s was interrupted", j.Kind), Rollback: err}
}

// finish commits a pending run whose files all hold their new bytes.
func (s *store) finish(j *journal) error {
	s.removeTemps(j)
	for i := len(j.DropDirs) - 1; i >= 0; i-- {
		s.ops.Remove(j.DropDirs[i])
	}
	for _, dir := range j.dirs() {
		if err := s.syncDir(dir); err != nil {
			return err
		}
	}
	return s.commit(j)
}

// The states of a file in a run.
type fileState int

const (
	holdsOld fileState = iota
	holdsNew
	holdsOther // somebody else's bytes
)

// state tells which bytes a file holds.
func (s *store) state(e *entry) (fileState, error) {
	info, err := s.ops.Lstat(e.Name)
	switch {
	case missing(err):
		switch {
		case e.Old == nil:
			return holdsOld, nil
		case e.New == "":
			return holdsNew, nil
		}
		return holdsOther, nil
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return holdsOther, nil
	}
	data, err := s.ops.ReadFile(e.Name)
	switch {
	case err != nil:
		return 0, err
	case e.Old != nil && bytes.Equal(data, e.Old):
		return holdsOld, nil
	case e.New != "" && sum(data) == e.New:
		return holdsNew, nil
	}
	return holdsOther, nil
}

// missing reports whether err says that there is no such file.
func missing(err error) bool { return errors.Is(err, fs.ErrNotExist) }

// rollback puts every file of the pending run j back and ends the run. If that is
// impossible it changes no file and returns an *InterruptedError; if the system
// refuses, the journal stays for another attempt.
func (s *store) rollback(j *journal) error {
	states, err := s.examine(j)
	if err != nil {
		return err
	}
	for i := len(states) - 1; i >= 0; i-- {
		if states[i] != holdsNew {
			continue
		}
		if err := s.restore(j, i); err != nil {
			return fmt.Errorf("%s: %w", label(s.root, j.Entries[i].Name), cause(err))
		}
	}
	if err := s.removeTemps(j); err != nil {
		return err
	}
	for i := len(j.MakeDirs) - 1; i >= 0; i-- {
		s.ops.Remove(j.MakeDirs[i]) // stays when somebody put something there
	}
	for _, dir := range j.dirs() {
		if err := s.syncDir(dir); err != nil {
			return err
		}
	}
	if err := s.remove(s.pending()); err != nil {
		return err
	}
	s.ops.SyncDir(s.dir) // if the removal is lost, rolling back again finds nothing to do
	return nil
}

// examine returns the state of each file, once it is sure that all can be put back.
func (s *store) examine(j *journal) ([]fileState, error) {
	states := make([]fileState, len(j.Entries))
	var edited []string
	learnt := false
	for i, e := range j.Entries {
		state, err := s.state(e)
		if err != nil {
			return nil, err
		}
		states[i] = state
		if state != holdsOther || e.Kept {
			continue
		}
		untouched, err := s.untouched(j, i)
		if err != nil {
			return nil, err
		}
		if untouched {
			e.Kept, learnt = true, true
		} else {
			edited = append(edited, label(s.root, e.Name))
		}
	}
	if learnt {
		// The temporary files that prove it go away before the run ends.
		if err := s.save(j); err != nil {
			return nil, err
		}
	}
	if len(edited) > 0 {
		s.removeTemps(j)
		sort.Strings(edited)
		return nil, &InterruptedError{Files: edited, Journal: s.pending()}
	}
	return states, nil
}

// untouched reports whether the run had not yet come to a file that now holds
// somebody's own bytes. Then its temporary file is still there. A file that was to
// be deleted has none, but where it is there, the deletion did not last.
func (s *store) untouched(j *journal, i int) (bool, error) {
	if j.Entries[i].New == "" {
		return true, nil
	}
	_, err := s.ops.Lstat(j.temp(i))
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// restore puts back the old contents of a file that holds the new ones.
func (s *store) restore(j *journal, i int) error {
	e := j.Entries[i]
	if e.Old == nil {
		return s.remove(e.Name)
	}
	if err := s.restoreDirs(j, e.Name); err != nil {
		return err
	}
	ch := &change{name: e.Name, label: label(s.root, e.Name)}
	if _, _, err := confine(s.ops, j.Roots, ch); err != nil {
		return err
	}
	mode := e.Mode
	info, err := s.ops.Lstat(e.Name)
	switch {
	case err == nil:
		mode = keptMode(info)
	case missing(err):
		info = nil
	default:
		return err
	}
	if err := s.remove(j.backup(i)); err != nil { // left by an earlier attempt
		return err
	}
	if err := s.ops.Create(j.backup(i), e.Old, mode, info); err != nil {
		return err
	}
	return s.ops.Rename(j.backup(i), e.Name)
}

// restoreDirs makes the directories above name again that the run has removed.
func (s *store) restoreDirs(j *journal, name string) error {
	for _, dir := range j.DropDirs {
		if rel, err := filepath.Rel(dir, name); err != nil || !filepath.IsLocal(rel) {
			continue
		}
		if err := s.ops.Mkdir(dir); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

// removeTemps removes the run's temporary files.
func (s *store) removeTemps(j *journal) error {
	var first error
	for i := range j.Entries {
		for _, name := range []string{j.temp(i), j.backup(i)} {
			if err := s.remove(name); err != nil && first == nil {
				first = err
			}
		}
	}
	return first
}
