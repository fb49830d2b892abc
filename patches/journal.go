package patches

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// The kinds of journal.
const (
	kindFix  = "fix"
	kindUndo = "undo"
)

// A journal records one run that writes files: enough to put every file back and to
// tell, from a file's bytes, how far the run came. It is durable before the first
// file is touched. While the run lasts it is called pending; renaming it to last is
// what commits the run, and what makes it the one that undo takes back.
type journal struct {
	Kind  string   `json:"kind"`
	ID    string   `json:"id"` // random, part of the names of temporary files
	Root  string   `json:"root"`
	Roots []string `json:"roots"`
	// MakeDirs are directories the run creates, DropDirs those it removes if they
	// are empty in the end; parents come first in both.
	MakeDirs []string `json:"make_dirs,omitempty"`
	DropDirs []string `json:"drop_dirs,omitempty"`
	Entries  []*entry `json:"entries"`
}

// An entry is one file of a journal.
type entry struct {
	Name string      `json:"name"`
	Mode fs.FileMode `json:"mode"`
	// Old is what the file held before; nil (null in JSON, as opposed to "") if
	// it did not exist.
	Old []byte `json:"old"`
	// New is the SHA-256 of what it is to hold in hexadecimal, "" if it is to be deleted.
	New string `json:"new"`
	// Kept is set when an interrupted run had not yet come to a file that holds
	// neither old nor new bytes: somebody's own edit, which is no obstacle to
	// putting the other files back.
	Kept bool `json:"kept,omitempty"`
}

// temp is the name of the temporary file that holds the new contents of entry i,
// beside the file itself so that renaming it is atomic.
func (j *journal) temp(i int) string { return j.beside(i, ".tmp") }

// aside is the name that what bore entry i's name bears while the run goes on. Whatever
// it is, it is whole, and somebody's own if it holds neither old nor new bytes.
func (j *journal) aside(i int) string { return j.beside(i, ".out") }

// backup is the name of the file in which its old contents are written once more. Half
// written ones may be left; a whole one becomes what stands aside.
func (j *journal) backup(i int) string { return j.beside(i, ".bak") }

func (j *journal) beside(i int, ext string) string {
	// The leading dot hides it from the go command.
	return filepath.Join(filepath.Dir(j.Entries[i].Name), ".ctxmend-"+j.ID+"-"+strconv.Itoa(i)+ext)
}

// dirs returns the directories in which the run changes names, each once.
func (j *journal) dirs() []string {
	var dirs []string
	seen := map[string]bool{}
	add := func(dir string) {
		if !seen[dir] {
			seen[dir] = true
			dirs = append(dirs, dir)
		}
	}
	for _, e := range j.Entries {
		add(filepath.Dir(e.Name))
	}
	for _, list := range [][]string{j.MakeDirs, j.DropDirs} {
		for _, dir := range list {
			add(filepath.Dir(dir))
		}
	}
	return dirs
}

// sum returns the hash by which a journal knows contents.
func sum(data []byte) string {
	h := sha256.Sum256(data)
	return hex.EncodeToString(h[:])
}

// randomID returns a name no other run uses.
func randomID() string {
	var b [8]byte
	rand.Read(b[:]) // never fails
	return hex.EncodeToString(b[:])
}

// A store is the place where the journals of one root are kept:
//
//	pending   the journal of a run that goes on or was interrupted
//	last      the journal of the last run that ended well
//	lock      who is writing
type store struct {
	ops  fsops
	root string // with symbolic links resolved
	dir  string
	wait time.Duration // how long to wait for another process
}

// openStore finds the store of root, without creating anything. Its directory is
// named by a hash of root and lies in cacheDir, or if that is empty in the
// directory named by the environment variable CTXMEND_CACHE, or in the directory
// ctxmend of the user's cache directory.
func openStore(ops fsops, root, cacheDir string) (*store, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, &JournalError{Err: err}
	}
	real, err := ops.EvalSymlinks(abs)
	if err != nil {
		return nil, &JournalError{Path: "of " + root, Err: err}
	}
	if cacheDir == "" {
		cacheDir = os.Getenv("CTXMEND_CACHE")
	}
	if cacheDir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return nil, &JournalError{Err: err}
		}
		cacheDir = filepath.Join(user, "ctxmend")
	}
	if cacheDir, err = filepath.Abs(cacheDir); err != nil {
		return nil, &JournalError{Err: err}
	}
	dir := filepath.Join(cacheDir, sum([]byte(real))[:32])
	return &store{ops: ops, root: real, dir: dir, wait: 5 * time.Second}, nil
}

func (s *store) pending() string { return filepath.Join(s.dir, "pending") }
func (s *store) last() string    { return filepath.Join(s.dir, "last") }

func (s *store) lockFile() string { return filepath.Join(s.dir, "lock") }

// makeDir creates the store's directory, durably: a journal in a directory that
// did not survive would be no use.
func (s *store) makeDir() error {
	var fresh []string
	for dir := s.dir; ; dir = filepath.Dir(dir) {
		if _, err := s.ops.Lstat(dir); !missing(err) {
			break
		}
		fresh = append(fresh, dir)
	}
	if len(fresh) == 0 {
		// Who made it may have died before it was durable.
		s.ops.SyncDir(filepath.Dir(s.dir))
		s.ops.SyncDir(filepath.Dir(filepath.Dir(s.dir)))
		return nil
	}
	if err := s.ops.MkdirPrivate(s.dir); err != nil {
		return err
	}
	for _, dir := range fresh {
		if err := s.ops.SyncDir(filepath.Dir(dir)); err != nil {
			return err
		}
	}
	return nil
}

// journalHeader is the first line of a journal, followed by the hash of the rest.
const journalHeader = "ctxmend journal 1 "

// save makes j the pending journal, durably.
func (s *store) save(j *journal) error {
	body, err := json.Marshal(j)
	if err != nil {
		return err
	}
	data := append([]byte(journalHeader+sum(body)+"\n"), body...)
	temp := s.pending() + ".tmp"
	if err := s.remove(temp); err != nil { // left by a crash
		return err
	}
	if err := create(s.ops, temp, data, 0o600, nil); err != nil {
		return err
	}
	if err := s.ops.Rename(temp, s.pending()); err != nil {
		s.ops.Remove(temp)
		return err
	}
	return s.ops.SyncDir(s.dir)
}

// load reads a journal; nil if there is none.
func (s *store) load(name string) (*journal, error) {
	info, err := s.ops.Lstat(name)
	if missing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, &JournalError{Path: name, Err: err}
	}
	if !info.Mode().IsRegular() { // reading a pipe would not end
		return nil, &JournalError{Path: name, Err: errors.New("it is no regular file; remove it")}
	}
	// A cache directory that others may write to must not let them have any file of this user's written. What this user owns there
	// tells the lock, which is held: on some network file systems it is not who the process is.
	if lock, err := s.ops.Lstat(s.lockFile()); err == nil && otherOwner(info, lock) {
		return nil, &JournalError{Path: name, Err: errors.New("it is another user's; run ctxmend as that user, or remove it")}
	}
	data, err := s.ops.ReadFile(name)
	if err != nil {
		return nil, &JournalError{Path: name, Err: err}
	}
	head, body, _ := bytes.Cut(data, []byte("\n"))
	if string(head) != journalHeader+sum(body) {
		return nil, &JournalError{Path: name, Err: errors.New("it is damaged or of another version of ctxmend")}
	}
	j := new(journal)
	if err := json.Unmarshal(body, j); err != nil {
		return nil, &JournalError{Path: name, Err: err}
	}
	if j.Root != s.root {
		return nil, &JournalError{Path: name, Err: fmt.Errorf("it belongs to %s", j.Root)}
	}
	if bad := s.outside(j); bad != "" {
		return nil, &JournalError{Path: name, Err: fmt.Errorf("it names %s, which no run writes to; remove it", bad)}
	}
	return j, nil
}

// outside returns something that the journal names and that lies in none of its roots, "" if there is nothing.
func (s *store) outside(j *journal) string {
	if id, err := hex.DecodeString(j.ID); err != nil || len(id) == 0 {
		return "files called " + strconv.Quote(j.ID)
	}
	roots := []string{j.Root}
	for _, root := range j.Roots {
		roots = append(roots, filepath.Clean(root))
		if real, err := s.ops.EvalSymlinks(root); err == nil {
			roots = append(roots, real)
		}
	}
	names := append(slices.Clone(j.MakeDirs), j.DropDirs...)
	for _, e := range j.Entries {
		if e == nil {
			return "nothing"
		}
		names = append(names, e.Name)
	}
	for _, name := range names {
		if !filepath.IsAbs(name) || filepath.Clean(name) != name || !slices.ContainsFunc(roots, func(root string) bool { return below(root, name) }) {
			return name
		}
	}
	return ""
}

// below reports whether a name lies in a directory, by its spelling.
func below(dir, name string) bool {
	rel, err := filepath.Rel(dir, name)
	return err == nil && rel != "." && filepath.IsLocal(rel)
}

// commit ends the pending run: it becomes the last.
func (s *store) commit(j *journal) error {
	if err := s.ops.Rename(s.pending(), s.last()); err != nil {
		// A network file system may report failure and have done it all the same.
		if last, lerr := s.load(s.last()); lerr != nil || last == nil || last.ID != j.ID {
			return err
		}
	}
	// Should the rename be lost with the power, all files hold their new bytes
	// and recovery commits once more: an error here is of no consequence.
	s.ops.SyncDir(s.dir)
	return nil
}

// remove removes a file that need not exist, nor need the directory it lies in.
func (s *store) remove(name string) error {
	if err := s.ops.Remove(name); err != nil && !gone(err) {
		return err
	}
	return nil
}
