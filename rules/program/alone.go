package program

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

// A Unit is one package as a driver of analyses hands it over: checked by somebody else, with nothing known of the
// packages around it but their declarations.
type Unit struct {
	Fset *token.FileSet
	// Dir is the directory that files are named relative to.
	Dir   string
	Path  string
	Types *types.Package
	Info  *types.Info
	Sizes types.Sizes
	Files []UnitFile
	// Ignored are files of the same directory that the build leaves out.
	Ignored []UnitFile
	// Module is the path of the module the package belongs to, GoVersion the language version it asks for, "1.22".
	Module, GoVersion string
	// Known is what is known of functions of other packages.
	Known Known
}

// A UnitFile is a parsed file of a Unit.
type UnitFile struct {
	AST *ast.File
	Src []byte
}

// Alone makes a program of a single package. The packages that it imports are there without files; of the world nothing
// else is known, not even whether there is more: rules that ask for all users of something must not be run on it, or
// must not be believed. It reads no file.
func Alone(u Unit) *Program {
	l := newLoader(Options{Dir: u.Dir, Jobs: 1})
	l.prog = &Program{Fset: u.Fset, Dir: u.Dir, loader: l, Single: true, known: u.Known}
	c := &Config{GOOS: runtime.GOOS, GOARCH: runtime.GOARCH, byPath: map[string]*Package{}, sizes: u.Sizes}
	l.prog.Configs = []*Config{c}
	pkg := &Package{
		Path: u.Path, Name: u.Types.Name(), Config: c, World: true, Bodies: true, Types: u.Types, Info: u.Info,
		Module:  &Module{Path: u.Module, GoVersion: u.GoVersion, Requires: map[string]bool{}},
		XTest:   strings.HasSuffix(u.Types.Name(), "_test"),
		Imports: map[string]*Package{},
	}
	for _, uf := range u.Files {
		f := l.unitFile(u, uf)
		pkg.Files = append(pkg.Files, f)
		if pkg.Dir == "" || !f.Cgo {
			pkg.Dir = f.PkgDir
		}
	}
	pkg.ordinary = pkg.Files
	if u.GoVersion != "" {
		pkg.goVersion = "go" + u.GoVersion
	}
	for _, uf := range u.Ignored {
		f := l.unitFile(u, uf)
		f.Excluded = true
		f.Constraint = cmp.Or(buildLine(f.AST), "file name")
	}
	slices.SortFunc(l.prog.Files, func(a, b *File) int { return cmp.Compare(a.Name, b.Name) })
	l.addShells(c, pkg, u)
	return l.prog
}

// unitFile makes the entry of a file that somebody else has parsed.
func (l *loader) unitFile(u Unit, uf UnitFile) *File {
	tok := u.Fset.File(uf.AST.FileStart)
	name := tok.Name()
	f := &File{
		Name: name, Rel: l.rel(name), Src: uf.Src, AST: uf.AST, Tok: tok, World: true, Mode: 0o644,
		PkgPath: strings.TrimSuffix(u.Path, "_test"), PkgDir: filepath.Dir(name),
		Test: strings.HasSuffix(name, "_test.go"), state: &fileState{size: tok.Size()},
	}
	f.describe()
	// What cgo makes of a file says where it comes from, and is generated only if that is.
	if u.Fset.Position(uf.AST.Package).Filename != name {
		f.Cgo, f.Generated = true, ast.IsGenerated(written(u.Fset, uf.AST))
	}
	l.files[name] = f
	l.byTok.Store(tok, f)
	l.prog.Files = append(l.prog.Files, f)
	return f
}

// written returns a file with those of its comments that stand in the file which it was made of.
func written(fset *token.FileSet, file *ast.File) *ast.File {
	c, own := *file, fset.File(file.FileStart).Name()
	c.Comments = nil
	for _, g := range file.Comments {
		rest := slices.DeleteFunc(slices.Clone(g.List), func(c *ast.Comment) bool { return fset.Position(c.Pos()).Filename == own })
		if len(rest) > 0 {
			c.Comments = append(c.Comments, &ast.CommentGroup{List: rest})
		}
	}
	return &c
}

// buildLine returns the //go:build line of a file, "" for none.
func buildLine(file *ast.File) string {
	for _, g := range file.Comments {
		for _, c := range g.List {
			if line, ok := strings.CutPrefix(c.Text, "//go:build "); ok && c.Pos() < file.Package {
				return line
			}
		}
	}
	return ""
}

// addShells makes packages, without files, of everything that the unit's types come from, those imported before those
// that import them, and the unit's own package last.
func (l *loader) addShells(c *Config, own *Package, u Unit) {
	var shell func(t *types.Package) *Package
	shell = func(t *types.Package) *Package {
		path, _, _ := strings.Cut(t.Path(), " [") // as recompiled for a test
		if p := c.byPath[path]; p != nil {
			return p
		}
		p := &Package{Path: path, Name: t.Name(), Config: c, Types: t, Imports: map[string]*Package{}}
		first, _, _ := strings.Cut(path, "/")
		switch {
		case below(path, u.Module):
			p.DepModule = u.Module
		case strings.Contains(first, "."):
			p.DepModule = path
		default:
			p.std = true
		}
		c.byPath[path] = p
		for _, imported := range t.Imports() {
			p.Imports[imported.Path()] = shell(imported)
		}
		c.Packages = append(c.Packages, p)
		return p
	}
	for _, imported := range u.Types.Imports() {
		shell(imported)
	}
	for _, f := range own.Files {
		for _, spec := range f.AST.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			if name := u.Info.PkgNameOf(spec); name != nil && err == nil {
				own.Imports[path] = shell(name.Imported())
			}
		}
	}
	c.byPath[own.Path] = own
	c.Packages = append(c.Packages, own)
}

// below reports whether an import path belongs to a module, as far as the path tells.
func below(path, module string) bool {
	return module != "" && (path == module || strings.HasPrefix(path, module+"/"))
}

// recheckSingle is Recheck for a program that is a single package. Its files may import nothing that none of them did.
func (p *Program) recheckSingle(overlay map[string][]byte) []Rechecked {
	l, c := p.loader, p.Configs[0]
	old := c.Packages[len(c.Packages)-1]
	q := fresh(old)
	r := &rechecker{l: l, c: c, overlay: map[string]*File{}, next: map[*Package]*Package{old: q}, changed: []*Package{q}}
	q.Files = slices.Clone(old.Files)
	for i, f := range q.Files {
		src, ok := overlay[f.Name]
		if !ok {
			continue
		}
		g := new(File)
		*g = *f
		g.Src, g.state = src, &fileState{size: len(src)}
		l.reserve(g)
		g.AST, g.Tok, g.state.errs = parseAt(f.Name, src, g.state.base, worldMode)
		l.register(g)
		q.Files[i], r.overlay[f.Name] = g, g
	}
	q.ordinary = q.Files
	l.checkFiles(q, q.Files)
	q.checker = nil
	r.checkOtherBuilds()
	q.finishErrors()
	return []Rechecked{{Config: c, Package: old, Path: old.Path, New: q, Errors: q.Errors}}
}
