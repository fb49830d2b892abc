package patches

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"sort"
)

// rollback puts every file of the pending run j back and ends the run. If that is
// impossible it changes no file and returns an *InterruptedError; if the system
// refuses, the journal stays for another attempt.
func (s *store) rollback(j *journal) error {
	if err := s.bringBack(j); err != nil {
		return err
	}
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
		s.ops.RemoveDir(j.MakeDirs[i]) // stays when somebody put something there
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

// bringBack gives what stands aside its name again where it is neither old nor new:
// somebody saved the file just before the run put its own contents in place, and the
// run ended before it saw that.
func (s *store) bringBack(j *journal) error {
	for i, e := range j.Entries {
		name, err := s.state(e)
		if err != nil {
			return err
		}
		if name == holdsOther {
			continue
		}
		if err := s.completeSwap(j, i, name); err != nil {
			return err
		}
		aside, err := s.contents(e, j.aside(i))
		if err != nil {
			return err
		}
		if aside != holdsOther {
			continue
		}
		if err := s.putBack(j, i); err != nil {
			return err
		}
	}
	return nil
}

// completeSwap gives what stepped aside the name it has from then on, if the run ended
// between the two steps.
func (s *store) completeSwap(j *journal, i int, name fileState) error {
	e := j.Entries[i]
	if name != holdsNew || e.Old == nil || e.New == "" {
		return nil
	}
	temp, err := s.contents(e, j.temp(i))
	if err != nil || temp == holdsNew || temp == isAbsent {
		return err
	}
	if err := s.confined(j, e); err != nil {
		return err
	}
	return s.ops.Rename(j.temp(i), j.aside(i))
}

// putBack swaps what stands aside with what bears the name, if anything does.
func (s *store) putBack(j *journal, i int) error {
	e := j.Entries[i]
	if err := s.confined(j, e); err != nil {
		return err
	}
	err := s.ops.RenameNew(j.aside(i), e.Name)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.ops.Exchange(j.aside(i), e.Name)
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
		return nil, s.interrupted(edited...)
	}
	return states, nil
}

// interrupted returns the error for files that were edited after the run wrote them.
func (s *store) interrupted(files ...string) error {
	return &InterruptedError{Files: files, Journal: s.pending()}
}

// untouched reports whether the run had not yet come to a file that now holds
// somebody's own bytes, or has stepped back from it. Then its new contents still lie
// under another name. A file that was to be deleted has none, but where it is there,
// the deletion did not last.
func (s *store) untouched(j *journal, i int) (bool, error) {
	e := j.Entries[i]
	if e.New == "" {
		return true, nil
	}
	temp, err := s.contents(e, j.temp(i))
	if err != nil {
		return false, err
	}
	aside, err := s.contents(e, j.aside(i))
	// New contents of which only a part was written will not have been put in place.
	return aside == holdsNew || temp == holdsNew || temp == holdsOther, err
}

// restore puts back the old contents of a file that holds the new ones.
func (s *store) restore(j *journal, i int) error {
	e := j.Entries[i]
	if err := s.restoreDirs(j, e.Name); err != nil {
		return err
	}
	if err := s.confined(j, e); err != nil {
		return err
	}
	switch {
	case e.Old == nil:
		return s.takeAway(j, i)
	case e.New == "":
		if err := s.setAside(j, i); err != nil {
			return err
		}
		err := s.ops.RenameNew(j.aside(i), e.Name)
		if errors.Is(err, fs.ErrExist) {
			return s.interrupted(label(s.root, e.Name))
		}
		return err
	}
	if err := s.setAside(j, i); err != nil {
		return err
	}
	err := s.ops.Exchange(j.aside(i), e.Name)
	if errors.Is(err, errors.ErrUnsupported) {
		if now, err := s.state(e); err != nil {
			return err
		} else if now != holdsNew {
			return s.interrupted(label(s.root, e.Name))
		}
		return s.ops.Rename(j.aside(i), e.Name)
	} else if err != nil {
		return err
	}
	return s.checkTaken(j, i)
}

// takeAway makes a name that the run has created stand for nothing again.
func (s *store) takeAway(j *journal, i int) error {
	e := j.Entries[i]
	if err := s.removeOurs(e, j.aside(i)); err != nil {
		return err
	}
	if err := s.ops.RenameNew(e.Name, j.aside(i)); missing(err) {
		return nil
	} else if err != nil {
		return err
	}
	return s.checkTaken(j, i)
}

// checkTaken makes sure that what restoring has put aside is what the run had written.
// Somebody's own bytes, saved in the last moment, get their name back.
func (s *store) checkTaken(j *journal, i int) error {
	taken, err := s.contents(j.Entries[i], j.aside(i))
	if err != nil || taken == holdsNew {
		return err
	}
	if err := s.putBack(j, i); err != nil {
		return err
	}
	return s.interrupted(label(s.root, j.Entries[i].Name))
}

// setAside makes sure that the old contents stand aside, whole.
func (s *store) setAside(j *journal, i int) error {
	e := j.Entries[i]
	aside, err := s.contents(e, j.aside(i))
	if err != nil || aside == holdsOld {
		return err
	}
	if err := s.removeOurs(e, j.aside(i)); err != nil {
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
	if err := create(s.ops, j.backup(i), e.Old, mode, info); err != nil {
		return err
	}
	return s.ops.RenameNew(j.backup(i), j.aside(i))
}

// confined makes sure that the entry's file still lies in one of the run's roots.
func (s *store) confined(j *journal, e *entry) error {
	_, _, err := confine(s.ops, j.Roots, &change{name: e.Name, label: label(s.root, e.Name)})
	return err
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

// removeTemps removes the run's temporary files. Somebody's own bytes are not among
// them: they stay, under whatever name.
func (s *store) removeTemps(j *journal) error {
	var first error
	keep := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	swapped := s.swapped(j)
	for i, e := range j.Entries {
		keep(s.remove(j.backup(i)))
		keep(s.removeOurs(e, j.aside(i)))
		keep(s.removeTemp(j, i, swapped(i)))
	}
	return first
}

// removeTemp removes the file with the new contents, also one that is half written,
// unless it may be what stepped aside.
func (s *store) removeTemp(j *journal, i int, swapped bool) error {
	temp, err := s.contents(j.Entries[i], j.temp(i))
	if err != nil || temp == isAbsent {
		return err
	}
	if temp == holdsOther {
		name, err := s.state(j.Entries[i])
		if err != nil || name == holdsOther && swapped {
			return err
		}
	}
	return s.remove(j.temp(i))
}

// swapped tells of each file whether the run may have ended while it swapped that, so
// that what bears the name of the new contents is what bore the file's name. All new
// contents are written, in order, before the first file is swapped.
func (s *store) swapped(j *journal) func(i int) bool {
	var written []int
	for i, e := range j.Entries {
		if e.New != "" {
			written = append(written, i)
		}
	}
	there := func(k int) bool {
		if k >= len(written) {
			return true
		}
		_, err := s.ops.Lstat(j.temp(written[k]))
		return !missing(err)
	}
	first, second := there(0), there(1)
	return func(i int) bool {
		if len(written) > 0 && i == written[0] {
			return second
		}
		return !first
	}
}

// removeOurs removes a file if it holds the entry's old or new contents.
func (s *store) removeOurs(e *entry, name string) error {
	state, err := s.contents(e, name)
	if err != nil || state == isAbsent || state == holdsOther {
		return err
	}
	return s.remove(name)
}
