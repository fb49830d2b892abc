package patches

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"regexp"
	"sort"
	"strconv"
	"syscall"
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

var besideName = regexp.MustCompile(`^\.ctxmend-[0-9a-f]+-[0-9]+\.(tmp|out|bak)$`)

// Leftovers returns the files, in some directories, that a run keeps beside those it changes for as long as it lasts. Where there is one,
// a run was interrupted or is at work, perhaps of another root, so that Recover does not know of it: what is in the
// directories may be half changed.
func Leftovers(dirs []string) []string {
	var list []string
	for _, dir := range dirs {
		names, err := osFS{}.ReadNames(dir)
		if err != nil {
			continue // whoever reads the files in it says so
		}
		for _, name := range names {
			if besideName.MatchString(name) {
				list = append(list, filepath.Join(dir, name))
			}
		}
	}
	sort.Strings(list)
	return list
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
	if err := s.bringBack(j); err != nil {
		return nil, unfinished(j, err)
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
	if err := s.removeTemps(j); err != nil {
		return err
	}
	for i := len(j.DropDirs) - 1; i >= 0; i-- {
		s.ops.RemoveDir(j.DropDirs[i])
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
	isAbsent
)

// state tells which contents of the entry's file its name stands for: no file is one
// of them if the run creates or deletes it.
func (s *store) state(e *entry) (fileState, error) {
	state, err := s.contents(e, e.Name)
	switch {
	case err != nil || state != isAbsent:
		return state, err
	case e.Old == nil:
		return holdsOld, nil
	case e.New == "":
		return holdsNew, nil
	}
	return holdsOther, nil
}

// contents tells which bytes of the entry's file lie under a name.
func (s *store) contents(e *entry, name string) (fileState, error) {
	info, err := s.ops.Lstat(name)
	switch {
	case gone(err):
		return isAbsent, nil
	case err != nil:
		return 0, err
	case !info.Mode().IsRegular():
		return holdsOther, nil
	}
	data, err := s.ops.ReadFile(name)
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

// gone is missing, or that what should be a directory above the file is something else by now.
func gone(err error) bool { return missing(err) || errors.Is(err, syscall.ENOTDIR) }
