package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A home is the package that holds a family's keys and accessors.
type home struct {
	path, name, dir string
	// pkg is nil for a package that is to be made.
	pkg   *program.Package
	xtest bool
	why   string // why it was chosen, "" when there was no choice
}

// module returns the module of the home, that of its first user for a package to be made.
func (h *home) module(user *program.Module) *program.Module {
	if h.pkg != nil {
		return h.pkg.Module
	}
	return user
}

// chooseHome decides where the keys go.
func (kp *keyPlan) chooseHome() error {
	if kp.opts.KeyPackage != "" {
		return kp.askedHome()
	}
	paths := kp.spotPackages()
	if len(paths) == 1 {
		kp.home = kp.homeOf(paths[0], "")
		return nil
	}
	if len(paths) == 2 && paths[1].Path == paths[0].Path+"_test" {
		kp.home = kp.homeOf(paths[0], "")
		return nil
	}
	if carriers := kp.carrierPackages(); len(carriers) == 1 && !carriers[0].XTest {
		// The smallest edit, when it is possible: the key type need not be exported.
		if h := kp.homeOf(carriers[0], "the key is passed on there"); kp.feasible(h) == nil {
			kp.home = h
			return nil
		}
	}
	var firstErr error
	for _, h := range kp.candidates() {
		err := kp.feasible(h)
		if err == nil {
			kp.home = h
			return nil
		}
		if firstErr == nil {
			firstErr = err
		}
	}
	if firstErr == nil {
		s := kp.spots[0]
		firstErr = block("placement", s.File, s.Expr.Pos(), "no package can hold the key")
	}
	return firstErr
}

// askedHome uses the package given by --key-package.
func (kp *keyPlan) askedHome() error {
	if kp.home = kp.homeAsked(); kp.home != nil {
		return kp.feasible(kp.home)
	}
	s := kp.spots[0]
	return block("placement", s.File, s.Expr.Pos(), "package %s, asked for with --key-package, is in no module of the program", kp.opts.KeyPackage)
}

// homeAsked returns the package given by --key-package, one to be made when it does not exist; nil when no module of the program
// can hold it.
func (pl *planner) homeAsked() *home {
	want := pl.opts.KeyPackage
	for _, cfg := range pl.prog.Configs {
		if p := cfg.Package(want); p != nil && p.World {
			return homeOfPackage(p, "asked for")
		}
	}
	for _, m := range pl.prog.Modules {
		rest, ok := strings.CutPrefix(want, m.Path+"/")
		if ok && token.IsIdentifier(path.Base(want)) {
			return &home{path: want, name: path.Base(want), dir: filepath.Join(m.Dir, filepath.FromSlash(rest)), why: "asked for"}
		}
	}
	return nil
}

func (kp *keyPlan) homeOf(p *program.Package, why string) *home {
	return &home{path: p.Path, name: p.Name, dir: p.Dir, pkg: p, xtest: p.XTest, why: why}
}

// spotPackages returns the packages with a point that names the key, sorted by path.
func (kp *keyPlan) spotPackages() []*program.Package {
	var list []*program.Package
	for _, s := range kp.spots {
		list = appendPackage(list, s.Pkg)
		if s.obj != nil && s.form == named {
			if p := kp.packageOf(s.obj); p != nil {
				list = appendPackage(list, p)
			}
		}
	}
	slices.SortFunc(list, func(a, b *program.Package) int { return cmp.Compare(a.Path, b.Path) })
	return list
}

// packageOf returns the world package that declares an object.
func (pl *planner) packageOf(obj types.Object) *program.Package {
	f := pl.prog.FileOf(obj.Pos())
	if f == nil || !f.World {
		return nil
	}
	return pl.pkgOf(f)
}

func appendPackage(list []*program.Package, p *program.Package) []*program.Package {
	if slices.ContainsFunc(list, func(q *program.Package) bool { return q.Path == p.Path }) {
		return list
	}
	return append(list, p)
}

// carrierPackages returns the packages where the key arrives in a parameter or another
// variable that cannot be replaced by naming the key.
func (kp *keyPlan) carrierPackages() []*program.Package {
	var list []*program.Package
	for _, s := range kp.spots {
		if s.form == carried {
			list = appendPackage(list, s.Pkg)
		}
	}
	return list
}

// candidates lists homes in the order of preference: the package that declares the constant, the
// stored value's package, the writers', a new one.
func (kp *keyPlan) candidates() []*home {
	var list []*home
	add := func(p *program.Package, why string) {
		if p == nil || !p.World || p.XTest || slices.ContainsFunc(list, func(h *home) bool { return h.path == p.Path }) {
			return
		}
		list = append(list, kp.homeOf(p, why))
	}
	byCount := func(pick func(*spot) *program.Package, why string) {
		for _, p := range packagesByCount(kp.spots, pick) {
			add(p, why)
		}
	}
	byCount(func(s *spot) *program.Package {
		if s.form == carried && !s.File.Test {
			return s.Pkg
		}
		return nil
	}, "the key is passed on there")
	byCount(func(s *spot) *program.Package {
		if s.form == named && s.obj.Exported() {
			return kp.packageOf(s.obj)
		}
		return nil
	}, "it declares the constant")
	byCount(func(s *spot) *program.Package {
		if s.form == named && !s.File.Test {
			return kp.packageOf(s.obj)
		}
		return nil
	}, "it declares the constant")
	byCount(kp.valuePackage, "it declares the value's type")
	writers := kp.writerPackages()
	for _, p := range writers {
		// One of several writers is no natural owner when many packages would have to get to know it.
		if len(writers) == 1 || kp.newImporters(p) <= fewImporters {
			add(p, "it writes the value")
		}
	}
	byCount(func(s *spot) *program.Package {
		if s.File.Test || kp.newImporters(s.Pkg) > 0 {
			return nil
		}
		return s.Pkg
	}, "the others import it")
	if h := kp.newHome(); h != nil {
		list = append(list, h)
	}
	byCount(func(s *spot) *program.Package { return s.Pkg }, "it uses the value")
	return list
}

// writerPackages returns the packages whose ordinary files write the key, those with most places first.
func (kp *keyPlan) writerPackages() []*program.Package {
	return packagesByCount(kp.spots, func(s *spot) *program.Package {
		if s.File.Test || s.Lookups[0].Role != census.Writer {
			return nil
		}
		return s.Pkg
	})
}

// packagesByCount returns the packages that pick names, by falling number of spots, then by path.
func packagesByCount(spots []*spot, pick func(*spot) *program.Package) []*program.Package {
	counts := map[string]int{}
	var list []*program.Package
	for _, s := range spots {
		if p := pick(s); p != nil {
			counts[p.Path]++
			list = appendPackage(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *program.Package) int {
		return cmp.Or(cmp.Compare(counts[b.Path], counts[a.Path]), cmp.Compare(a.Path, b.Path))
	})
	return list
}

// fewImporters is how many packages may have to get to know one of several writers that becomes the owner.
const fewImporters = 2

// newImporters counts the packages with a spot in an ordinary file that do not import p, directly or not; more than
// fewImporters are not told apart.
func (kp *keyPlan) newImporters(p *program.Package) int {
	if n, ok := kp.importers[p.Path]; ok {
		return n
	}
	seen := map[string]bool{p.Path: true}
	n := 0
	for _, s := range kp.spots {
		if n > fewImporters {
			break
		}
		if s.File.Test || seen[s.Pkg.Path] {
			continue
		}
		seen[s.Pkg.Path] = true
		if !kp.imports(s.Pkg, p.Path) {
			n++
		}
	}
	kp.importers[p.Path] = n
	return n
}

// imports reports whether p imports a package, directly or not.
func (pl *planner) imports(p *program.Package, path string) bool {
	set := pl.closures[p]
	if set == nil {
		set = map[string]bool{}
		var visit func(q *program.Package)
		visit = func(q *program.Package) {
			for _, r := range q.Imports {
				if r != nil && !set[r.Path] {
					set[r.Path] = true
					visit(r)
				}
			}
		}
		visit(p)
		pl.closures[p] = set
	}
	return set[path]
}

// valuePackage returns the world package that declares the type of what a writer stores.
func (kp *keyPlan) valuePackage(s *spot) *program.Package {
	lk := s.Lookups[0]
	if lk.Value == nil || s.File.Test {
		return nil
	}
	t := lk.Pkg.Info.TypeOf(lk.Value)
	if t == nil {
		return nil
	}
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return nil
	}
	return kp.packageOf(named.Obj())
}

// newHome is a small package made for keys, next to nothing else: internal/ctxkeys of the module.
func (kp *keyPlan) newHome() *home {
	m := kp.spots[0].Pkg.Module
	if m == nil {
		return nil
	}
	for _, name := range []string{"ctxkeys", "contextkeys", "ctxvalues"} {
		p := m.Path + "/internal/" + name
		dir := filepath.Join(m.Dir, "internal", name)
		if !slices.ContainsFunc(kp.prog.Files, func(f *program.File) bool { return f.PkgDir == dir }) {
			return &home{path: p, name: name, dir: dir, why: "no existing package can be imported from all places"}
		}
		for _, cfg := range kp.prog.Configs {
			if have := cfg.Package(p); have != nil && have.Name == name {
				return kp.homeOf(have, "no other package can be imported from all places")
			}
		}
	}
	return nil
}

// feasible reports whether every file that needs the home can import it, given the imports
// that units planned before add. On success the plan's import graph holds the new ones.
func (kp *keyPlan) feasible(h *home) error {
	graph := kp.planner.graph.Clone()
	if h.pkg == nil {
		graph.AddPackage(h.path, h.name)
	}
	for _, s := range kp.spots {
		if s.Pkg.Path == h.path || s.form == named && kp.stays(s, h) {
			continue
		}
		if s.File.XTest && s.Pkg.Path == h.path+"_test" {
			continue
		}
		if err := kp.planImport(graph, "key", h, s.File, s.Expr); err != nil {
			return err
		}
	}
	kp.graph = graph
	return nil
}

// stays reports whether a spot that names a constant of the home need not change.
func (kp *keyPlan) stays(s *spot, h *home) bool {
	p := kp.packageOf(s.obj)
	return p != nil && p.Path == h.path
}

// planImport adds an import of the home to a graph for a file that names what the home declares, a key or a struct, unless that is
// not allowed.
func (d *draft) planImport(graph *program.ImportGraph, what string, h *home, f *program.File, at ast.Expr) error {
	if h.name == "main" || h.xtest {
		return block("placement", f, at.Pos(), "the %s belongs to package %s, which this file cannot import", what, h.path)
	}
	if err := graph.CanImport(f, h.path); err != nil {
		return block("placement", f, at.Pos(), "the %s would live in %s, but %v", what, h.path, err)
	}
	if !f.Test && d.opts.KeyPackage == "" && d.forTests(h.path) && !d.forTests(f.PkgPath) {
		return block("placement", f, at.Pos(), "the %s would live in %s, which only tests import", what, h.path)
	}
	if code := d.newInit(graph, f, h.path); code != nil {
		return block("placement", f, at.Pos(), "the %s would live in %s, and importing that runs code in programs that did not contain it: package %s %s%s",
			what, h.path, code.PkgPath, code.What, d.where(&census.Hazard{File: code.File, Pos: code.Pos}))
	}
	graph.Add(f, h.path)
	return nil
}
