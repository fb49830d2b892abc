package program

import (
	"fmt"
	"go/ast"
	"go/token"
)

// checkNewImports holds the imports that were added to the go command's rules.
func (r *rechecker) checkNewImports() {
	for _, a := range r.added {
		to := a.in.lookup(a.path)
		if to == nil {
			continue // the type checker has said so
		}
		if err := r.l.prog.importRules(a.file, to.Path, targetOf(to)); err != nil {
			r.report(a.in, a.pos, err.Error())
		}
	}
	if len(r.added) == 0 {
		return
	}
	// Any new import may lead the test of another package back to it.
	for _, q := range r.versions() {
		if q.XTest || len(q.tests) == 0 {
			continue
		}
		q.eachImport(func(f *File, into map[string]*Package, path string, spec *ast.ImportSpec) {
			if to := into[path]; f.Test && to != nil && (to == q || to.reaches(q)) {
				r.report(q, spec.Path.Pos(), fmt.Sprintf("import cycle not allowed in test: %s imports %s", to.Path, q.Path))
			}
		})
	}
}

// reaches reports whether ordinary imports lead from p to q.
func (p *Package) reaches(q *Package) bool {
	seen := map[*Package]bool{}
	var visit func(at *Package) bool
	visit = func(at *Package) bool {
		if seen[at] {
			return false
		}
		seen[at] = true
		for _, next := range at.Imports {
			if next == q || visit(next) {
				return true
			}
		}
		return false
	}
	return visit(p)
}

// report adds an error to a new version.
func (r *rechecker) report(q *Package, pos token.Pos, msg string) {
	q.typeErrs = append(q.typeErrs, Error{Pos: r.l.prog.Fset.PositionFor(pos, false), Msg: msg})
}

// checkTestNames finds uses of declarations that only tests have, which the
// one universe of types would allow: in ordinary files, and in other packages.
func (r *rechecker) checkTestNames() {
	for _, q := range r.changed {
		for _, f := range q.Files {
			if f.AST == nil || q.Info == nil {
				continue
			}
			ast.Inspect(f.AST, func(n ast.Node) bool {
				id, ok := n.(*ast.Ident)
				if !ok {
					return true
				}
				obj := q.Info.Uses[id]
				if obj == nil || !obj.Pos().IsValid() {
					return true
				}
				decl := r.l.prog.FileOf(obj.Pos())
				if decl != nil && decl.Test && (!f.Test || decl.PkgDir != f.PkgDir) {
					r.report(q, id.Pos(), fmt.Sprintf("undefined: %s (only %s declares it, for the tests of %s)", id.Name, decl.Rel, decl.PkgPath))
				}
				return true
			})
		}
	}
}
