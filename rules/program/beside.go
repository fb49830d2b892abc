package program

import (
	"bytes"
	"io/fs"
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
		p.WalkDir(m.Dir, func(dir string, d fs.DirEntry, err error) error {
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

// Skipped returns the Go files, parsed only, of directories that patterns leave out, those called testdata and those
// that begin with an underscore, as far as the files import a package of the world: programs that people
// build by naming them, _examples for one. They are marked Excluded.
func (p *Program) Skipped() []*File {
	var list []*File
	for _, m := range p.Modules {
		p.WalkDir(m.Dir, func(dir string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() || dir == m.Dir {
				return nil
			}
			base := d.Name()
			if strings.HasPrefix(base, ".") || base == "vendor" || base == "node_modules" {
				return filepath.SkipDir
			}
			if p.Exists(filepath.Join(dir, "go.mod")) {
				return filepath.SkipDir
			}
			rel, err := filepath.Rel(m.Dir, dir)
			if err == nil && skippedByPatterns(rel) {
				for _, f := range p.unlistedIn(m, dir, p.mentionsModule) {
					f.Constraint = "program in " + filepath.ToSlash(filepath.Dir(f.Rel))
					list = append(list, f)
				}
			}
			return nil
		})
	}
	return list
}

// skippedByPatterns reports whether ... in a pattern leaves a directory out for its name or that of one above it.
func skippedByPatterns(rel string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(rel), "/") {
		if strings.HasPrefix(part, "_") || part == "testdata" {
			return true
		}
	}
	return false
}

// nestedModule reads the go.mod in dir and returns the module when it lies outside the world
// and requires a module of it.
func (p *Program) nestedModule(dir string) *Module {
	gomod := filepath.Join(dir, "go.mod")
	if !p.Exists(gomod) {
		return nil
	}
	if slices.ContainsFunc(p.Modules, func(m *Module) bool { return m.Dir == dir }) {
		return nil
	}
	m := &Module{Dir: dir, GoMod: gomod, Requires: map[string]bool{}}
	if m.readGoMod(p.loader.tree) != nil || !slices.ContainsFunc(p.Modules, func(w *Module) bool { return m.Requires[w.Path] }) {
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
	p.WalkDir(m.Dir, func(name string, d fs.DirEntry, err error) error {
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
		src, err := p.ReadFile(name)
		if err != nil || !bytes.Contains(src, []byte("Value(")) && !p.mentionsModule(src) {
			return nil
		}
		file := p.parseApart(name, src)
		if file == nil {
			return nil
		}
		f := &File{
			Name: name, Src: src, AST: file, Tok: p.Fset.File(file.FileStart), PkgDir: filepath.Dir(name),
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

// Unlisted returns the Go files, parsed only, of directories of the world's modules that are no
// package in any loaded configuration, since all their files are left out. They are marked Excluded.
func (p *Program) Unlisted() []*File {
	known := map[string]bool{}
	for _, f := range p.Files {
		known[f.PkgDir] = true
	}
	if p.loader.focus != nil {
		for _, c := range p.Configs {
			for _, q := range c.Packages {
				known[q.Dir] = true
			}
		}
	}
	var list []*File
	for _, m := range p.Modules {
		p.WalkDir(m.Dir, func(dir string, d fs.DirEntry, err error) error {
			if err != nil || !d.IsDir() {
				return nil
			}
			if dir != m.Dir {
				if base := d.Name(); strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_") || base == "testdata" || base == "vendor" || base == "node_modules" {
					return filepath.SkipDir
				}
				if p.Exists(filepath.Join(dir, "go.mod")) {
					return filepath.SkipDir
				}
			}
			if !known[dir] {
				list = append(list, p.unlistedIn(m, dir, func([]byte) bool { return true })...)
			}
			return nil
		})
	}
	return list
}

// unlistedIn parses the Go files of one directory whose source keep accepts.
func (p *Program) unlistedIn(m *Module, dir string, keep func(src []byte) bool) []*File {
	names := p.InDir(dir, ".go")
	rel, err := filepath.Rel(m.Dir, dir)
	if err != nil {
		return nil
	}
	var list []*File
	for _, name := range names {
		src, err := p.ReadFile(name)
		if err != nil || !keep(src) {
			continue
		}
		file := p.parseApart(name, src)
		if file == nil {
			continue
		}
		f := &File{
			Name: name, Src: src, AST: file, Tok: p.Fset.File(file.FileStart), PkgDir: dir,
			PkgPath: strings.TrimSuffix(m.Path+"/"+filepath.ToSlash(rel), "/."),
			Test:    strings.HasSuffix(name, "_test.go"), Excluded: true, Constraint: constraintOf(src),
		}
		if f.Constraint == "" {
			f.Constraint = whyFileName
		}
		if r, err := filepath.Rel(p.Dir, name); err == nil {
			f.Rel = filepath.ToSlash(r)
		}
		list = append(list, f)
	}
	return list
}
