package apply

import (
	"go/ast"
	"go/token"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A world answers questions about the program that do not depend on the units.
type world struct {
	prog   *program.Program
	byName map[string]*program.File
	// packages are the packages that contain a file, one for each configuration.
	packages map[*program.File][]*program.Package
	// byDir are the files of each package directory.
	byDir map[string][]*program.File
	// pathInfo holds one package for each import path.
	pathInfo map[string]*program.Package
	style    func() importStyle
}

func newWorld(prog *program.Program) *world {
	w := &world{
		prog:     prog,
		byName:   make(map[string]*program.File),
		packages: make(map[*program.File][]*program.Package),
		byDir:    make(map[string][]*program.File),
		pathInfo: make(map[string]*program.Package),
	}
	for _, f := range prog.Files {
		w.byName[f.Name] = f
		w.byDir[f.PkgDir] = append(w.byDir[f.PkgDir], f)
	}
	for _, c := range prog.Configs {
		for _, p := range c.Packages {
			if w.pathInfo[p.Path] == nil {
				w.pathInfo[p.Path] = p
			}
			if p.Info == nil || p.Types == nil {
				continue
			}
			for _, f := range p.Files {
				w.packages[f] = append(w.packages[f], p)
			}
		}
	}
	w.style = sync.OnceValue(w.readStyle)
	return w
}

// emptySet returns a patch set without files.
func (w *world) emptySet() *patches.Set {
	s := &patches.Set{Root: w.root()}
	for _, m := range w.prog.Modules {
		s.Roots = append(s.Roots, m.Dir)
	}
	return s
}

// root is the directory of the workspace, else that of the module that
// contains the directory worked in, else that of the first module.
func (w *world) root() string {
	if w.prog.Workspace != "" {
		return filepath.Dir(w.prog.Workspace)
	}
	best := ""
	for _, m := range w.prog.Modules {
		if within(m.Dir, w.prog.Dir) && len(m.Dir) > len(best) {
			best = m.Dir
		}
	}
	if best == "" && len(w.prog.Modules) > 0 {
		best = w.prog.Modules[0].Dir
	}
	if best == "" {
		best = w.prog.Dir
	}
	return best
}

// within reports whether name is dir or lies below it.
func within(dir, name string) bool {
	return name == dir || strings.HasPrefix(name, strings.TrimSuffix(dir, string(filepath.Separator))+string(filepath.Separator))
}

func (w *world) rel(name string) string {
	if r, err := filepath.Rel(w.prog.Dir, name); err == nil {
		return filepath.ToSlash(r)
	}
	return filepath.ToSlash(name)
}

// packageNames returns the package-level names that files of a directory with the
// given package name declare, whatever build configuration they belong to.
func (w *world) packageNames(dir, pkgName string) map[string]bool {
	names := make(map[string]bool)
	for _, f := range w.byDir[dir] {
		if f.AST == nil || f.AST.Name.Name != pkgName {
			continue
		}
		for _, d := range f.AST.Decls {
			declaredNames(d, func(id *ast.Ident) { names[id.Name] = true })
		}
	}
	return names
}

// declaredNames calls f for every package-level name that d declares.
func declaredNames(d ast.Decl, f func(*ast.Ident)) {
	switch d := d.(type) {
	case *ast.FuncDecl:
		if d.Recv == nil {
			f(d.Name)
		}
	case *ast.GenDecl:
		for _, s := range d.Specs {
			switch s := s.(type) {
			case *ast.ValueSpec:
				for _, id := range s.Names {
					f(id)
				}
			case *ast.TypeSpec:
				f(s.Name)
			}
		}
	}
}

// An origin tells where an imported package comes from; imports of one origin stand together.
type origin int

const (
	fromStd origin = iota
	fromThird
	fromOwn
)

// originOf classifies an import path.
func (w *world) originOf(importPath string) origin {
	for _, m := range w.prog.Modules {
		if importPath == m.Path || strings.HasPrefix(importPath, m.Path+"/") {
			return fromOwn
		}
	}
	if p := w.pathInfo[importPath]; p != nil && !p.World && p.DepModule != "" {
		return fromThird
	}
	if first, _, _ := strings.Cut(importPath, "/"); strings.Contains(first, ".") {
		return fromThird
	}
	return fromStd
}

// An importStyle is how the world's files arrange imports of its own modules.
type importStyle struct {
	// ownApart is set when own imports mostly stand in a group apart from third-party ones,
	// ownFirst when that group mostly precedes them.
	ownApart, ownFirst bool
}

// readStyle derives the style from files that import both own and third-party packages.
func (w *world) readStyle() importStyle {
	apart, together, first := 0, 0, 0
	for _, f := range w.prog.Files {
		if f.AST == nil || !f.World || f.Generated || f.Vendored || f.Src == nil {
			continue
		}
		own, third := -1, -1
		shared := false
		for i, g := range importGroups(f) {
			hasOwn, hasThird := false, false
			for _, s := range g.specs {
				switch w.originOf(s.path) {
				case fromOwn:
					hasOwn, own = true, i
				case fromThird:
					hasThird, third = true, i
				}
			}
			shared = shared || hasOwn && hasThird
		}
		switch {
		case shared:
			together++
		case own >= 0 && third >= 0:
			apart++
			if own < third {
				first++
			}
		}
	}
	return importStyle{ownApart: apart > together, ownFirst: 2*first > apart}
}

// assumedName is the package name that people and tools assume for an import path
// without an explicit name.
func assumedName(importPath string) string {
	base := path.Base(importPath)
	if isVersion(base) {
		if dir := path.Dir(importPath); dir != "." {
			base = path.Base(dir)
		}
	}
	base = strings.TrimPrefix(base, "go-")
	for i, r := range base {
		if r != '_' && !('a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9') {
			return base[:i]
		}
	}
	return base
}

// isVersion reports whether s is a major version such as v2.
func isVersion(s string) bool {
	if len(s) < 2 || s[0] != 'v' {
		return false
	}
	for _, c := range s[1:] {
		if c < '0' || c > '9' {
			return false
		}
	}
	return true
}

// validName reports whether s can name an import.
func validName(s string) bool { return token.IsIdentifier(s) && s != "_" }
