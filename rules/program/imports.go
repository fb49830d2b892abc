package program

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// An ImportGraph answers whether imports may be added to a program, and takes
// imports and packages that somebody plans to add. go/types sees none of what
// it checks: import cycles (also through tests), internal packages, imports of
// programs, packages that not every build contains, and missing requirements.
//
// The zero value is of no use; see [Program.ImportGraph]. It is not safe for
// concurrent use.
type ImportGraph struct {
	prog    *Program
	configs []*configGraph
	// created maps the paths of planned packages to their names.
	created map[string]string
	// builds tells of builds that are not loaded; clones share it.
	builds *otherBuilds
}

// A configGraph holds the imports of one configuration, by package path.
// Imports of external test packages are left out: they close no cycle.
type configGraph struct {
	c *Config
	// ordinary and test hold what the loaded packages import; they are shared.
	ordinary, test map[string][]string
	// moreOrdinary and moreTest hold planned imports.
	moreOrdinary, moreTest map[string][]string
	// leftOrdinary and leftTest hold what files import that no configuration contains: with other tags they
	// may close a cycle.
	leftOrdinary, leftTest map[string][]string
}

// ImportGraph returns the program's import graph, to plan on.
func (p *Program) ImportGraph() *ImportGraph {
	g := &ImportGraph{prog: p, created: map[string]string{}, builds: newOtherBuilds(p, nil)}
	for _, c := range p.Configs {
		cg := &configGraph{c: c, ordinary: map[string][]string{}, test: map[string][]string{},
			moreOrdinary: map[string][]string{}, moreTest: map[string][]string{}}
		for _, pkg := range c.Packages {
			if pkg.XTest {
				continue
			}
			cg.ordinary[pkg.Path] = targets(pkg.Imports)
			if len(pkg.TestImports) > 0 {
				cg.test[pkg.Path] = targets(pkg.TestImports)
			}
		}
		cg.leftOrdinary, cg.leftTest = leftOut(p, c)
		g.configs = append(g.configs, cg)
	}
	return g
}

// leftOut returns what files that no configuration contains import of its packages, in ordinary and in test files.
func leftOut(p *Program, c *Config) (ordinary, test map[string][]string) {
	ordinary, test = map[string][]string{}, map[string][]string{}
	for _, f := range p.Files {
		if !f.Excluded || f.AST == nil || f.XTest {
			continue
		}
		into := ordinary
		if f.Test {
			into = test
		}
		for _, spec := range f.AST.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil && c.Package(path) != nil {
				into[f.PkgPath] = append(into[f.PkgPath], path)
			}
		}
	}
	return ordinary, test
}

// withLeft returns the graph with the imports of files that are left out.
func (cg *configGraph) withLeft() *configGraph {
	if len(cg.leftOrdinary)+len(cg.leftTest) == 0 {
		return cg
	}
	all := *cg
	all.moreOrdinary, all.moreTest = cloneLists(cg.moreOrdinary), cloneLists(cg.moreTest)
	for path, list := range cg.leftOrdinary {
		all.moreOrdinary[path] = append(all.moreOrdinary[path], list...)
	}
	for path, list := range cg.leftTest {
		all.moreTest[path] = append(all.moreTest[path], list...)
	}
	return &all
}

// targets returns the paths of the packages that an import map leads to, sorted.
func targets(m map[string]*Package) []string {
	paths := make([]string, 0, len(m))
	for _, q := range m {
		paths = append(paths, q.Path)
	}
	slices.Sort(paths)
	return slices.Compact(paths)
}

// Clone returns a copy: what is added to it does not change g.
func (g *ImportGraph) Clone() *ImportGraph {
	h := &ImportGraph{prog: g.prog, created: maps.Clone(g.created), builds: g.builds}
	for _, cg := range g.configs {
		h.configs = append(h.configs, &configGraph{c: cg.c, ordinary: cg.ordinary, test: cg.test,
			moreOrdinary: cloneLists(cg.moreOrdinary), moreTest: cloneLists(cg.moreTest),
			leftOrdinary: cg.leftOrdinary, leftTest: cg.leftTest})
	}
	return h
}

func cloneLists(m map[string][]string) map[string][]string {
	n := make(map[string][]string, len(m))
	for k, v := range m {
		n[k] = slices.Clone(v)
	}
	return n
}

// AddPackage plans a new package of the world with no imports yet.
func (g *ImportGraph) AddPackage(path, name string) { g.created[path] = name }

// Add plans an import of package to in from, whether or not it is allowed.
// Only the PkgPath, Test and XTest of from matter.
func (g *ImportGraph) Add(from *File, to string) {
	if from.XTest {
		return
	}
	for _, cg := range g.configs {
		more := cg.moreOrdinary
		if from.Test {
			more = cg.moreTest
		}
		if !slices.Contains(more[from.PkgPath], to) {
			more[from.PkgPath] = append(more[from.PkgPath], to)
		}
	}
}

// Reaches reports whether package from imports package to, directly or not,
// in ordinary files of any configuration.
func (g *ImportGraph) Reaches(from, to string) bool {
	for _, cg := range g.configs {
		if from != to && cg.chain(from, to) != nil {
			return true
		}
	}
	return false
}

// ImportsTransitively reports whether ordinary files import the package with the
// given path, directly or not. (For an external test package: its own files.)
func (p *Package) ImportsTransitively(path string) bool {
	seen := map[*Package]bool{}
	var visit func(q *Package) bool
	visit = func(q *Package) bool {
		if seen[q] {
			return false
		}
		seen[q] = true
		for _, r := range q.Imports {
			if r.Path == path || visit(r) {
				return true
			}
		}
		return false
	}
	return visit(p)
}

// CanImport says whether an import of the package with path to may be added to
// the file, as the program is. The error says why not. See [ImportGraph.CanImport].
func (p *Program) CanImport(from *File, to string) error { return p.ImportGraph().CanImport(from, to) }

// CanImport says whether an import of the package with path to may be added to
// the file from, which may be a planned one: only its PkgPath, PkgDir, Test and
// XTest matter. It follows the rules of the go command in every configuration
// that has the package of from, and asks for a require directive in the go.mod of the
// importing module even where go.work would do without.
func (g *ImportGraph) CanImport(from *File, to string) error {
	switch {
	case to == "unsafe":
		return nil
	case to == "C":
		return fmt.Errorf("import \"C\" makes %s a cgo file", filepath.Base(from.Name))
	case from.PkgPath == to && !from.XTest:
		return fmt.Errorf("package %s cannot import itself", to)
	case strings.HasPrefix(to, "vendor/") || strings.Contains(to, "/vendor/"):
		return fmt.Errorf("%s is a vendored package and must be imported by the path after vendor/", to)
	}
	target, err := g.target(from, to)
	if err != nil {
		return err
	}
	if err := g.prog.importRules(from, to, target); err != nil {
		return err
	}
	if err := g.presenceRule(from, to); err != nil {
		return err
	}
	return g.cycleRule(from, to)
}

// importRules checks what does not depend on the rest of the import graph.
func (p *Program) importRules(from *File, to string, target importTarget) error {
	if target.name == "main" && !(from.XTest && from.PkgPath == to) {
		return fmt.Errorf("%s is a program, not an importable package", to)
	}
	if err := internalRule(from.PkgPath, to, target.std); err != nil {
		return err
	}
	return p.requireRule(from, to, target)
}

// importTarget is what the rules need to know about an imported package.
type importTarget struct {
	name   string
	module string // module path; "" for the standard library
	std    bool
}

// target finds the package in all configurations that have the importing one.
func (g *ImportGraph) target(from *File, to string) (importTarget, error) {
	if name, ok := g.created[to]; ok {
		m := g.moduleOfPath(to)
		if m == nil {
			return importTarget{}, fmt.Errorf("planned package %s belongs to no module of the world", to)
		}
		return importTarget{name: name, module: m.Path}, nil
	}
	var found *Package
	var lacking *Config
	for _, c := range g.prog.Configs {
		if q := c.byPath[to]; q != nil && !q.XTest {
			if found == nil {
				found = q
			}
		} else if c.byPath[from.PkgPath] != nil && lacking == nil {
			lacking = c
		}
	}
	if found == nil {
		if g.prog.loader.isStd(to) {
			return importTarget{std: true}, nil
		}
		return importTarget{}, fmt.Errorf("package %s is not part of the loaded program", to)
	}
	if lacking != nil && !found.std {
		return importTarget{}, fmt.Errorf("package %s has no files for %s/%s", to, lacking.GOOS, lacking.GOARCH)
	}
	return targetOf(found), nil
}

func targetOf(p *Package) importTarget {
	t := importTarget{name: p.Name, module: p.DepModule, std: p.std && !p.World}
	if p.World {
		t.module = p.Module.Path
	}
	return t
}

// moduleOfPath returns the module of the world that an import path belongs to.
func (g *ImportGraph) moduleOfPath(path string) *Module {
	var best *Module
	for _, m := range g.prog.Modules {
		if (path == m.Path || strings.HasPrefix(path, m.Path+"/")) && (best == nil || len(m.Path) > len(best.Path)) {
			best = m
		}
	}
	return best
}

// isStd reports whether the standard library has the package, loaded or not.
func (l *loader) isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	if path == "" || strings.Contains(first, ".") || first == "cmd" {
		return false
	}
	names, err := filepath.Glob(filepath.Join(l.env.GOROOT, "src", filepath.FromSlash(path), "*.go"))
	return err == nil && len(names) > 0
}

// IsInternal reports whether only packages nearby may import a path.
func IsInternal(path string) bool { return slices.Contains(strings.Split(path, "/"), "internal") }

// internalRule: a package below .../internal may be imported only from the tree
// rooted at the parent of internal.
func internalRule(from, to string, std bool) error {
	elems := strings.Split(to, "/")
	i := slices.Index(elems, "internal")
	for j := i + 1; i >= 0 && j < len(elems); j++ {
		if elems[j] == "internal" {
			i = j
		}
	}
	if i < 0 {
		return nil
	}
	parent := strings.Join(elems[:i], "/")
	if !std && parent != "" && (from == parent || strings.HasPrefix(from, parent+"/")) {
		return nil
	}
	if parent == "" || std {
		return fmt.Errorf("use of internal package %s of the standard library is not allowed", to)
	}
	return fmt.Errorf("use of internal package %s is not allowed in %s: only packages below %s may import it", to, from, parent)
}

// importsFrom reports whether the package of a file imports something from a module, for a test file also in its tests.
func (p *Program) importsFrom(from *File, module string) bool {
	among := func(imports map[string]*Package) bool {
		for _, q := range imports {
			if q != nil && targetOf(q).module == module {
				return true
			}
		}
		return false
	}
	for _, c := range p.Configs {
		if q := c.byPath[from.PkgPath]; q != nil && (among(q.Imports) || from.Test && among(q.TestImports)) {
			return true
		}
		if q := c.byPath[from.PkgPath+"_test"]; q != nil && from.XTest && among(q.Imports) {
			return true
		}
	}
	return false
}

// requireRule: the importing module's own go.mod must know the module imported from, unless the package imports from there
// already: then a workspace resolves it, or nothing does.
func (p *Program) requireRule(from *File, to string, target importTarget) error {
	m := p.ModuleOf(from.PkgDir)
	switch {
	case m == nil:
		return fmt.Errorf("%s lies in no module of the world", from.Name)
	case target.std || m.Path == target.module || m.Requires[target.module] || p.importsFrom(from, target.module):
		return nil
	}
	return fmt.Errorf("package %s needs module %s, which %s does not require", to, target.module, p.loader.rel(m.GoMod))
}

// cycleRule: no ordinary import may lead back, and no import of an in-package test
// file may lead to the package tested.
func (g *ImportGraph) cycleRule(from *File, to string) error {
	if from.XTest {
		return nil
	}
	for _, cg := range g.configs {
		cg = cg.withLeft()
		if back := cg.chain(to, from.PkgPath); back != nil {
			what := "import cycle"
			if from.Test {
				what = "import cycle in test"
			}
			return fmt.Errorf("%s: %s", what, strings.Join(append([]string{from.PkgPath}, back...), " -> "))
		}
		if from.Test {
			continue
		}
		if err := cg.testCycle(from.PkgPath, to); err != nil {
			return err
		}
	}
	return nil
}

// imports returns what a package imports in ordinary files.
func (cg *configGraph) imports(path string) []string {
	if more := cg.moreOrdinary[path]; len(more) > 0 {
		return append(slices.Clip(cg.ordinary[path]), more...)
	}
	return cg.ordinary[path]
}

// chain returns the shortest way of ordinary imports from one package to
// another, both included, or nil.
func (cg *configGraph) chain(from, to string) []string {
	if from == to {
		return []string{to}
	}
	via := map[string]string{from: ""}
	queue := []string{from}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range cg.imports(at) {
			if _, ok := via[next]; ok {
				continue
			}
			via[next] = at
			if next == to {
				var way []string
				for p := to; p != ""; p = via[p] {
					way = append(way, p)
				}
				slices.Reverse(way)
				return way
			}
			queue = append(queue, next)
		}
	}
	return nil
}

// closure returns a package and all that it imports.
func (cg *configGraph) closure(path string) map[string]bool {
	seen := map[string]bool{path: true}
	queue := []string{path}
	for len(queue) > 0 {
		at := queue[0]
		queue = queue[1:]
		for _, next := range cg.imports(at) {
			if !seen[next] {
				seen[next] = true
				queue = append(queue, next)
			}
		}
	}
	return seen
}

// testCycle finds a package whose in-package tests would, after an ordinary
// import of to in from, import something that imports the package.
func (cg *configGraph) testCycle(from, to string) error {
	below := cg.closure(to)
	for _, tests := range []map[string][]string{cg.test, cg.moreTest} {
		for _, tested := range sortedKeys(tests) {
			if !below[tested] {
				continue
			}
			for _, path := range tests[tested] {
				if up := cg.chain(path, from); up != nil {
					way := append([]string{tested + " (test)"}, up...)
					way = append(way, cg.chain(to, tested)...)
					return fmt.Errorf("import cycle in test: %s", strings.Join(way, " -> "))
				}
			}
		}
	}
	return nil
}

// NewlyLinked returns the paths of the packages, sorted, that an import of package to in
// the file would bring into programs that contain the file's package but not them so far; for a test
// file, into its test.
func (g *ImportGraph) NewlyLinked(from *File, to string) []string {
	var list []string
	for _, cg := range g.configs {
		have := cg.closure(from.PkgPath)
		if from.Test {
			roots := append(slices.Clone(cg.test[from.PkgPath]), cg.moreTest[from.PkgPath]...)
			if x := cg.c.Package(from.PkgPath + "_test"); x != nil && x.XTest {
				roots = append(roots, targets(x.Imports)...)
			}
			for _, root := range roots {
				if !have[root] {
					maps.Copy(have, cg.closure(root))
				}
			}
		}
		for path := range cg.closure(to) {
			if !have[path] {
				list = append(list, path)
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
