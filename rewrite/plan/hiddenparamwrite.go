package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"strconv"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/program"
)

// spell decides what the function that stores the value writes for it: what it stores, where that is the same later on, or
// a variable that is made for it.
func (vp *valuePlan) spell(w *rules.ValueWrite) error {
	uses := vp.usesOf(w)
	if len(uses) == 0 {
		return nil
	}
	for _, r := range vp.in.Reads {
		if r.From.Write == w && !types.Identical(types.Default(w.Pkg.Info.TypeOf(w.Value)), vp.in.Type) {
			return block("type", w.File, w.Value.Pos(), "the stored value has another type than its reader expects")
		}
	}
	if text, ok := vp.lasting(w, uses); ok {
		vp.spelled[w] = text
		return nil
	}
	return vp.introduce(w, uses)
}

// usesOf returns the places that need the value of a writer.
func (vp *valuePlan) usesOf(w *rules.ValueWrite) []token.Pos {
	var list []token.Pos
	for _, pass := range vp.in.Passes {
		if pass.From.Write == w {
			list = append(list, pass.Call.Expr.Rparen)
		}
	}
	for _, r := range vp.in.Reads {
		if r.From.Write == w {
			list = append(list, r.Expr.Pos())
		}
	}
	return list
}

// lasting returns what is stored as text that means the same at all uses.
func (vp *valuePlan) lasting(w *rules.ValueWrite, uses []token.Pos) (string, bool) {
	if !vp.lasts(w, w.Value, uses) {
		return "", false
	}
	text := string(w.File.Src[vp.offset(w.File, w.Value.Pos()):vp.offset(w.File, w.Value.End())])
	return text, true
}

func (vp *valuePlan) lasts(w *rules.ValueWrite, e ast.Expr, uses []token.Pos) bool {
	info := w.Pkg.Info
	if info.Types[e].Value != nil {
		return vp.constant(w, e, uses)
	}
	switch e := e.(type) {
	case *ast.Ident:
		v, ok := info.Uses[e].(*types.Var)
		if !ok || v.Parent() == nil || v.Parent() == w.Pkg.Types.Scope() || v.Parent() == types.Universe || vp.changes(w, v) {
			return false
		}
		for _, at := range uses {
			if meaning(place{w.Pkg, at}, e.Name) != types.Object(v) {
				return false
			}
		}
		vp.used[v] = true
		return true
	case *ast.SelectorExpr:
		sel := info.Selections[e]
		if sel == nil || sel.Kind() != types.FieldVal {
			return false
		}
		field, ok := sel.Obj().(*types.Var)
		return ok && !types.IsInterface(sel.Recv()) && vp.setOnce(field) && vp.lasts(w, ast.Unparen(e.X), uses)
	}
	return false
}

// constant reports whether a constant, written as it is, means the same at all uses; a read in the function itself would
// give it another type.
func (vp *valuePlan) constant(w *rules.ValueWrite, e ast.Expr, uses []token.Pos) bool {
	for _, r := range vp.in.Reads {
		if r.From.Write == w {
			return false
		}
	}
	ok := true
	ast.Inspect(e, func(n ast.Node) bool {
		if sel, isSel := n.(*ast.SelectorExpr); isSel {
			n = sel.X
		}
		if id, isIdent := n.(*ast.Ident); isIdent {
			for _, at := range uses {
				ok = ok && meaning(place{w.Pkg, at}, id.Name) == w.Pkg.Info.Uses[id]
			}
		}
		return ok
	})
	return ok
}

// changes reports whether a variable may hold something else later: it is assigned to, in whole or in part, or its address
// is taken, also by a method that is called on it.
func (vp *valuePlan) changes(w *rules.ValueWrite, v *types.Var) bool {
	if vp.reassigned(v) {
		return true
	}
	switch v.Type().Underlying().(type) {
	case *types.Struct, *types.Array:
	default:
		return false
	}
	for _, u := range vp.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		var n ast.Node = u.Ident
		for n != nil {
			parent, child := vp.census.Outer(u.File, n)
			switch p := parent.(type) {
			case *ast.SelectorExpr:
				s := u.Pkg.Info.Selections[p]
				if s == nil {
					return true
				}
				if s.Kind() != types.FieldVal {
					if fn, ok := s.Obj().(*types.Func); ok && isPointer(fn.Signature().Recv().Type()) && !s.Indirect() {
						return true
					}
					n = nil
					continue
				}
				if isPointer(s.Type()) {
					n = nil
					continue
				}
				n = p
				continue
			case *ast.IndexExpr:
				if ast.Node(p.X) == child {
					n = p
					continue
				}
			case *ast.SliceExpr:
				return true
			case *ast.UnaryExpr:
				if p.Op == token.AND {
					return true
				}
			case *ast.IncDecStmt:
				return true
			case *ast.AssignStmt:
				for _, l := range p.Lhs {
					if ast.Node(l) == child {
						return true
					}
				}
			}
			n = nil
		}
	}
	return false
}

func isPointer(t types.Type) bool {
	_, ok := t.Underlying().(*types.Pointer)
	return ok
}

// setOnce reports whether a field gets its value in literals alone, and no value of its struct is overwritten as a whole.
func (vp *valuePlan) setOnce(field *types.Var) bool {
	if f := vp.prog.FileOf(field.Pos()); f == nil || !f.World {
		return false
	}
	for _, u := range vp.census.Uses(field) {
		parent, child := vp.census.Outer(u.File, vp.census.NameExpr(u.File, u.Ident))
		switch p := parent.(type) {
		case *ast.AssignStmt:
			for _, l := range p.Lhs {
				if ast.Node(l) == child {
					return false
				}
			}
		case *ast.UnaryExpr:
			if p.Op == token.AND {
				return false
			}
		case *ast.IncDecStmt, *ast.RangeStmt:
			return false
		}
	}
	return !vp.overwritten(field)
}

// overwritten reports whether an assignment through a pointer, or to an element, replaces a struct that has a field.
func (vp *valuePlan) overwritten(field *types.Var) bool {
	for _, f := range vp.prog.Files {
		pkg := vp.in.Supply.Flow.Package(f)
		if pkg == nil || f.AST == nil {
			continue
		}
		found := false
		ast.Inspect(f.AST, func(n ast.Node) bool {
			as, ok := n.(*ast.AssignStmt)
			if !ok || as.Tok != token.ASSIGN {
				return !found
			}
			for _, l := range as.Lhs {
				if t := pkg.Info.TypeOf(l); t != nil && hasField(t, field) {
					found = true
				}
			}
			return !found
		})
		if found {
			return true
		}
	}
	return false
}

func hasField(t types.Type, field *types.Var) bool {
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for fd := range st.Fields() {
		if fd.Pos() == field.Pos() {
			return true
		}
	}
	return false
}

// introduce gives the value a variable, defined where it is stored.
func (vp *valuePlan) introduce(w *rules.ValueWrite, uses []token.Pos) error {
	stmt, inBlock := vp.statement(w.File, w.Call)
	if !inBlock {
		return block("effects", w.File, w.Value.Pos(), "the stored value is computed in the middle of a statement; compute it on a line of its own")
	}
	scope := w.Pkg.Types.Scope().Innermost(stmt.Pos())
	if scope == nil {
		return block("effects", w.File, w.Value.Pos(), "the stored value cannot be given a name here")
	}
	for _, at := range uses {
		if !scope.Contains(at) || at < stmt.Pos() {
			return block("scope", w.File, w.Value.Pos(), "the stored value is used outside of the block in which it is stored; compute it before")
		}
	}
	if tv := w.Pkg.Info.Types[w.Value]; !types.Identical(types.Default(tv.Type), vp.in.Type) && !types.AssignableTo(tv.Type, vp.in.Type) {
		return block("type", w.File, w.Value.Pos(), "the stored value has another type than its readers expect")
	}
	name := vp.freeName(w.Func, w.File, scope)
	vp.spelled[w] = name
	vp.keepAs[w.Value] = name
	return nil
}

// freeName returns a name that nothing in the declaration around a place has or means.
func (vp *valuePlan) freeName(f *callgraph.Func, file *program.File, scope *types.Scope) string {
	taken := map[string]bool{}
	for ; f != nil; f = f.Outer {
		if p := vp.changedAt(f); p != nil {
			taken[p.name] = true
		}
		ast.Inspect(f.Top, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				taken[id.Name] = true
			}
			return true
		})
	}
	for i := 1; ; i++ {
		for _, name := range []string{vp.base, vp.base + "Value"} {
			if i > 1 {
				name += strconv.Itoa(i)
			}
			if !taken[name] && token.IsIdentifier(name) && types.Universe.Lookup(name) == nil && !vp.planner.locals[local{scope, name}] {
				vp.planner.locals[local{scope, name}] = true
				return name
			}
		}
	}
}

func (vp *valuePlan) changedAt(f *callgraph.Func) *newParam {
	if vp.sp == nil {
		return nil
	}
	return vp.sp.changed[f]
}
