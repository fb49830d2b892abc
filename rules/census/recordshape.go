package census

import (
	"go/ast"
	"go/types"
)

// judgePointer checks that a pointer to the struct does what the map did, where its holders have to share one, and
// that nobody compares the map with nil where they do not.
func (r *recorder) judgePointer() {
	if r.rec.Pointer == nil {
		for _, e := range r.compared {
			r.lose(ReasonPresence, e, "the map is compared with nil, which a struct cannot be")
		}
		return
	}
	r.note(ReasonShared, r.rec.Pointer.File, r.rec.Pointer.Pos, "%s: they share the struct by a pointer, and writing it from several goroutines is no longer found out at run time", r.rec.Pointer.Message)
	for _, o := range r.rec.Origins {
		if o.Nil {
			r.lose(ReasonShared, o.Expr, "the map may be nil here, which can be read; the pointer that its holders would have to share cannot")
		}
	}
	for _, f := range r.rec.Fields {
		for _, read := range f.Reads {
			panicked := types.IsInterface(r.rec.Elem) && read.Assert != nil && read.Pair == nil && !read.Asks
			if !panicked && !r.present(read) {
				r.lose(ReasonShared, read.Expr, "%q is read here although there may be no map; its holders would have to share a pointer, and reading that would panic", f.Name)
			}
		}
	}
}

// judgeNamed checks that the declared name of the map's type is used for nothing but the record.
func (r *recorder) judgeNamed() {
	if r.rec.Named == nil || len(r.rec.Hazards) > 0 {
		return
	}
	if IsAPI(r.Program, r.rec.Named) {
		r.note(ReasonMapType, r.Program.FileOf(r.rec.Named.Pos()), r.rec.Named.Pos(), "%s is exported: importers that use it as a map will notice", r.mapText())
	}
	for _, u := range r.TypeUses(r.rec.Named) {
		var e ast.Expr = r.NameExpr(u.File, u.Ident)
		if !r.types[e] {
			r.lose(ReasonMapType, Expr{e, u.File, u.Pkg}, "%s is used here for other maps as well", r.mapText())
			return
		}
	}
}
