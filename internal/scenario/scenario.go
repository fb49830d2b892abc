// Package scenario reads, materializes and rewrites the scenarios under
// testdata: txtar archives that show a program, what is found in it, and what
// becomes of it. testdata/README.md describes their form. Only tests use it.
package scenario

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/tools/txtar"
)

// The names of files in an archive that are not part of the program.
const (
	wantDir      = "want/"
	findingsFile = "findings"
	deletedFile  = "deleted"
	stdoutFile   = "stdout"
	fixedStdout  = "stdout.fixed"
)

// defaultGoMod is written for scenarios that bring no module of their own.
const defaultGoMod = "module example.com/m\n\ngo 1.24\n"

// A Scenario is one parsed archive.
type Scenario struct {
	// File is the archive's file name.
	File string
	// Prose says what the scenario shows; Args are the words of its flag lines.
	Prose string
	Args  []string
	// Input is the program, by slash-separated name.
	Input Tree
	// Want holds the files that differ after the fix, Deleted those that are gone.
	Want    Tree
	Deleted []string
	// Findings are the expected findings, one line each.
	Findings []string
	// Stdout is what the programs print; nil when the archive does not say.
	Stdout []byte
	// FixedStdout is what they print after the fix; nil when that is the same.
	FixedStdout []byte

	archive *txtar.Archive
}

// A Tree is the content of files by slash-separated name.
type Tree map[string][]byte

// Names returns the tree's names, sorted.
func (t Tree) Names() []string {
	names := make([]string, 0, len(t))
	for name := range t {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

// Read parses an archive. A scenario without prose is an error: nobody would
// know what it is for.
func Read(file string) (*Scenario, error) {
	archive, err := txtar.ParseFile(file)
	if err != nil {
		return nil, err
	}
	s := &Scenario{File: file, Input: Tree{}, Want: Tree{}, archive: archive}
	if err := s.comment(string(archive.Comment)); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	for _, f := range archive.Files {
		if err := s.file(f.Name, f.Data); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
	}
	s.addGoMod()
	return s, nil
}

// comment parts prose from flag lines, which begin with a dash and a letter.
func (s *Scenario) comment(text string) error {
	var prose []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		flag := strings.TrimLeft(line, "-")
		if flag != line && flag != "" && flag[0] >= 'a' && flag[0] <= 'z' {
			s.Args = append(s.Args, strings.Fields(line)...)
		} else if line != "" {
			prose = append(prose, line)
		}
	}
	s.Prose = strings.Join(prose, " ")
	if s.Prose == "" {
		return fmt.Errorf("no prose: say in a sentence what the scenario shows")
	}
	return nil
}

func (s *Scenario) file(name string, data []byte) error {
	if name != path.Clean(name) || path.IsAbs(name) || strings.HasPrefix(name, "..") {
		return fmt.Errorf("file name %q leads out of the scenario", name)
	}
	tree := s.Input
	switch {
	case name == findingsFile:
		s.Findings = lines(data)
		return nil
	case name == deletedFile:
		s.Deleted = lines(data)
		return nil
	case name == stdoutFile:
		s.Stdout = data
		return nil
	case name == fixedStdout:
		s.FixedStdout = data
		return nil
	case strings.HasPrefix(name, wantDir):
		tree, name = s.Want, strings.TrimPrefix(name, wantDir)
	}
	if _, twice := tree[name]; twice {
		return fmt.Errorf("file %s is there twice", name)
	}
	tree[name] = data
	return nil
}

// lines returns the lines that are neither empty nor comments.
func lines(data []byte) []string {
	var out []string
	for line := range strings.Lines(string(data)) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
			out = append(out, line)
		}
	}
	return out
}

func (s *Scenario) addGoMod() {
	for name := range s.Input {
		if base := path.Base(name); base == "go.mod" || base == "go.work" {
			return
		}
	}
	s.Input["go.mod"] = []byte(defaultGoMod)
}

// After returns the whole tree as it is expected after the fix.
func (s *Scenario) After() Tree {
	after := Tree{}
	for name, data := range s.Input {
		after[name] = data
	}
	for name, data := range s.Want {
		after[name] = data
	}
	for _, name := range s.Deleted {
		delete(after, name)
	}
	return after
}

// Update rewrites the archive on disk so that it expects the given findings and
// the given tree. Prose, flags and input stay as they are.
func (s *Scenario) Update(findings []string, after Tree) error {
	var files []txtar.File
	for _, f := range s.archive.Files {
		if f.Name != findingsFile && f.Name != deletedFile && !strings.HasPrefix(f.Name, wantDir) {
			files = append(files, f)
		}
	}
	for _, name := range after.Names() {
		if old, had := s.Input[name]; !had || !bytes.Equal(old, after[name]) {
			files = append(files, txtar.File{Name: wantDir + name, Data: after[name]})
		}
	}
	var deleted []string
	for _, name := range s.Input.Names() {
		if _, still := after[name]; !still {
			deleted = append(deleted, name)
		}
	}
	add := func(name string, lines []string) {
		if len(lines) > 0 {
			files = append(files, txtar.File{Name: name, Data: []byte(strings.Join(lines, "\n") + "\n")})
		}
	}
	add(deletedFile, deleted)
	add(findingsFile, findings)
	return os.WriteFile(s.File, txtar.Format(&txtar.Archive{Comment: s.archive.Comment, Files: files}), 0o644)
}

// Write writes the tree below dir.
func (t Tree) Write(dir string) error {
	for name, data := range t {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(file, data, 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ReadTree reads every file below dir.
func ReadTree(dir string) (Tree, error) {
	tree := Tree{}
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, file)
		if err != nil {
			return err
		}
		tree[filepath.ToSlash(rel)] = data
		return nil
	})
	return tree, err
}

// Find returns the archives below dir, sorted.
func Find(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(file string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && strings.HasSuffix(file, ".txtar") {
			files = append(files, file)
		}
		return err
	})
	sort.Strings(files)
	return files, err
}
