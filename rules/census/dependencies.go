package census

import (
	"bytes"
	"context"
	"go/ast"
	"go/types"
	"os"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// dependenciesToRead returns dependency packages that were loaded without function bodies
// but whose text contains the text of one of the world's keys next to the name of something
// that takes keys: a look-up, a forwarder or a store's setter. They are read with bodies, and the
// configuration is taken again.
func (b *builder) dependenciesToRead(ctx context.Context, cfg *program.Config, have []*program.Package) ([]*program.Package, error) {
	texts := b.worldTexts()
	if len(texts) == 0 {
		return nil, nil
	}
	names := b.keyTakers()
	if len(names) == 0 {
		return nil, nil
	}
	var paths []string
	for _, pkg := range cfg.Packages {
		if pkg.World || pkg.Bodies || pkg.DepModule == "" || slices.ContainsFunc(have, func(p *program.Package) bool { return p.Path == pkg.Path }) {
			continue
		}
		for _, f := range pkg.Files {
			src, err := os.ReadFile(f.Name)
			if err != nil {
				continue
			}
			if containsAny(src, texts) && containsAny(src, names) {
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

// keyTakers returns the names, with an opening parenthesis, of dependency functions that take a
// key. Look-ups proper are not among them: packages with those keep their bodies at load.
func (b *builder) keyTakers() [][]byte {
	set := map[string]bool{}
	for obj := range b.carried {
		if p, ok := b.ix.params[asVar(obj)]; ok && p.fn != nil && !p.pkg.World {
			set[p.fn.Name()+"("] = true
		}
	}
	for _, p := range b.order {
		if p.World() || p.Basic == nil {
			continue
		}
		if id, ok := p.Expr.(*ast.Ident); ok {
			if fp, ok := b.ix.params[asVar(p.Pkg.Info.Uses[id])]; ok && fp.fn != nil {
				set[fp.fn.Name()+"("] = true
			}
		}
	}
	for _, st := range b.stores.stores {
		if st.Pkg.World {
			continue
		}
		for _, r := range b.storeSources(st).refs {
			if fn, ok := b.ix.enclosingFunc(r.file, r.expr).(*ast.FuncDecl); ok {
				set[fn.Name.Name+"("] = true
			}
		}
	}
	return sortedBytes(set)
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
