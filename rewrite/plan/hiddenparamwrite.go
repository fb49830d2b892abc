package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
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
		if r.From.Write == w && (w.Literal != "" || !types.Identical(types.Default(w.Pkg.Info.TypeOf(w.Value)), vp.in.Type)) {
			return block("type", w.File, w.Call.Pos(), "the stored value has another type than its reader expects")
		}
	}
	if w.Literal != "" {
		vp.spelled[w] = w.Literal
		return nil
	}
	if len(uses) == 1 && vp.inPlace(w) {
		vp.moved[w.Value] = true
	} else if !vp.lasts(w, w.Value, uses) {
		return vp.introduce(w, uses)
	}
	vp.spelled[w] = string(w.File.Src[vp.offset(w.File, w.Value.Pos()):vp.offset(w.File, w.Value.End())])
	vp.kept = append(vp.kept, lostRange{w.File, w.Value.Pos(), w.Value.End(), nil})
	return nil
}

// inPlace reports whether the context with the value is the argument in front of the one that the value becomes: it is computed
// where it was.
func (vp *valuePlan) inPlace(w *rules.ValueWrite) bool {
	for _, pass := range vp.in.Passes {
		if pass.From.Write != w {
			continue
		}
		i := vp.sp.index(pass.Call.Callees[0]) - 1
		if pass.Call.ByMethod {
			i++
		}
		args := pass.Call.Expr.Args
		return i >= 0 && i < len(args) && ast.Unparen(args[i]) == ast.Expr(w.Call) && !vp.commentIn(w.File, vp.offset(w.File, w.Call.Pos()), vp.offset(w.File, w.Call.End()))
	}
	return false
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

// lasts reports whether an expression means the same at all uses.
func (vp *valuePlan) lasts(w *rules.ValueWrite, e ast.Expr, uses []token.Pos) bool {
	info := w.Pkg.Info
	if info.Types[e].Value != nil {
		return vp.constant(w, e, uses)
	}
	switch e := e.(type) {
	case *ast.Ident:
		v, ok := info.Uses[e].(*types.Var)
		if !ok || v.Parent() == nil || v.Parent() == w.Pkg.Types.Scope() || v.Parent() == types.Universe || vp.changes(v) {
			return false
		}
		for _, at := range uses {
			if meaning(place{w.Pkg, at}, e.Name) != types.Object(v) {
				return false
			}
		}
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
func (vp *valuePlan) changes(v *types.Var) bool {
	for _, u := range vp.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] == nil && vp.changedBy(u) {
			return true
		}
	}
	return vp.shared(vp.in.Supply.Flow, v)
}

// shared reports whether all rounds of a loop have a variable in common, as they had before Go 1.22.
func (d *draft) shared(fl *flow.Flow, v *types.Var) bool {
	f := d.prog.FileOf(v.Pos())
	if f == nil || fl.AtLeast(f, "go1.22") {
		return false
	}
	for _, n := range flow.Path(f, v.Pos()) {
		switch n := n.(type) {
		case *ast.RangeStmt:
			if v.Pos() < n.Body.Pos() {
				return true
			}
		case *ast.ForStmt:
			if v.Pos() < n.Body.Pos() {
				return true
			}
		case *ast.FuncLit, *ast.FuncDecl:
			return false
		}
	}
	return false
}

// changedBy reports whether a mention of a variable changes what it holds, or may let other code do so.
func (vp *valuePlan) changedBy(u census.Use) bool {
	for n := ast.Node(u.Ident); ; {
		parent, child := vp.census.Outer(u.File, n)
		switch p := parent.(type) {
		case *ast.SelectorExpr:
			s := u.Pkg.Info.Selections[p]
			switch {
			case s == nil:
				return true
			case s.Kind() != types.FieldVal:
				return vp.takesAddress(s)
			case s.Indirect():
				return false // behind a pointer
			}
			n = p
			continue
		case *ast.IndexExpr:
			if _, array := program.Underlying(u.Pkg.Info, p.X).(*types.Array); !array || ast.Node(p.X) != child {
				return false
			}
			n = p
			continue
		case *ast.SliceExpr:
			_, array := program.Underlying(u.Pkg.Info, p.X).(*types.Array)
			return array
		case *ast.UnaryExpr:
			return p.Op == token.AND
		case *ast.IncDecStmt:
			loop, ok := vp.census.Parent(u.File, p).(*ast.ForStmt)
			return !ok || loop.Post != ast.Stmt(p) // which concerns the next round's
		case *ast.AssignStmt:
			return slices.ContainsFunc(p.Lhs, func(l ast.Expr) bool { return ast.Node(l) == child })
		case *ast.RangeStmt:
			return p.Key == child || p.Value == child
		}
		return false
	}
}

// takesAddress reports whether a selected method gets the address of what it is called on.
func (vp *valuePlan) takesAddress(s *types.Selection) bool {
	fn, ok := s.Obj().(*types.Func)
	return ok && fn.Signature().Recv() != nil && isPointer(fn.Signature().Recv().Type()) && !isPointer(s.Recv()) && !s.Indirect()
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
