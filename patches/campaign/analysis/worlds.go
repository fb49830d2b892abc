package analysis

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/modfile"
)

// maxWorlds is how many modules and workspaces of a repository are looked at.
const maxWorlds = 200

// maxModFile bounds the go.mod and go.work files that are read.
const maxModFile = 4 << 20

// A World is a workspace, or a module that belongs to none.
type World struct {
	// Dir is its directory, relative to the top of the clone, with slashes; "." for the top.
	Dir string
	// Start is the directory of a module of it, relative as Dir: the go command looks above the directory worked in for a
	// module, and must not find one that belongs to something else.
	Start string
	// Work is the absolute name of the go.work file, "" where there is none.
	Work string
}

// Prefix is what stands before the names of its units.
func (w World) Prefix() string {
	if w.Dir == "." {
		return ""
	}
	return w.Dir + ":"
}

// Worlds finds those of a clone, sorted by directory, and says which it leaves alone. As the go command does it passes over vendor, testdata
// and directories that begin with a dot or an underscore.
func Worlds(top string) (worlds []World, notes []string, err error) {
	s := &search{top: top, members: map[string]bool{}}
	if err := filepath.WalkDir(top, s.visit); err != nil {
		return nil, nil, err
	}
	for _, dir := range s.works {
		if s.members[dir] {
			continue // a workspace within a workspace
		}
		s.workspace(dir)
	}
	for _, dir := range s.modules {
		if s.members[dir] {
			continue
		}
		if err := s.inside(dir, "go.mod"); err != nil {
			s.leave(dir, err)
			continue
		}
		s.worlds = append(s.worlds, World{Dir: dir, Start: dir})
	}
	slices.SortFunc(s.worlds, func(a, b World) int { return strings.Compare(a.Dir, b.Dir) })
	if len(s.worlds) > maxWorlds {
		s.notes = append(s.notes, fmt.Sprintf("only the first %d of %d modules were looked at", maxWorlds, len(s.worlds)))
		s.worlds = s.worlds[:maxWorlds]
	}
	return s.worlds, s.notes, nil
}

type search struct {
	top            string
	works, modules []string // directories, relative, with slashes
	members        map[string]bool
	worlds         []World
	notes          []string
}

func (s *search) visit(name string, d fs.DirEntry, err error) error {
	if err != nil {
		return err
	}
	base := d.Name()
	if d.IsDir() {
		if name != s.top && (base == "vendor" || base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) {
			return filepath.SkipDir
		}
		return nil
	}
	if base != "go.mod" && base != "go.work" || !d.Type().IsRegular() {
		return nil
	}
	rel, err := filepath.Rel(s.top, filepath.Dir(name))
	if err != nil {
		return err
	}
	if rel = filepath.ToSlash(rel); base == "go.work" {
		s.works = append(s.works, rel)
	} else {
		s.modules = append(s.modules, rel)
	}
	return nil
}

func (s *search) leave(dir string, err error) {
	s.notes = append(s.notes, fmt.Sprintf("%s is left alone: %v", dir, err))
}

// workspace adds the workspace of a directory, with its modules.
func (s *search) workspace(dir string) {
	name := filepath.Join(s.top, filepath.FromSlash(dir), "go.work")
	data, err := readBounded(name)
	if err != nil {
		s.leave(dir, err)
		return
	}
	file, err := modfile.ParseWork(name, data, nil)
	if err != nil {
		s.leave(dir, shorten(err, name, "go.work"))
		return
	}
	var members []string
	for _, use := range file.Use {
		member, err := s.within(dir, use.Path)
		if err == nil {
			err = s.inside(member, "go.mod")
		}
		if err != nil {
			s.leave(dir, fmt.Errorf("its go.work uses %s: %w", use.Path, err))
			return
		}
		members = append(members, member)
	}
	if err := s.replaced(dir, file.Replace); err != nil {
		s.leave(dir, err)
		return
	}
	if len(members) == 0 {
		s.leave(dir, errors.New("its go.work uses no module"))
		return
	}
	for _, m := range members {
		s.members[m] = true
	}
	s.members[dir] = true
	start := members[0]
	if slices.Contains(members, dir) {
		start = dir
	}
	s.worlds = append(s.worlds, World{Dir: dir, Start: start, Work: name})
}

// errOutside says that something lies in no directory of the repository.
var errOutside = errors.New("that lies outside of the repository")

// within returns what a path written in a file of dir means, relative to the top, if that lies in the clone.
func (s *search) within(dir, written string) (string, error) {
	if path.IsAbs(written) || filepath.IsAbs(written) {
		return "", errOutside
	}
	to := path.Join(dir, filepath.ToSlash(written))
	if !filepath.IsLocal(filepath.FromSlash(to)) {
		return "", errOutside
	}
	real, err := filepath.EvalSymlinks(filepath.Join(s.top, filepath.FromSlash(to)))
	if errors.Is(err, fs.ErrNotExist) {
		return to, nil
	} else if err != nil {
		return "", err
	}
	if rel, err := filepath.Rel(s.top, real); err != nil || !filepath.IsLocal(rel) {
		return "", errOutside
	}
	return to, nil
}

// inside reports an error unless all that a module takes from directories lies in the clone.
func (s *search) inside(dir, base string) error {
	name := filepath.Join(s.top, filepath.FromSlash(dir), base)
	data, err := readBounded(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // the go command will say so
	} else if err != nil {
		return err
	}
	// Lax parsing leaves replacements out.
	file, err := modfile.Parse(name, data, nil)
	if err != nil {
		return shorten(err, name, base)
	}
	return s.replaced(dir, file.Replace)
}

func (s *search) replaced(dir string, replaced []*modfile.Replace) error {
	for _, r := range replaced {
		if r.New.Version != "" {
			continue
		}
		if _, err := s.within(dir, r.New.Path); err != nil {
			return fmt.Errorf("it replaces %s by %s: %w", r.Old.Path, r.New.Path, err)
		}
	}
	return nil
}

// shorten takes the directory out of an error about a file.
func shorten(err error, name, base string) error {
	return errors.New(strings.Join(strings.Fields(strings.ReplaceAll(err.Error(), name, base)), " "))
}

// readBounded reads a file that is no link and not too large.
func readBounded(name string) ([]byte, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > maxModFile {
		return nil, fmt.Errorf("%s is not a file of a sensible size", filepath.Base(name))
	}
	return os.ReadFile(name)
}
