package program

import (
	"bytes"
	"go/parser"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Beside returns the Go files, parsed only, of modules that lie in the directories of the
// world's modules without being part of the world, require one of them, and import it or mention a look-up of
// context values. They are programs of their own that may share keys with the world. Files are
// marked Excluded, with the module as the reason. What cannot be read or parsed is left out.
func (p *Program) Beside() []*File {
	var list []*File
	for _, m := range p.Modules {
		filepath.WalkDir(m.Dir, func(dir string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() || dir == m.Dir {
				return nil
			}
			if base := d.Name(); strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor" || base == "node_modules" {
				return filepath.SkipDir
			}
			if nested := p.nestedModule(dir); nested != nil {
				list = append(list, p.filesBeside(nested)...)
				return filepath.SkipDir
			}
			return nil
		})
	}
	return list
}

// nestedModule reads the go.mod in dir and returns the module when it lies outside the world
// and requires a module of it.
func (p *Program) nestedModule(dir string) *Module {
	gomod := filepath.Join(dir, "go.mod")
	if _, err := os.Stat(gomod); err != nil {
		return nil
	}
	if slices.ContainsFunc(p.Modules, func(m *Module) bool { return m.Dir == dir }) {
		return nil
	}
	m := &Module{Dir: dir, GoMod: gomod, Requires: map[string]bool{}}
	if m.readGoMod() != nil || !slices.ContainsFunc(p.Modules, func(w *Module) bool { return m.Requires[w.Path] }) {
		return nil
	}
	return m
}

// filesBeside parses a nested module's files that look a context value up.
func (p *Program) filesBeside(m *Module) []*File {
	rel, err := filepath.Rel(p.Dir, m.Dir)
	if err != nil {
		rel = m.Dir
	}
	var list []*File
	filepath.WalkDir(m.Dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil
		}
		if d.IsDir() {
			if base := d.Name(); name != m.Dir && (strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		src, err := os.ReadFile(name)
		if err != nil || !bytes.Contains(src, []byte("Value(")) && !p.mentionsModule(src) {
			return nil
		}
		file, _ := parser.ParseFile(p.Fset, name, src, parser.SkipObjectResolution)
		if file == nil {
			return nil
		}
		f := &File{
			Name: name, Src: src, AST: file, Tok: p.Fset.File(file.Package), PkgDir: filepath.Dir(name),
			Test: strings.HasSuffix(name, "_test.go"), Excluded: true, Constraint: "module in " + filepath.ToSlash(rel),
		}
		if r, err := filepath.Rel(p.Dir, name); err == nil {
			f.Rel = filepath.ToSlash(r)
		}
		list = append(list, f)
		return nil
	})
	return list
}

// mentionsModule reports whether source text contains the path of one of the world's modules, as
// a file that imports its packages does.
func (p *Program) mentionsModule(src []byte) bool {
	return slices.ContainsFunc(p.Modules, func(m *Module) bool { return bytes.Contains(src, []byte(`"`+m.Path)) })
}
