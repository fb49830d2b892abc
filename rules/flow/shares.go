package flow

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Shares reports whether a call works for others as well, so that the end of one caller's context must not end it: others find an entry
// that was made before the call and wait for it, or find what the call has returned, errors included; or the call gets what has
// been collected from others, which is thrown away afterwards; or its failure is stored for others, puts the work off for them, or ends the program.
func (f *Flow) Shares(pkg *program.Package, file *program.File, call *ast.CallExpr) bool {
	if call == nil {
		return false
	}
	path := f.around(file, call)
	i := slices.IndexFunc(path, func(n ast.Node) bool { _, ok := n.(*ast.FuncDecl); return ok })
	if i < 0 {
		return false
	}
	s := f.sharingOf(pkg, path[i].(*ast.FuncDecl))
	if s.batch(call) {
		return true
	}
	var made *ast.AssignStmt
	for _, n := range path[:i] {
		if as, ok := n.(*ast.AssignStmt); ok && made == nil {
			made = as
		}
	}
	return s.judges(call, made) || slices.ContainsFunc(s.stores, func(st store) bool {
		return s.asked[st.obj] && (st.node.End() <= call.Pos() && s.registers(st, call) || st.node.Pos() > call.Pos() && s.remembers(st, call, made))
	})
}

// A sharing is what a function does with variables that it has in common with other calls: package variables and what its receiver holds.
type sharing struct {
	flow *Flow
	pkg  *program.Package
	decl *ast.FuncDecl
	// aliases are the local variables that hold something out of one.
	aliases map[types.Object]types.Object
	// asked are those that a condition asks for, emptied those that are made anew.
	asked, emptied map[types.Object]bool
	stores         []store
}

// A store puts a value where other calls find it.
type store struct {
	node ast.Node
	obj  types.Object
	// values are what is stored, with the key of it where a method stores it.
	values []ast.Expr
}

// sharingOf goes through a function once.
func (f *Flow) sharingOf(pkg *program.Package, d *ast.FuncDecl) *sharing {
	key := declOf{pkg, d}
	if s := f.sharings[key]; s != nil {
		return s
	}
	s := &sharing{flow: f, pkg: pkg, decl: d, aliases: map[types.Object]types.Object{}, asked: map[types.Object]bool{}, emptied: map[types.Object]bool{}}
	f.sharings[key] = s
	ast.Inspect(d.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			s.assign(n)
		case *ast.ExprStmt:
			if call, ok := n.X.(*ast.CallExpr); ok && len(call.Args) > 0 {
				s.enter(call)
				if obj := s.object(call.Args[0]); obj != nil && s.clears(call) {
					s.emptied[obj] = true
				}
			}
		}
		return true
	})
	ast.Inspect(d.Body, func(n ast.Node) bool {
		if n, ok := n.(*ast.IfStmt); ok {
			s.ask(n.Cond)
		}
		return true
	})
	return s
}

// object returns the shared variable that an expression denotes, indexes or selects from, at once or by a local variable; nil for
// others.
func (s *sharing) object(e ast.Expr) types.Object {
	if obj := sharedObject(s.pkg, e); obj != nil {
		return obj
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return s.aliases[s.pkg.Info.Uses[e]]
	case *ast.IndexExpr:
		return s.object(e.X)
	case *ast.SliceExpr:
		return s.object(e.X)
	case *ast.SelectorExpr:
		if sel := s.pkg.Info.Selections[e]; sel != nil && sel.Kind() == types.FieldVal && s.object(e.X) != nil {
			return sel.Obj()
		}
	}
	return nil
}

// assign notes what an assignment takes out of shared variables, and puts into them.
func (s *sharing) assign(as *ast.AssignStmt) {
	if len(as.Rhs) == 1 {
		obj := s.object(as.Rhs[0])
		if call, ok := ast.Unparen(as.Rhs[0]).(*ast.CallExpr); ok {
			obj = s.cell(call)
			if obj != nil && s.givesBack(call) {
				s.enter(call)
			}
		}
		for _, lhs := range as.Lhs {
			if id, ok := lhs.(*ast.Ident); ok && obj != nil && id.Name != "_" {
				s.aliases[s.pkg.Info.ObjectOf(id)] = obj
			}
		}
	}
	for i, lhs := range as.Lhs {
		if _, local := ast.Unparen(lhs).(*ast.Ident); local && sharedObject(s.pkg, lhs) == nil {
			continue
		}
		obj := s.object(lhs)
		if obj == nil {
			continue
		}
		st := store{node: as, obj: obj, values: as.Rhs}
		if len(as.Lhs) == len(as.Rhs) {
			st.values = as.Rhs[i : i+1]
			s.emptied[obj] = s.emptied[obj] || s.empty(as.Rhs[i])
		}
		s.stores = append(s.stores, st)
	}
}

// cell returns the shared variable of which a call asks a method from elsewhere that cannot fail, as those of values in memory
// cannot: sync.Map for example.
func (s *sharing) cell(call *ast.CallExpr) types.Object {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok {
		return nil
	}
	fn := census.Callee(s.pkg.Info, call)
	if fn == nil || fn.Signature().Recv() == nil || takesCarrier(fn.Signature()) {
		return nil
	}
	for r := range fn.Signature().Results().Variables() {
		if isError(r.Type()) && !isAny(r.Type()) {
			return nil
		}
	}
	return s.object(sel.X)
}

func takesCarrier(sig *types.Signature) bool {
	for p := range sig.Params().Variables() {
		if carries(p.Type()) {
			return true
		}
	}
	return false
}

// givesBack reports whether a call returns what it is given unless there is something else, as LoadOrStore does: behind a key it gets a
// value of the type that it returns.
func (s *sharing) givesBack(call *ast.CallExpr) bool {
	results := resultTypes(s.pkg.Info.TypeOf(call))
	fn := census.Callee(s.pkg.Info, call)
	if fn == nil || len(results) != 2 || len(call.Args) != 2 || fn.Signature().Params().Len() != 2 {
		return false
	}
	return types.Identical(fn.Signature().Params().At(1).Type(), fn.Signature().Results().At(0).Type())
}

// enter notes a call of a method that puts something into a shared variable.
func (s *sharing) enter(call *ast.CallExpr) {
	if obj := s.cell(call); obj != nil {
		s.stores = append(s.stores, store{node: call, obj: obj, values: call.Args})
	}
}

// ask notes the shared variables that a condition mentions, and those out of which a local variable has come that it mentions.
func (s *sharing) ask(cond ast.Expr) {
	ast.Inspect(cond, func(n ast.Node) bool {
		e, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		if obj := s.object(e); obj != nil {
			s.asked[obj] = true
		}
		return true
	})
}

// empty reports whether a value is that of a variable which holds nothing.
func (s *sharing) empty(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return len(e.Elts) == 0
	case *ast.SliceExpr:
		high, ok := e.High.(*ast.BasicLit)
		return ok && high.Value == "0"
	case *ast.CallExpr:
		return s.pkg.Info.Types[e.Fun].IsBuiltin() && !s.appends(e)
	}
	return s.pkg.Info.Types[e].IsNil()
}

func (s *sharing) appends(call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && id.Name == "append"
}

func (s *sharing) clears(call *ast.CallExpr) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	return ok && id.Name == "clear" && s.pkg.Info.Types[call.Fun].IsBuiltin()
}

// batch reports whether a call gets a slice or map of a shared variable that the function empties: what others have put there.
func (s *sharing) batch(call *ast.CallExpr) bool {
	return slices.ContainsFunc(call.Args, func(arg ast.Expr) bool {
		t := s.pkg.Info.TypeOf(arg)
		if t == nil || !s.emptied[s.object(arg)] {
			return false
		}
		switch Under(t).(type) {
		case *types.Slice, *types.Map:
			return true
		}
		return false
	})
}

// registers reports whether a store before a call makes an entry for it, which others find: the function goes on with it at the call or
// behind it, or it is nothing but a mark: struct{}{}, true, the time. A number or a text is none.
func (s *sharing) registers(st store, call *ast.CallExpr) bool {
	if _, isCall := st.node.(*ast.CallExpr); isCall && len(st.values) < 2 {
		return false // taken away
	}
	value := ast.Unparen(st.values[len(st.values)-1])
	if u, ok := value.(*ast.UnaryExpr); ok && u.Op == token.AND {
		value = ast.Unparen(u.X)
	}
	tv := s.pkg.Info.Types[value]
	if tv.Type == nil {
		return true
	}
	if _, ok := tv.Type.Underlying().(*types.Basic); ok && !tv.IsNil() {
		return tv.Value != nil && tv.Value.Kind() == constant.Bool && constant.BoolVal(tv.Value)
	}
	if id, ok := value.(*ast.Ident); ok {
		if v, ok := s.pkg.Info.Uses[id].(*types.Var); ok {
			return s.mentionedFrom(v, call)
		}
	}
	_, mark := value.(*ast.CompositeLit)
	return mark || !s.empty(value)
}

// mentionedFrom reports whether a function mentions a variable in the statement of a call, or behind it.
func (s *sharing) mentionedFrom(v *types.Var, call *ast.CallExpr) bool {
	found := false
	ast.Inspect(s.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			if n.Pos() <= call.Pos() && call.End() <= n.End() {
				found = found || s.mentionsVar(n, v)
			}
		case *ast.Ident:
			found = found || n.Pos() > call.Pos() && s.pkg.Info.Uses[n] == v
		}
		return !found
	})
	return found
}

func (s *sharing) mentionsVar(n ast.Node, v types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && s.pkg.Info.ObjectOf(id) == v {
			found = true
		}
		return !found
	})
	return found
}

// remembers reports whether a store behind a call keeps what that has returned, also when it has failed.
func (s *sharing) remembers(st store, call *ast.CallExpr, made *ast.AssignStmt) bool {
	if made == nil || s.succeeded(st, call) {
		return false
	}
	for _, lhs := range made.Lhs {
		id := Root(lhs)
		if id == nil || id.Name == "_" || isError(s.pkg.Info.TypeOf(lhs)) && len(made.Lhs) > 1 {
			continue
		}
		obj := s.pkg.Info.ObjectOf(id)
		if slices.ContainsFunc(st.values, func(e ast.Expr) bool { return s.mentionsVar(e, obj) }) {
			return true
		}
	}
	return false
}

// Root returns the identifier that an expression begins with: x of x.f[i].g; nil for none.
func Root(e ast.Expr) *ast.Ident {
	for {
		switch x := ast.Unparen(e).(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.StarExpr:
			e = x.X
		default:
			return nil
		}
	}
}

// succeeded reports whether the function stores only when the call has not failed: an error leaves the block in between, or the
// store is the other branch.
func (s *sharing) succeeded(st store, call *ast.CallExpr) bool {
	found := false
	ast.Inspect(s.decl.Body, func(n ast.Node) bool {
		check, ok := n.(*ast.IfStmt)
		if !ok || check.Cond.Pos() < call.Pos() || check.Pos() > st.node.Pos() {
			return !found
		}
		in := func(branch ast.Stmt) bool {
			return branch != nil && branch.Pos() <= st.node.Pos() && st.node.End() <= branch.End()
		}
		switch {
		case s.tests(check.Cond, token.NEQ):
			found = found || in(check.Else) || !in(check.Body) && s.flow.leaves(s.pkg.Info, check.Body.List)
		case s.tests(check.Cond, token.EQL):
			found = found || in(check.Body)
		}
		return !found
	})
	return found
}

// tests reports whether a condition compares an error with nil.
func (s *sharing) tests(cond ast.Expr, op token.Token) bool {
	found := false
	ast.Inspect(cond, func(n ast.Node) bool {
		if b, ok := n.(*ast.BinaryExpr); ok && b.Op == op && s.pkg.Info.Types[b.Y].IsNil() {
			found = found || isError(s.pkg.Info.TypeOf(b.X))
		}
		return !found
	})
	return found
}
