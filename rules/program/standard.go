package program

import (
	"go/ast"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// A Standard keeps the declarations of the standard library that one load has read and
// checked for further loads in the same process: the second round of a fix, the analysis of
// another revision, the next repository. They are the same for all, as long as nobody changes the
// Go installation, and reading them takes longer than a small program does.
//
// The zero Standard is ready to use, by several loads at once. It grows with what they ask for,
// to some tens of megabytes for each platform.
type Standard struct {
	mu sync.Mutex
	// l checks; its file set holds the positions below ownPositions.
	l      *loader
	places map[string]*place
	// universes are the ways in which the standard library was built so far, see [Standard.universe].
	universes map[string][]*universe
}

// A place is what all universes have in common of a file: where its positions lie, and its
// syntax where function bodies are wanted.
type place struct {
	mu  sync.Mutex
	tok *token.File // without lines until the file is parsed
	ast *ast.File

	size   int
	mode   fs.FileMode
	parsed bool
}

// ownPositions is where the positions of a program begin that takes those below from a
// [Standard]. The standard library has some sixty million bytes.
const ownPositions = 1 << 28

// A universe is the standard library in one build configuration.
type universe struct {
	s    *Standard
	pkgs map[string]*sharedPackage
}

// A sharedPackage is a package of a universe.
type sharedPackage struct {
	*Package
	in *Standard
	// imports has what Imports has, but for package unsafe.
	imports map[string]*sharedPackage

	mu   sync.Mutex
	done bool
	// needs are the paths, as written, of imports that declarations refer to.
	needs map[string]bool
}

// unneeded stands for an import that no declaration refers to. It never becomes complete: the
// type checker takes no notice of such packages.
var unneeded = &Package{Types: types.NewPackage("unneeded", "unneeded")}

// unsafePackage is package unsafe in every universe.
var unsafePackage = &Package{Path: "unsafe", Name: "unsafe", Types: types.Unsafe}

// share lets the packages of the standard library be those of the Standard in use. All are or
// none is: types of different origin would not be identical.
func (l *loader) share() {
	s := l.opts.Standard
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var of []*universe
	for _, c := range l.prog.Configs {
		pkgs, ok := sharable(c)
		if !ok {
			return
		}
		u := s.universe(l.universeKey(c), pkgs)
		if !u.add(c, pkgs) {
			return
		}
		of = append(of, u)
	}
	for i, c := range l.prog.Configs {
		for _, p := range c.Packages {
			if p.shared = of[i].pkgs[p.Path]; p.shared == nil || p.World {
				continue
			}
			for i, f := range p.Files {
				at := p.shared.Files[i]
				f.state.size, f.state.base, f.Mode = at.state.size, at.state.base, at.Mode
			}
		}
	}
}

// sharable returns the packages of the standard library in c, unless they depend on the world: it
// is the Go project itself then.
func sharable(c *Config) ([]*Package, bool) {
	var pkgs []*Package
	for _, p := range c.Packages {
		if !p.std || p.Types == types.Unsafe {
			continue
		}
		if p.World {
			return nil, false
		}
		for _, q := range p.Imports {
			if !q.std {
				return nil, false
			}
		}
		pkgs = append(pkgs, p)
	}
	return pkgs, true
}

// universeKey names what decides about the files and the types of the standard library.
func (l *loader) universeKey(c *Config) string {
	return strings.Join([]string{l.env.GOROOT, l.env.GOVERSION, c.GOOS, c.GOARCH, l.env.CGO_ENABLED, strings.Join(c.Tags, ",")}, "\x00")
}

// universe returns one in which every package has the same files, where it has the package, and
// the same imports. The key decides that nearly alone, but the environment and go.mod have more
// settings that choose files.
func (s *Standard) universe(key string, pkgs []*Package) *universe {
	if s.l == nil {
		s.l = newLoader(Options{Jobs: 1})
		s.places = map[string]*place{}
		s.universes = map[string][]*universe{}
	}
	for _, u := range s.universes[key] {
		if !slices.ContainsFunc(pkgs, func(p *Package) bool { return !u.fits(p) }) {
			return u
		}
	}
	u := &universe{s: s, pkgs: map[string]*sharedPackage{}}
	s.universes[key] = append(s.universes[key], u)
	return u
}

// fits reports whether p is what the universe has under its path, if anything.
func (u *universe) fits(p *Package) bool {
	have := u.pkgs[p.Path]
	if have == nil {
		return true
	}
	if len(have.Files) != len(p.Files) || len(have.Imports) != len(p.Imports) {
		return false
	}
	for i, f := range p.Files {
		if have.Files[i].Name != f.Name {
			return false
		}
	}
	for path, q := range p.Imports {
		if r := have.Imports[path]; r == nil || r.Path != q.Path {
			return false
		}
	}
	return true
}

// add makes sure that the universe has the packages, which come in the order of their imports. It
// reports false when there are no positions left for them.
func (u *universe) add(c *Config, pkgs []*Package) bool {
	own := &Config{GOOS: c.GOOS, GOARCH: c.GOARCH, sizes: c.sizes}
	for _, p := range pkgs {
		if u.pkgs[p.Path] != nil {
			continue
		}
		q := &Package{Path: p.Path, Name: p.Name, Dir: p.Dir, Config: own, Imports: map[string]*Package{}}
		q.std, q.goVersion, q.Bodies = true, p.goVersion, standardBodies(p)
		q.Types = types.NewPackage(p.Path, p.Name)
		shared := &sharedPackage{Package: q, in: u.s, imports: map[string]*sharedPackage{}}
		for _, f := range p.Files {
			at := u.s.place(f.Name)
			if at == nil {
				return false
			}
			g := &File{Name: f.Name, PkgPath: f.PkgPath, PkgDir: f.PkgDir, Cgo: f.Cgo, Mode: at.mode, state: &fileState{}}
			g.state.size, g.state.base = at.size, at.tok.Base()
			q.Files = append(q.Files, g)
		}
		for path, r := range p.Imports {
			if r.Types == types.Unsafe {
				q.Imports[path] = unsafePackage
				continue
			}
			shared.imports[path] = u.pkgs[r.Path]
			q.Imports[path] = shared.imports[path].Package
		}
		u.pkgs[p.Path] = shared
	}
	return true
}

// place returns the place of a file, nil when there are no positions left.
func (s *Standard) place(name string) *place {
	at := s.places[name]
	if at == nil {
		at = &place{}
		at.size, at.mode = sizeOf(name)
		if s.l.prog.Fset.Base()+at.size >= ownPositions {
			return nil
		}
		at.tok = s.l.prog.Fset.AddFile(name, -1, at.size)
		s.places[name] = at
	}
	return at
}

// sizeOf returns the length of a file that is there to be parsed, and its permissions.
func sizeOf(name string) (int, fs.FileMode) {
	info, err := os.Stat(name)
	if err != nil {
		return 0, 0
	}
	return int(info.Size()), info.Mode().Perm()
}

// standardBodies reports whether the function bodies of a package of the standard library
// matter: only package context does anything with keys that callers choose.
func standardBodies(p *Package) bool { return p.Path == "context" }

// parse gives a file its syntax.
func (s *Standard) parse(f *File, p *Package) {
	s.mu.Lock()
	at := s.places[f.Name]
	s.mu.Unlock()
	at.mu.Lock()
	defer at.mu.Unlock()
	if f.AST = at.ast; f.AST == nil {
		file, tok := s.l.declarations(f, p)
		if !at.parsed && tok != nil {
			s.l.prog.Fset.RemoveFile(at.tok)
			s.l.prog.Fset.AddExistingFiles(tok)
			at.tok, at.parsed = tok, true
		}
		f.AST = file
		if p.Bodies {
			at.ast = file
		}
	}
	f.Tok = at.tok
}

// check parses and checks the package and what its declarations refer to, unless that was done.
func (p *sharedPackage) check() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.done {
		return
	}
	for _, f := range p.Files {
		p.in.parse(f, p.Package)
	}
	needed := map[*Package]bool{}
	for _, q := range p.neededImports() {
		needed[q] = true
	}
	p.needs = map[string]bool{}
	imports := make(map[string]*Package, len(p.Imports))
	for path, q := range p.Imports {
		imports[path] = unneeded
		if needed[q] {
			imports[path], p.needs[path] = q, true
			if r := p.imports[path]; r != nil {
				r.check()
			}
		}
	}
	p.checkImporting(imports)
	p.done = true
}

// checkImporting checks a copy of the package that has the given imports. The package itself
// keeps all that it has, by which later loads are compared.
func (p *sharedPackage) checkImporting(imports map[string]*Package) {
	q := new(Package)
	*q = *p.Package
	q.Imports = imports
	p.in.l.checkFiles(q, q.Files)
	p.Info, p.typeErrs = q.Info, q.typeErrs
	if !p.Bodies {
		for _, f := range p.Files {
			f.AST = nil
		}
	}
}

// adopt makes what the Standard knows about p the program's own. It returns the imports that
// the declarations of p refer to.
func (l *loader) adopt(p *Package) []*Package {
	p.shared.check()
	p.Types, p.Info, p.typeErrs = p.shared.Types, p.shared.Info, p.shared.typeErrs
	for i, f := range p.Files {
		g := p.shared.Files[i]
		f.state.mu.Lock()
		if f.Tok == nil && g.Tok != nil {
			f.Tok = g.Tok
			l.prog.Fset.AddExistingFiles(f.Tok)
			l.byTok.Store(f.Tok, f)
		}
		if p.Bodies {
			f.AST = g.AST
		}
		f.state.mu.Unlock()
	}
	var needed []*Package
	for _, path := range sortedKeys(p.shared.needs) {
		needed = append(needed, p.Imports[path])
	}
	return needed
}
