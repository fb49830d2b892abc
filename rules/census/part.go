package census

import (
	"slices"
	"strconv"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Two places with the same key are the same key only if some program contains both. A main
// package is part of no other program than its own and its tests'; a test file only of its package's tests.
// Ordinary packages may always meet, in a program that is not part of the world. So the literals
// "key" in the tests of two packages, neither of which imports a package that uses it, are two keys.

// A linkage is what decides with whom a place can meet.
type linkage struct {
	kind linkKind
	path string // import path of the main package or of the package under test
}

type linkKind int

const (
	ordinary linkKind = iota
	mainProgram
	testProgram
)

// linkageOf returns the linkage of a file of a package. A main package without func main is a
// plugin or a library, and where plugins are opened any main package may be one: those meet the others.
func (l *linker) linkageOf(pkg *program.Package, f *program.File) linkage {
	switch {
	case f.Test:
		return linkage{testProgram, f.PkgPath}
	case pkg.Name == "main" && pkg.World && !l.plugins && pkg.Types.Scope().Lookup("main") != nil:
		return linkage{mainProgram, pkg.Path}
	}
	return linkage{}
}

// opensPlugins reports whether a package of the world imports plugin.
func opensPlugins(prog *program.Program) bool {
	for _, cfg := range prog.Configs {
		for _, p := range cfg.Packages {
			if p.World && p.Imports["plugin"] != nil {
				return true
			}
		}
	}
	return false
}

// A linker answers which packages a program contains.
type linker struct {
	prog     *program.Program
	closures map[linkage]map[string]bool
	plugins  bool
	// left are the imports of files that no loaded configuration contains, by package path: with
	// other tags they are part of the programs.
	left, leftTest map[string][]string
}

func newLinker(prog *program.Program) *linker {
	l := &linker{prog, map[linkage]map[string]bool{}, opensPlugins(prog), map[string][]string{}, map[string][]string{}}
	for _, f := range prog.Files {
		switch {
		case !f.Excluded || f.AST == nil:
		case f.Test:
			l.leftTest[f.PkgPath] = append(l.leftTest[f.PkgPath], importPaths(f)...)
		default:
			l.left[f.PkgPath] = append(l.left[f.PkgPath], importPaths(f)...)
		}
	}
	return l
}

func importPaths(f *program.File) []string {
	var list []string
	for _, spec := range f.AST.Imports {
		if path, err := strconv.Unquote(spec.Path.Value); err == nil {
			list = append(list, path)
		}
	}
	return list
}

// contains returns the import paths of the packages that a place can meet, over all configurations: what tests import is in one program
// with the main package that they test.
func (l *linker) contains(at linkage) map[string]bool {
	if set := l.closures[at]; set != nil {
		return set
	}
	set := map[string]bool{}
	for _, cfg := range l.prog.Configs {
		p := cfg.Package(at.path)
		if p != nil {
			l.addClosure(set, cfg, p)
		}
		if p != nil {
			for _, imp := range p.TestImports {
				l.addClosure(set, cfg, imp)
			}
		}
		for _, path := range l.leftTest[at.path] {
			l.addClosure(set, cfg, cfg.Package(path))
		}
		if x := cfg.Package(at.path + "_test"); x != nil && x.XTest {
			l.addClosure(set, cfg, x)
		}
	}
	l.closures[at] = set
	return set
}

func (l *linker) addClosure(set map[string]bool, cfg *program.Config, p *program.Package) {
	if p == nil || set[p.Path] {
		return
	}
	set[p.Path] = true
	for _, imp := range p.Imports {
		l.addClosure(set, cfg, imp)
	}
	for _, path := range l.left[p.Path] {
		l.addClosure(set, cfg, cfg.Package(path))
	}
}

// meets reports whether a place in one linkage can be in one program with a place of
// the ordinary packages given, or of the other linkage.
func (l *linker) meets(a, b linkage, ordinaryPaths map[string]bool) bool {
	switch {
	case a == b:
		return true
	case a.kind == ordinary:
		return l.meets(b, a, ordinaryPaths)
	case b.kind == ordinary:
		for path := range l.contains(a) {
			if ordinaryPaths[path] {
				return true
			}
		}
		return false
	}
	return a.path == b.path // a main package and its own tests
}

// part splits every built-in key into one key for each group of points that can meet.
func (b *builder) part() {
	b.linker = newLinker(b.census.Program)
	byKey := map[*Key][]*Point{}
	var order []*Key
	for _, p := range b.order {
		for _, k := range pointKeys(p) {
			if byKey[k] == nil {
				order = append(order, k)
			}
			byKey[k] = append(byKey[k], p)
		}
	}
	for _, k := range order {
		groups := b.groups(byKey[k])
		if len(groups) < 2 {
			continue
		}
		for i, points := range groups {
			part := k
			if i > 0 {
				c := *k
				part = &c
				b.parts = append(b.parts, part)
			}
			part.Part = points[0].File.PkgPath
			part.whole = k
			for _, p := range points {
				for _, l := range p.Leaves {
					if l.Key == k {
						l.Key = part
					}
				}
			}
		}
	}
}

func pointKeys(p *Point) []*Key {
	var keys []*Key
	seen := map[*Key]bool{}
	for _, l := range p.Leaves {
		if !seen[l.Key] {
			seen[l.Key] = true
			keys = append(keys, l.Key)
		}
	}
	return keys
}

// groups sorts points into groups that can meet, in the order of their first points.
func (b *builder) groups(points []*Point) [][]*Point {
	byLink := map[linkage][]*Point{}
	var links []linkage
	ordinaryPaths := map[string]bool{}
	for _, p := range points {
		at := b.linker.linkageOf(p.Pkg, p.File)
		if at.kind == ordinary {
			ordinaryPaths[p.Pkg.Path] = true
		}
		if byLink[at] == nil {
			links = append(links, at)
		}
		byLink[at] = append(byLink[at], p)
	}
	var groups [][]linkage
	for _, at := range links {
		joined := []linkage{at}
		groups = slices.DeleteFunc(groups, func(g []linkage) bool {
			if !slices.ContainsFunc(g, func(have linkage) bool { return b.linker.meets(at, have, ordinaryPaths) }) {
				return false
			}
			joined = append(g, joined...)
			return true
		})
		groups = append(groups, joined)
	}
	var out [][]*Point
	for _, g := range groups {
		var list []*Point
		for _, at := range g {
			list = append(list, byLink[at]...)
		}
		out = append(out, list)
	}
	slices.SortFunc(out, func(x, y []*Point) int {
		return slices.Index(points, x[0]) - slices.Index(points, y[0])
	})
	return out
}

// canMeet reports whether a look-up at p can concern the key.
func (b *builder) canMeet(p *Point, k *Key) bool {
	return b.linkMeets(b.linker.linkageOf(p.Pkg, p.File), p.Pkg.Path, k)
}

// fileCanMeet reports the same of any look-up in a file that was not type-checked.
func (b *builder) fileCanMeet(f *program.File, k *Key) bool {
	if !b.listed(f) {
		return true // nobody knows who imports it
	}
	at := linkage{}
	switch {
	case f.Test:
		at = linkage{testProgram, f.PkgPath}
	case f.AST.Name != nil && f.AST.Name.Name == "main":
		if f.Excluded && !b.sharesPackage(f) {
			return b.importsMeet(f, k)
		}
		at = linkage{mainProgram, f.PkgPath}
	}
	return b.linkMeets(at, f.PkgPath, k)
}

// listed reports whether the package of a file is loaded in some configuration, or the file stands in a main
// package of its own.
func (b *builder) listed(f *program.File) bool {
	if f.AST.Name != nil && f.AST.Name.Name == "main" {
		return true
	}
	for _, cfg := range b.census.Program.Configs {
		if cfg.Package(f.PkgPath) != nil || cfg.Package(f.PkgPath+"_test") != nil {
			return true
		}
	}
	return false
}

// sharesPackage reports whether the package in a main file's directory is a main package too; a
// lone main file (//go:build ignore) is a program of its own.
func (b *builder) sharesPackage(f *program.File) bool {
	for _, cfg := range b.census.Program.Configs {
		if p := cfg.Package(f.PkgPath); p != nil && p.Name == "main" {
			return true
		}
	}
	return false
}

// importsMeet reports whether a lone main file's imports contain a package with the key.
func (b *builder) importsMeet(f *program.File, k *Key) bool {
	set := map[string]bool{}
	for _, path := range importPaths(f) {
		for _, cfg := range b.census.Program.Configs {
			b.linker.addClosure(set, cfg, cfg.Package(path))
		}
	}
	for _, q := range k.Points {
		if b.linker.linkageOf(q.Pkg, q.File).kind == ordinary && set[q.Pkg.Path] {
			return true
		}
	}
	return false
}

func (b *builder) linkMeets(at linkage, path string, k *Key) bool {
	for _, q := range k.Points {
		other := b.linker.linkageOf(q.Pkg, q.File)
		paths := map[string]bool{}
		if at.kind == ordinary {
			paths[path] = true
		}
		if other.kind == ordinary {
			paths[q.Pkg.Path] = true
		}
		if b.linker.meets(at, other, paths) || at.path != "" && at.path == q.File.PkgPath {
			return true
		}
	}
	return false
}
