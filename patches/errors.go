package patches

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
)

// ErrNothingToUndo says that no fix is on record for the directory, or that the
// last one was taken back already.
var ErrNothingToUndo = errors.New("nothing to undo")

// Whatever error Set.Write or Undo returns, no file has changed, unless it is a
// *RollbackError. Files are named in errors as the set names them (Rel); Undo and
// Recover, which have no set, name them relative to the root they were given.

// A ChangedError says that files do not hold the bytes they should.
type ChangedError struct {
	// Files are the names of all files concerned, sorted.
	Files []string
	// Undo is set when the files were edited after the fix that is to be taken
	// back, not between being read and being written.
	Undo bool
}

func (e *ChangedError) Error() string {
	files := strings.Join(e.Files, ", ")
	if e.Undo {
		return files + " changed since the fix; take the change back and run ctxmend undo again"
	}
	return files + " changed since it was read; run ctxmend again"
}

// A ReadOnlyError says that a file, or the directory it lies in, may not be written.
type ReadOnlyError struct {
	File string
	// Dir is set when it is the file's directory, or the whole file system.
	Dir bool
	// Err is what the operating system said; nil when the permission bits told.
	Err error
}

func (e *ReadOnlyError) Error() string {
	what := e.File + " is read-only"
	if e.Dir {
		what = "the directory of " + e.File + " is read-only"
	}
	if e.Err != nil {
		what += " (" + cause(e.Err).Error() + ")"
	}
	return what + "; make it writable and run ctxmend again"
}

func (e *ReadOnlyError) Unwrap() error { return e.Err }

// An OutsideError says that a file does not lie in the modules being worked on.
type OutsideError struct {
	File string
	// Real is where the file really lies when a symbolic link leads out of the
	// module, else empty.
	Real string
}

func (e *OutsideError) Error() string {
	if e.Real != "" {
		return fmt.Sprintf("%s leads out of its module, to %s, through a symbolic link; ctxmend does not write there", e.File, e.Real)
	}
	return e.File + " lies outside the modules being worked on; ctxmend does not write there"
}

// An IrregularError says that something that is not a regular file, such as a
// symbolic link or a directory, stands where a file is to be written.
type IrregularError struct {
	File string
	Mode fs.FileMode // its type
}

func (e *IrregularError) Error() string {
	kind := "not a regular file"
	switch {
	case e.Mode&fs.ModeSymlink != 0:
		kind = "a symbolic link"
	case e.Mode.IsDir():
		kind = "a directory"
	}
	return fmt.Sprintf("%s is %s; ctxmend only writes regular files", e.File, kind)
}

// An ExistsError says that a file to be created is there already.
type ExistsError struct {
	File string
	// Other is the name that differs from File by letter case only, which is the
	// same file on some systems; empty when File itself exists.
	Other string
}

func (e *ExistsError) Error() string {
	if e.Other != "" {
		return fmt.Sprintf("cannot create %s: it differs from %s only in letter case", e.File, e.Other)
	}
	return fmt.Sprintf("cannot create %s: it exists already; run ctxmend again", e.File)
}

// A WriteError says that the operating system refused to read or write a file:
// a full disk (ENOSPC is in its chain), an input or output error.
type WriteError struct {
	File string
	Err  error
}

func (e *WriteError) Error() string {
	return fmt.Sprintf("cannot write %s: %v; nothing was changed", e.File, cause(e.Err))
}

func (e *WriteError) Unwrap() error { return e.Err }

// A JournalError says that the journal, without which nothing is written, cannot
// be kept or read.
type JournalError struct {
	Path string // the journal or its directory, "" when none can be found
	Err  error
}

func (e *JournalError) Error() string {
	if e.Path == "" {
		return fmt.Sprintf("no place for the undo journal: %v; set CTXMEND_CACHE to a directory", e.Err)
	}
	return fmt.Sprintf("cannot use the undo journal %s: %v; CTXMEND_CACHE names another directory for it", e.Path, cause(e.Err))
}

func (e *JournalError) Unwrap() error { return e.Err }

// A LockedError says that another ctxmend is writing to the same root.
type LockedError struct {
	Path string // the lock file
	PID  int    // the process holding it, 0 when unknown
	Host string // the machine it runs on
}

func (e *LockedError) Error() string {
	who := "another ctxmend"
	if e.PID != 0 {
		who = fmt.Sprintf("another ctxmend (process %d on %s)", e.PID, e.Host)
	}
	return fmt.Sprintf("%s is writing here; wait for it, or remove %s if it no longer runs", who, e.Path)
}

// An InterruptedError says that a fix or undo was interrupted half way and cannot
// be rolled back by itself, since files it had written were edited afterwards.
type InterruptedError struct {
	Files   []string // the files edited, sorted
	Journal string   // the record of the interrupted run
}

func (e *InterruptedError) Error() string {
	return fmt.Sprintf("an interrupted run left some files changed, and it cannot be rolled back because %s changed since; take that change back and run ctxmend again, or remove %s to keep all files as they are",
		strings.Join(e.Files, ", "), e.Journal)
}

// A RollbackError says that a write failed and that putting the files back failed
// too. The journal is kept: Recover, or the next Write or Undo, finishes the job.
type RollbackError struct {
	Err      error // why the write failed
	Rollback error // why the files could not be put back
}

func (e *RollbackError) Error() string {
	return fmt.Sprintf("%v; and putting the files back failed: %v; run ctxmend again to put them back", e.Err, e.Rollback)
}

func (e *RollbackError) Unwrap() []error { return []error{e.Err, e.Rollback} }

// cause strips the operation and the path, which name temporary files, from what
// the operating system said.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	var link *os.LinkError
	if errors.As(err, &link) {
		return link.Err
	}
	return err
}
