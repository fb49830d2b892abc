package program

import (
	"context"
	"go/ast"
	"go/token"
	"strconv"
)

// An addedImport is an import of a changed package that its loaded version lacks.
type addedImport struct {
	in   *Package
	file *File
	path string
	pos  token.Pos
}

// eachImport calls do for every import of q with the map that the import belongs to.
func (p *Package) eachImport(do func(f *File, into map[string]*Package, path string, spec *ast.ImportSpec)) {
	for i, f := range p.Files {
		into := p.Imports
		if i >= len(p.ordinary) {
			into = p.TestImports
		}
		if f.AST == nil {
			continue
		}
		for _, spec := range f.AST.Imports {
			if path, err := strconv.Unquote(spec.Path.Value); err == nil && path != "C" {
				do(f, into, path, spec)
			}
		}
	}
}

// resolveImports reads the imports of changed packages from their syntax.
func (r *rechecker) resolveImports(ctx context.Context) error {
	missing := map[string]bool{}
	for _, q := range r.changed {
		old := *q
		had := old.had()
		q.Imports, q.TestImports, q.importErrs = map[string]*Package{}, nil, nil
		if len(q.tests) > 0 {
			q.TestImports = map[string]*Package{}
		}
		q.eachImport(func(f *File, into map[string]*Package, path string, spec *ast.ImportSpec) {
			if !had[importKind{path, f.Test}] {
				r.added = append(r.added, addedImport{q, f, path, spec.Path.Pos()})
			}
			to := r.created[path]
			if to == nil || to.XTest {
				to = old.lookup(path)
			}
			if to == nil {
				to = r.l.packageNamed(r.c, path)
			}
			switch {
			case to != nil:
				into[path] = to
			case path != "unsafe":
				missing[path] = true
			}
		})
	}
	if len(missing) == 0 {
		return nil
	}
	if err := r.l.loadMore(ctx, r.c, sortedKeys(missing)); err != nil {
		return err
	}
	for _, q := range r.changed {
		q.eachImport(func(_ *File, into map[string]*Package, path string, _ *ast.ImportSpec) {
			if to := r.l.packageNamed(r.c, path); to != nil && missing[path] {
				into[path] = to
			}
		})
	}
	return nil
}

// importKind is an import path and whether a test file has it.
type importKind struct {
	path string
	test bool
}

// had returns the imports of a package before its files changed.
func (p *Package) had() map[importKind]bool {
	had := map[importKind]bool{}
	for path := range p.Imports {
		had[importKind{path, p.XTest}] = true
	}
	for path := range p.TestImports {
		had[importKind{path, true}] = true
	}
	for path := range p.importErrs {
		had[importKind{path, false}], had[importKind{path, true}] = true, true
	}
	return had
}
