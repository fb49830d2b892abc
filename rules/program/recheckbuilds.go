package program

import (
	"fmt"
	"go/ast"
	"slices"
)

// checkOtherBuilds finds uses that changed files have come to have of what other builds leave out: a build that is not loaded may
// contain the file and not the declaration.
func (r *rechecker) checkOtherBuilds() {
	before, after := newOtherBuilds(r.l.prog, nil), newOtherBuilds(r.l.prog, r.overlay)
	for old, q := range r.next {
		if q == nil || !q.World || q.Info == nil || !slices.Contains(r.changed, q) {
			continue
		}
		for _, f := range q.Files {
			if f.AST == nil || r.overlay[f.Name] != f {
				continue
			}
			reported := map[declared]bool{}
			after.eachUse(q, f, func(id *ast.Ident, at declared, decl *File) {
				files := after.declaring(at, decl)
				if reported[at] || r.l.prog.implied(f, files) || r.l.prog.implied(f, files, before.needed(old, f)...) {
					return
				}
				reported[at] = true // one error tells enough
				r.report(q, id.Pos(), fmt.Sprintf("%s is declared in %s, which is part of the build only where %s", id.Name, decl.Rel, after.where(files)))
			})
		}
	}
}
