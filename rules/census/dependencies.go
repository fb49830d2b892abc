package census

import (
	"bytes"
	"context"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// dependenciesToRead returns dependency packages that were loaded without function bodies but
// whose text names something that takes keys, a forwarder or a store's setter: packages that import
// what declares it, since they may forward keys in turn, and those that contain the text of one of the
// world's keys. They are read with bodies, and the configuration is taken again.
func (b *builder) dependenciesToRead(ctx context.Context, cfg *program.Config, have []*program.Package) ([]*program.Package, error) {
	takers := b.keyTakers()
	if len(takers) == 0 {
		return nil, nil
	}
	texts := b.worldTexts()
	var paths []string
	var src bytes.Buffer // one for all, since nothing of a file is kept
	for _, pkg := range cfg.Packages {
		if pkg.World || pkg.Bodies && !pkg.Partial || pkg.DepModule == "" || slices.ContainsFunc(have, func(p *program.Package) bool { return p.Path == pkg.Path }) {
			continue
		}
		near, far := namesFor(pkg, takers)
		if len(near) == 0 && len(texts) == 0 {
			continue
		}
		for _, f := range pkg.Files {
			if b.census.Program.ReadInto(&src, f.Name) != nil {
				continue
			}
			if containsAny(src.Bytes(), near) || containsAny(src.Bytes(), far) && containsAny(src.Bytes(), texts) {
				paths = append(paths, pkg.Path)
				break
			}
		}
	}
	if len(paths) == 0 {
		return nil, nil
	}
	slices.Sort(paths)
	return b.census.Program.LoadBodies(ctx, cfg, paths)
}

// namesFor splits the names of key takers into those of packages that pkg imports and the others.
func namesFor(pkg *program.Package, takers map[string]map[string]bool) (near, far [][]byte) {
	nearSet, farSet := map[string]bool{}, map[string]bool{}
	for path, names := range takers {
		set := farSet
		for _, imp := range pkg.Imports {
			if imp.Path == path {
				set = nearSet
			}
		}
		for name := range names {
			set[name] = true
		}
	}
	return sortedBytes(nearSet), sortedBytes(farSet)
}

func containsAny(src []byte, list [][]byte) bool {
	for _, s := range list {
		if bytes.Contains(src, s) {
			return true
		}
	}
	return false
}

// worldTexts returns the quoted texts of the string keys seen in the world.
func (b *builder) worldTexts() [][]byte {
	set := map[string]bool{}
	for _, p := range b.order {
		for _, l := range p.Leaves {
			if l.Pkg.World && p.Basic.Info()&types.IsString != 0 {
				set[l.Value.ExactString()] = true
			}
		}
	}
	return sortedBytes(set)
}

// keyTakers returns, by package path, the names, with an opening parenthesis, of dependency functions
// that take a key. Look-ups proper are not among them: packages with those keep their bodies at load.
func (b *builder) keyTakers() map[string]map[string]bool {
	takers := map[string]map[string]bool{}
	add := func(path, name string) {
		if takers[path] == nil {
			takers[path] = map[string]bool{}
		}
		takers[path][name+"("] = true
	}
	for obj := range b.carried {
		if p, ok := b.ix.paramOf(asVar(obj)); ok && p.fn != nil && !p.pkg.World {
			add(p.pkg.Path, p.fn.Name())
		}
	}
	for _, p := range b.order {
		for _, fn := range p.Forwarders {
			if fn.Pkg() == nil {
				continue
			}
			if pkg := b.ix.cfg.Package(fn.Pkg().Path()); pkg != nil && !pkg.World {
				add(pkg.Path, fn.Name())
			}
		}
	}
	for _, st := range b.stores.stores {
		if st.Pkg.World || !b.occurs(st) {
			continue
		}
		p := &Point{Basic: types.Typ[types.String]}
		s := b.storeSources(st)
		seen := map[refSeen]bool{}
		for _, r := range s.refs {
			b.storeLeaves(st, r, p, seen)
		}
		for _, fn := range p.Forwarders {
			if fn.Pkg() != nil {
				add(fn.Pkg().Path(), fn.Name())
			}
		}
	}
	return takers
}

func asVar(obj types.Object) *types.Var {
	v, _ := obj.(*types.Var)
	return v
}

func sortedBytes(set map[string]bool) [][]byte {
	var list []string
	for s := range set {
		list = append(list, s)
	}
	slices.Sort(list)
	var out [][]byte
	for _, s := range list {
		out = append(out, []byte(s))
	}
	return out
}
