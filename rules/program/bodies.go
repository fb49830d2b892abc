package program

import (
	"context"
	"fmt"
	"go/types"
	"slices"
)

// LoadBodies checks dependency packages of a configuration again, this time
// with function bodies. The packages it returns, in the order of paths, have
// Info and syntax; their objects are new, so compare them with those of the
// first pass by [Program.IDOf]. A package that has all its bodies is
// returned as it is. A package is read once, however often it is asked for.
func (p *Program) LoadBodies(ctx context.Context, c *Config, paths []string) ([]*Package, error) {
	l := p.loader
	l.later.Lock()
	defer l.later.Unlock()
	var fresh, result []*Package
	for _, path := range paths {
		old := c.Package(path)
		if old == nil {
			return nil, fmt.Errorf("package %s is not loaded for %s/%s", path, c.GOOS, c.GOARCH)
		}
		if old.Bodies && !old.Partial {
			result = append(result, old)
			continue
		}
		q := l.reloaded[old]
		if q == nil {
			q = l.withBodies(old)
			l.reloaded[old] = q
			fresh = append(fresh, q)
		}
		result = append(result, q)
	}
	if err := l.ensureImports(ctx, fresh); err != nil {
		l.forget(fresh)
		return nil, err
	}
	err := l.each(ctx, len(fresh), func(i int) {
		l.checkFiles(fresh[i], fresh[i].ordinary)
		fresh[i].checker = nil
	})
	if err != nil {
		l.forget(fresh)
		return nil, err
	}
	return result, nil
}

// forget takes packages back that could not be checked to the end.
func (l *loader) forget(fresh []*Package) {
	for old, q := range l.reloaded {
		if slices.Contains(fresh, q) {
			delete(l.reloaded, old)
		}
	}
}

// withBodies returns a copy of a dependency, parsed whole and not yet checked.
func (l *loader) withBodies(old *Package) *Package {
	q := new(Package)
	*q = *old
	q.Bodies, q.Partial, q.needed, q.shared, q.checker, q.typeErrs = true, false, true, nil, nil, nil
	q.Types = types.NewPackage(old.Path, old.Name)
	q.Files = make([]*File, len(old.Files))
	for i, f := range old.Files {
		q.Files[i] = l.reparse(f)
	}
	q.ordinary = q.Files
	return q
}

// reparse parses a dependency's file whole. Configurations share the result.
func (l *loader) reparse(f *File) *File {
	if g := l.whole[f.Name]; g != nil {
		return g
	}
	g := new(File)
	*g = *f
	g.state = &fileState{}
	src, err := l.tree.read(f.Name)
	if err == nil {
		g.state.size = len(src)
		l.reserve(g)
		g.AST, g.Tok, g.state.errs = parseAt(f.Name, src, g.state.base, depMode)
		l.register(g)
	}
	l.whole[f.Name] = g
	return g
}

// ensureImports makes sure that everything that pkgs import is type-checked;
// the first pass leaves out what no declaration refers to.
func (l *loader) ensureImports(ctx context.Context, pkgs []*Package) error {
	var wave []*Package
	for _, p := range pkgs {
		for _, q := range p.neededImports() {
			if !q.needed {
				q.needed = true
				wave = append(wave, q)
			}
		}
	}
	todo, err := l.parseNeeded(ctx, wave)
	if err != nil {
		return err
	}
	return l.checkAll(ctx, todo)
}

// packageNamed returns the loaded package that other packages import by a path, also when
// it was only loaded after the program, or nil.
func (l *loader) packageNamed(c *Config, path string) *Package {
	if p := c.byPath[path]; p != nil && !p.XTest {
		return p
	}
	return l.extra[c][path]
}

// loadMore loads packages that nothing in the program imports so far, and what
// they import. A path that has no package stays without one.
func (l *loader) loadMore(ctx context.Context, c *Config, paths []string) error {
	listed, err := l.tool.packages(ctx, c, l.opts.Tags, false, paths)
	if err != nil {
		return err
	}
	if l.extra[c] == nil {
		l.extra[c] = map[string]*Package{}
	}
	li := &lister{l: l, c: c, plain: map[string]*listedPackage{}, errs: map[string][]Error{}, missing: map[string]string{}}
	li.merge(listed)
	var fresh []*Package
	for _, path := range sortedKeys(li.plain) {
		if l.packageNamed(c, path) != nil {
			continue
		}
		if p, _ := li.packagesOf(li.plain[path]); p != nil && !p.World {
			l.extra[c][path] = p
			fresh = append(fresh, p)
		}
	}
	for _, p := range fresh {
		p.Imports = li.resolve(li.plain[p.Path], li.plain[p.Path].Imports)
	}
	sortByImports(fresh)
	return l.scanDependencies(ctx, fresh)
}
