package git

import (
	"context"
	"fmt"
	"path"
	"strings"
)

// The kinds of entries, as git writes their modes.
const (
	modeLink   = "120000"
	modeModule = "160000"
)

// An Entry is a file as the index or a commit holds it.
type Entry struct {
	// Mode is git's: 100644, 100755, 120000 for a symbolic link, 160000 for a submodule.
	Mode string
	// ID names the content.
	ID string
}

// A State is what the index and the working tree hold, read once.
type State struct {
	repo *Repo
	// Index are the entries of the index by path. What was added with intent only is none.
	Index map[string]Entry
	// Unmerged are the paths in conflict, sorted.
	Unmerged []string
	// differs holds the paths of the index whose file is not what the index says: edited, removed, left out of a sparse
	// checkout, or not looked at because git was told not to.
	differs map[string]bool
	// flags are, by path, h where git assumes the file unchanged and S where a sparse checkout leaves it out.
	flags map[string]string
	// untracked are the paths of Go files and go.mod files in the working tree that the index does not have, and that belong
	// to nothing that is built from it.
	untracked []string
}

// Read reads the state of the repository.
func (r *Repo) Read(ctx context.Context) (*State, error) {
	s := &State{repo: r, Index: map[string]Entry{}, differs: map[string]bool{}, flags: map[string]string{}}
	if err := s.readIndex(ctx); err != nil {
		return nil, err
	}
	if err := s.readDifferences(ctx); err != nil {
		return nil, err
	}
	return s, s.readUntracked(ctx)
}

// readIndex lists the index. The letter before each entry is small where git assumes the file unchanged, and S where a sparse
// checkout leaves it out: git does not look at either.
func (s *State) readIndex(ctx context.Context) error {
	out, err := s.repo.run(ctx, nil, "ls-files", "-s", "-v", "-z", "--full-name", "--", ":/")
	if err != nil {
		return err
	}
	for _, line := range fields(out) {
		head, name, _ := strings.Cut(line, "\t")
		words := strings.Fields(head)
		if len(words) != 4 {
			return fmt.Errorf("git ls-files printed %q", line)
		}
		if words[3] != "0" {
			if n := len(s.Unmerged); n == 0 || s.Unmerged[n-1] != name {
				s.Unmerged = append(s.Unmerged, name)
			}
			s.differs[name] = true
			continue
		}
		s.Index[name] = Entry{words[1], words[2]}
		tag := words[0]
		if tag == strings.ToLower(tag) {
			s.flags[name] = "h"
		}
		if strings.EqualFold(tag, "S") {
			s.flags[name] += "S"
		}
		if s.flags[name] != "" {
			s.differs[name] = true
		}
	}
	return nil
}

// readDifferences asks which files are not what the index says.
func (s *State) readDifferences(ctx context.Context) error {
	out, err := s.repo.run(ctx, nil, "diff-files", "-z", "--raw", "--no-abbrev", "--no-renames", "--ita-invisible-in-index", "--ignore-submodules=none")
	if err != nil {
		return err
	}
	changes, err := parseRaw(out)
	if err != nil {
		return err
	}
	for _, c := range changes {
		s.differs[c.Path] = true
		if c.Status == 'A' {
			delete(s.Index, c.Path)
			s.untracked = append(s.untracked, c.Path)
		}
	}
	return nil
}

// A Change is a path that differs between two states.
type Change struct {
	// Status is git's letter: A added, D deleted, M modified, R renamed, T another type, U unmerged.
	Status byte
	// Path is the path, From what it was called before when it was renamed.
	Path, From string
	Old, New   Entry
}

// parseRaw reads git's raw format.
func parseRaw(out []byte) ([]Change, error) {
	var changes []Change
	list := fields(out)
	for i := 0; i < len(list); i++ {
		words := strings.Fields(strings.TrimPrefix(list[i], ":"))
		if !strings.HasPrefix(list[i], ":") || len(words) != 5 || i+1 == len(list) {
			return nil, fmt.Errorf("git printed %q as a difference", list[i])
		}
		c := Change{Status: words[4][0], Old: Entry{words[0], words[2]}, New: Entry{words[1], words[3]}}
		i++
		c.Path = list[i]
		if c.Status == 'R' || c.Status == 'C' {
			if i++; i == len(list) {
				return nil, fmt.Errorf("git printed a rename without its second name")
			}
			c.From, c.Path = c.Path, list[i]
		}
		changes = append(changes, c)
	}
	return changes, nil
}

// Staged lists what the index changes against a commit, "" for none, with renames found as git finds them.
func (r *Repo) Staged(ctx context.Context, commit string) ([]Change, error) {
	tree, err := r.tree(ctx, commit)
	if err != nil {
		return nil, err
	}
	out, err := r.run(ctx, nil, "diff-index", "--cached", "-z", "--raw", "--no-abbrev", "-M", "-l0", "--ita-invisible-in-index", "--ignore-submodules=none", tree)
	if err != nil {
		return nil, err
	}
	return parseRaw(out)
}

// tree returns a name for the content of a commit, and that of nothing for "".
func (r *Repo) tree(ctx context.Context, commit string) (string, error) {
	if commit != "" {
		return commit, nil
	}
	out, err := r.run(ctx, nil, "hash-object", "-t", "tree", "--stdin")
	return strings.TrimSpace(string(out)), err
}

// entriesOf lists the files of a commit by path.
func (r *Repo) entriesOf(ctx context.Context, commit string) (map[string]Entry, error) {
	out, err := r.run(ctx, nil, "ls-tree", "-r", "-z", "--full-tree", commit)
	if err != nil {
		return nil, err
	}
	entries := map[string]Entry{}
	for _, line := range fields(out) {
		head, name, _ := strings.Cut(line, "\t")
		words := strings.Fields(head)
		if len(words) != 3 {
			return nil, fmt.Errorf("git ls-tree printed %q", line)
		}
		entries[name] = Entry{words[0], words[2]}
	}
	return entries, nil
}

// IsModule reports whether the entry is a submodule.
func (e Entry) IsModule() bool { return e.Mode == modeModule }

// ForGo reports whether a change of a file of that name may change what a Go program is.
func ForGo(name string) bool { return goReads(name) }

// goReads reports whether the go command, or ctxmend, reads a file of that name.
func goReads(name string) bool {
	switch path.Base(name) {
	case "go.mod", "go.sum", "go.work", "go.work.sum", "modules.txt":
		return true
	}
	switch path.Ext(name) {
	case ".go", ".c", ".cc", ".cpp", ".cxx", ".m", ".h", ".hh", ".hpp", ".hxx", ".f", ".F", ".for", ".f90",
		".s", ".S", ".sx", ".swig", ".swigcxx", ".syso":
		return true
	}
	return false
}
