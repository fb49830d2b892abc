package program

import (
	"bytes"
	"context"
	"fmt"
	"go/ast"
	"go/types"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// A Rechecked is a package of the world as an overlay makes it.
type Rechecked struct {
	Config *Config
	// Package is the loaded version; nil for a package that the overlay creates.
	Package *Package
	Path    string
	// New is the new version; nil for a package of which no file is left.
	New *Package
	// Errors are all errors of the new version, those of the loaded one included
	// where they persist. Imports that the overlay adds are also held to the
	// go command's rules: see [ImportGraph.CanImport]. That a file comes to use what builds leave
	// out which contain the file is an error too.
	Errors []Error
}

// Recheck type-checks in memory what would change if files were replaced or
// created (absolute name to content) or removed (absolute name to nil): in every
// configuration, the packages of these files and all packages of the world that
// import one of them directly or not. The types of all other packages, and the
// syntax of unchanged files, are those of the program, which is not changed.
//
// The result is ordered by configuration and path. An error means that the check
// could not be made; errors in the program are in the results.
func (p *Program) Recheck(ctx context.Context, overlay map[string][]byte) ([]Rechecked, error) {
	l := p.loader
	l.later.Lock()
	defer l.later.Unlock()
	if p.Single {
		return p.recheckSingle(overlay), nil
	}
	files, err := l.overlayFiles(overlay)
	if err != nil {
		return nil, err
	}
	var results []Rechecked
	for _, c := range p.Configs {
		r := &rechecker{l: l, c: c, overlay: files, next: map[*Package]*Package{}, created: map[string]*Package{}}
		list, err := r.run(ctx)
		if err != nil {
			return nil, err
		}
		results = append(results, list...)
	}
	return results, nil
}

// overlayFiles parses the overlay once for all configurations. Removed files have
// an entry without syntax.
func (l *loader) overlayFiles(overlay map[string][]byte) (map[string]*File, error) {
	files := make(map[string]*File, len(overlay))
	for _, name := range sortedKeys(overlay) {
		if !filepath.IsAbs(name) || filepath.Clean(name) != name || !strings.HasSuffix(name, ".go") {
			return nil, fmt.Errorf("cannot check %s: need the clean absolute name of a Go file", name)
		}
		dir := filepath.Dir(name)
		if l.prog.ModuleOf(dir) == nil {
			return nil, fmt.Errorf("cannot check %s: it lies in no module of the world", name)
		}
		f := &File{Name: name, Rel: l.rel(name), PkgDir: dir, PkgPath: l.prog.PathOf(dir),
			Test: strings.HasSuffix(name, "_test.go"), World: true, Mode: fs.FileMode(0o644), state: &fileState{}}
		if old := l.files[name]; old != nil {
			if !old.World {
				return nil, fmt.Errorf("cannot check %s: it belongs to a dependency", name)
			}
			f.Mode, f.Symlink, f.PkgPath = old.Mode, old.Symlink, old.PkgPath
		}
		if src := overlay[name]; src != nil {
			if prev := l.checked[name]; prev != nil && string(prev.Src) == string(src) {
				f = prev
			} else {
				f.Src = src
				f.state.size = len(src)
				l.reserve(f)
				f.AST, f.Tok, f.state.errs = parseAt(name, src, f.state.base, worldMode)
				l.register(f)
				f.describe()
				l.checked[name] = f
			}
		}
		files[name] = f
	}
	return files, nil
}

// A rechecker makes the new version of one configuration.
type rechecker struct {
	l       *loader
	c       *Config
	overlay map[string]*File
	// next maps loaded packages to their new versions; nil for removed ones.
	next map[*Package]*Package
	// created holds packages that did not exist, by path.
	created map[string]*Package
	// changed are new versions whose files differ, in a fixed order.
	changed []*Package
	// added lists the imports that are new.
	added []addedImport
}

func (r *rechecker) run(ctx context.Context) ([]Rechecked, error) {
	r.changePackages()
	if err := r.resolveImports(ctx); err != nil {
		return nil, err
	}
	r.affect()
	order := r.relink()
	if err := r.l.ensureImports(ctx, order); err != nil {
		return nil, err
	}
	if err := r.l.checkAll(ctx, order); err != nil {
		return nil, err
	}
	r.checkNewImports()
	r.checkTestNames()
	r.checkOtherBuilds()
	return r.results(), nil
}

// changePackages makes new versions of the packages in the overlay's directories.
func (r *rechecker) changePackages() {
	type pair struct{ plain, xtest *Package }
	byDir := map[string]pair{}
	for _, p := range r.c.Packages {
		if !p.World {
			continue
		}
		at := byDir[p.Dir]
		if p.XTest {
			at.xtest = p
		} else {
			at.plain = p
		}
		byDir[p.Dir] = at
	}
	dirs := map[string][]*File{}
	for _, name := range sortedKeys(r.overlay) {
		f := r.overlay[name]
		dirs[f.PkgDir] = append(dirs[f.PkgDir], f)
	}
	for _, dir := range sortedKeys(dirs) {
		at := byDir[dir]
		ordinary, tests := r.kept(at.plain)
		xtests, _ := r.kept(at.xtest)
		for _, f := range dirs[dir] {
			switch {
			case f.AST == nil || !r.contains(f):
			case f.XTest:
				xtests = append(xtests, f)
			case f.Test:
				tests = append(tests, f)
			default:
				ordinary = append(ordinary, f)
			}
		}
		r.change(at.plain, dir, false, ordinary, tests)
		r.change(at.xtest, dir, true, xtests, nil)
	}
}

// kept returns the files of a loaded package that the overlay leaves alone.
func (r *rechecker) kept(p *Package) (ordinary, tests []*File) {
	if p == nil {
		return nil, nil
	}
	covered := func(f *File) bool { return r.overlay[f.Name] != nil }
	return slices.DeleteFunc(slices.Clone(p.ordinary), covered), slices.DeleteFunc(slices.Clone(p.tests), covered)
}

// contains reports whether a file of the overlay belongs to the configuration.
func (r *rechecker) contains(f *File) bool {
	if f.Test && !r.l.opts.Tests || f.Cgo && !r.c.build.CgoEnabled {
		return false
	}
	b := *r.c.build
	b.OpenFile = func(string) (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(f.Src)), nil }
	ok, err := b.MatchFile(f.PkgDir, filepath.Base(f.Name))
	return ok || err != nil // a file that cannot be read so far has errors to report
}

// change makes the new version of one package, unless neither version has files.
func (r *rechecker) change(old *Package, dir string, xtest bool, ordinary, tests []*File) {
	byName := func(a, b *File) int { return strings.Compare(a.Name, b.Name) }
	slices.SortFunc(ordinary, byName)
	slices.SortFunc(tests, byName)
	files := slices.Concat(ordinary, tests)
	if old != nil && slices.Equal(files, old.Files) {
		return
	}
	if len(files) == 0 {
		if old != nil {
			r.next[old] = nil
		}
		return
	}
	var q *Package
	if old != nil {
		q = fresh(old)
		r.next[old] = q
	} else {
		q = r.create(dir, xtest, files[0])
	}
	q.ordinary, q.tests, q.Files = ordinary, tests, files
	q.together = false
	q.Name = files[0].AST.Name.Name
	q.Types = types.NewPackage(q.Path, q.Name)
	r.changed = append(r.changed, q)
}

// create makes a package that the program does not have.
func (r *rechecker) create(dir string, xtest bool, first *File) *Package {
	q := &Package{Path: first.PkgPath, Name: first.AST.Name.Name, Dir: dir, Config: r.c,
		Module: r.l.prog.ModuleOf(dir), World: true, XTest: xtest, Bodies: true}
	q.goVersion = "go1.16"
	if v := q.Module.GoVersion; v != "" {
		q.goVersion = "go" + v
	}
	if xtest {
		q.Path += "_test"
	}
	q.needed = true
	r.created[q.Path] = q
	return q
}

// fresh returns a copy of a package that has not been checked.
func fresh(old *Package) *Package {
	q := new(Package)
	*q = *old
	q.Types = types.NewPackage(old.Path, old.Types.Name())
	q.Info, q.Errors, q.typeErrs, q.checker, q.importErrs = nil, nil, nil, nil, nil
	q.Imports, q.TestImports = maps.Clone(old.Imports), maps.Clone(old.TestImports)
	q.importErrs = maps.Clone(old.importErrs)
	return q
}

// affect adds new versions of all packages that import a changed, created or
// removed one, directly or not. Test imports count: the package's types
// include what its test files declare.
func (r *rechecker) affect() {
	importers := map[*Package][]*Package{}
	var queue []*Package
	for _, p := range r.c.Packages {
		if !p.needed {
			continue
		}
		for _, m := range []map[string]*Package{p.Imports, p.TestImports} {
			for _, q := range m {
				importers[q] = append(importers[q], p)
			}
		}
		if _, ok := r.next[p]; ok {
			queue = append(queue, p)
		} else if r.wantsCreated(p) {
			r.next[p] = fresh(p)
			queue = append(queue, p)
		}
	}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, p := range importers[at] {
			if _, ok := r.next[p]; !ok {
				r.next[p] = r.l.restored(fresh(p))
				queue = append(queue, p)
			}
		}
	}
}

// wantsCreated reports whether a package of the world imports a path that only now has
// a package.
func (r *rechecker) wantsCreated(p *Package) bool {
	if len(r.created) == 0 || !p.World {
		return false
	}
	wants := false
	p.eachImport(func(_ *File, _ map[string]*Package, path string, _ *ast.ImportSpec) {
		wants = wants || r.created[path] != nil && p.lookup(path) == nil
	})
	return wants
}

// restored gives a dependency whose syntax was dropped its syntax again.
func (l *loader) restored(q *Package) *Package {
	if !q.World {
		for _, f := range q.Files {
			l.parseDep(f, q)
		}
	}
	return q
}

// relink makes the new versions import one another and returns them in the order of
// their imports, external test packages last.
func (r *rechecker) relink() []*Package {
	var plain, xtests []*Package
	isNew := map[*Package]bool{}
	for _, q := range r.versions() {
		isNew[q] = true
		r.redirect(q, q.Imports)
		r.redirect(q, q.TestImports)
		if len(r.created) > 0 {
			q.eachImport(func(_ *File, into map[string]*Package, path string, _ *ast.ImportSpec) {
				if to := r.created[path]; to != nil && !to.XTest && q.lookup(path) == nil {
					into[path] = to
					delete(q.importErrs, path)
				}
			})
		}
		if q.XTest {
			xtests = append(xtests, q)
		} else {
			plain = append(plain, q)
		}
	}
	chooseTogether(plain)
	order := slices.DeleteFunc(sortByImports(plain), func(q *Package) bool { return !isNew[q] })
	return append(order, xtests...)
}

// versions returns all new versions, sorted by path.
func (r *rechecker) versions() []*Package {
	var list []*Package
	for _, q := range r.next {
		if q != nil {
			list = append(list, q)
		}
	}
	for _, q := range r.created {
		list = append(list, q)
	}
	slices.SortFunc(list, func(a, b *Package) int { return strings.Compare(a.Path, b.Path) })
	return list
}

// redirect replaces loaded packages in an import map by their new versions.
func (r *rechecker) redirect(q *Package, m map[string]*Package) {
	for path, to := range m {
		switch next, ok := r.next[to]; {
		case ok && next == nil:
			delete(m, path)
			q.refuse(path, "none of its files is left")
		case ok:
			m[path] = next
		}
	}
}

// results describes the packages of the world that were checked or removed.
func (r *rechecker) results() []Rechecked {
	var list []Rechecked
	for old, q := range r.next {
		switch {
		case !old.World:
		case q == nil:
			list = append(list, Rechecked{Config: r.c, Package: old, Path: old.Path})
		default:
			list = append(list, r.result(old, q))
		}
	}
	for _, q := range r.created {
		list = append(list, r.result(nil, q))
	}
	slices.SortFunc(list, func(a, b Rechecked) int { return strings.Compare(a.Path, b.Path) })
	return list
}

func (r *rechecker) result(old, q *Package) Rechecked {
	q.listErrs = slices.DeleteFunc(slices.Clone(q.listErrs), func(e Error) bool { return r.overlay[e.Pos.Filename] != nil })
	q.finishErrors()
	return Rechecked{Config: r.c, Package: old, Path: q.Path, New: q, Errors: q.Errors}
}
