package callgraph

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
)

// flows looks at one node for values that change their static type.
func (w *walker) flows(n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		w.assignment(n.Lhs, n.Rhs)
	case *ast.ValueSpec:
		lhs := make([]ast.Expr, len(n.Names))
		for i, id := range n.Names {
			lhs[i] = id
		}
		w.assignment(lhs, n.Values)
	case *ast.ReturnStmt:
		w.returned(n)
	case *ast.CallExpr:
		w.arguments(n)
	case *ast.CompositeLit:
		w.literal(n)
	case *ast.SendStmt:
		if ch, ok := under(w.typeOf(n.Chan)).(*types.Chan); ok {
			w.assign(ch.Elem(), n.Value)
		}
	case *ast.RangeStmt:
		w.ranged(n)
	case *ast.BinaryExpr:
		if n.Op == token.EQL || n.Op == token.NEQ {
			w.compared(n.X, n.Y)
		}
	case *ast.SwitchStmt:
		if n.Tag != nil {
			for _, c := range n.Body.List {
				for _, e := range c.(*ast.CaseClause).List {
					w.compared(n.Tag, e)
				}
			}
		}
	case *ast.TypeSwitchStmt:
		w.typeSwitch(n)
	case *ast.TypeAssertExpr:
		if n.Type != nil {
			w.asserts(w.typeOf(n.X), n.Type)
		}
	case *ast.IndexExpr:
		if m, ok := under(w.typeOf(n.X)).(*types.Map); ok {
			w.assign(m.Key(), n.Index)
		}
	}
}

func (w *walker) typeOf(e ast.Expr) types.Type {
	if e == nil {
		return nil
	}
	return w.pkg.Info.TypeOf(e)
}

func under(t types.Type) types.Type {
	if t == nil {
		return nil
	}
	return t.Underlying()
}

// assign makes the value of an expression one of a type.
func (w *walker) assign(to types.Type, e ast.Expr) {
	if to == nil {
		return
	}
	if m := w.mention(e); m != nil && !m.ByMethod {
		f := w.funcOf(funcNamed(w.pkg.Info, e))
		if sig, ok := to.Underlying().(*types.Signature); ok {
			slot := w.funcOfType(sig)
			if slot.Kind == Foreign {
				if m.Slot == nil {
					m.Slot = slot
				}
				return
			}
			w.g.link(f, slot, w.file, e.Pos(), "becomes a value of")
			w.unify(to, w.typeOf(e), e.Pos())
			return
		}
	}
	w.unify(to, w.typeOf(e), e.Pos())
}

func (w *walker) assignment(lhs, rhs []ast.Expr) {
	if len(lhs) == len(rhs) {
		for i := range lhs {
			w.assign(w.leftType(lhs[i]), rhs[i])
		}
		return
	}
	if len(rhs) != 1 {
		return
	}
	if tuple, ok := w.typeOf(rhs[0]).(*types.Tuple); ok {
		for i := range min(len(lhs), tuple.Len()) {
			w.unify(w.leftType(lhs[i]), tuple.At(i).Type(), rhs[0].Pos())
		}
	}
}

// leftType returns the type of what is assigned to, nil for the blank identifier.
func (w *walker) leftType(e ast.Expr) types.Type {
	if id, ok := e.(*ast.Ident); ok {
		if obj := w.pkg.Info.ObjectOf(id); obj != nil {
			return obj.Type()
		}
		return nil
	}
	return w.typeOf(e)
}

func (w *walker) returned(n *ast.ReturnStmt) {
	f := w.enclosing()
	if f == nil || len(n.Results) == 0 {
		return
	}
	sig := w.signatureHere(f)
	if sig == nil {
		return
	}
	results := sig.Results()
	if len(n.Results) == results.Len() {
		for i, e := range n.Results {
			w.assign(results.At(i).Type(), e)
		}
		return
	}
	if tuple, ok := w.typeOf(n.Results[0]).(*types.Tuple); ok {
		for i := range min(tuple.Len(), results.Len()) {
			w.unify(results.At(i).Type(), tuple.At(i).Type(), n.Results[0].Pos())
		}
	}
}

// signatureHere returns a function's signature in the configuration in hand.
func (w *walker) signatureHere(f *Func) *types.Signature {
	if f.Decl != nil {
		if fn, ok := w.pkg.Info.Defs[f.Decl.Name].(*types.Func); ok {
			return fn.Signature()
		}
		return nil
	}
	sig, _ := w.typeOf(f.Lit).(*types.Signature)
	return sig
}

func (w *walker) arguments(call *ast.CallExpr) {
	fun := ast.Unparen(call.Fun)
	tv := w.pkg.Info.Types[fun]
	switch {
	case tv.IsType():
		if len(call.Args) == 1 {
			w.assign(tv.Type, call.Args[0])
		}
		return
	case tv.IsBuiltin():
		w.builtin(fun, call)
		return
	}
	sig, ok := under(tv.Type).(*types.Signature)
	if !ok {
		return
	}
	w.pass(sig, call)
}

// pass walks the arguments of a call.
func (w *walker) pass(sig *types.Signature, call *ast.CallExpr) {
	params := sig.Params()
	param := func(i int) types.Type {
		if sig.Variadic() && i >= params.Len()-1 && !call.Ellipsis.IsValid() {
			if s, ok := params.At(params.Len() - 1).Type().Underlying().(*types.Slice); ok {
				return s.Elem()
			}
			return nil
		}
		if i < params.Len() {
			return params.At(i).Type()
		}
		return nil
	}
	if len(call.Args) == 1 {
		if tuple, ok := w.typeOf(call.Args[0]).(*types.Tuple); ok {
			for i := range tuple.Len() {
				w.unify(param(i), tuple.At(i).Type(), call.Args[0].Pos())
			}
			return
		}
	}
	for i, arg := range call.Args {
		w.assign(param(i), arg)
	}
}

func (w *walker) builtin(fun ast.Expr, call *ast.CallExpr) {
	id := nameOf(fun)
	if id == nil || len(call.Args) == 0 {
		return
	}
	switch id.Name {
	case "append":
		if s, ok := under(w.typeOf(call)).(*types.Slice); ok {
			for _, arg := range call.Args[1:] {
				if call.Ellipsis.IsValid() {
					w.unify(w.typeOf(call), w.typeOf(arg), arg.Pos())
				} else {
					w.assign(s.Elem(), arg)
				}
			}
		}
	case "copy":
		if len(call.Args) == 2 {
			w.unify(w.typeOf(call.Args[0]), w.typeOf(call.Args[1]), call.Pos())
		}
	case "delete":
		if m, ok := under(w.typeOf(call.Args[0])).(*types.Map); ok && len(call.Args) == 2 {
			w.assign(m.Key(), call.Args[1])
		}
	case "panic":
		w.box(w.typeOf(call.Args[0]), call.Pos())
	}
}

func (w *walker) literal(n *ast.CompositeLit) {
	t := under(w.typeOf(n))
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
	}
	for i, e := range n.Elts {
		kv, keyed := e.(*ast.KeyValueExpr)
		switch t := t.(type) {
		case *types.Struct:
			if keyed {
				if id, ok := kv.Key.(*ast.Ident); ok {
					if v, ok := w.pkg.Info.Uses[id].(*types.Var); ok {
						w.assign(v.Type(), kv.Value)
					}
				}
			} else if i < t.NumFields() {
				w.assign(t.Field(i).Type(), e)
			}
		case *types.Map:
			if keyed {
				w.assign(t.Key(), kv.Key)
				w.assign(t.Elem(), kv.Value)
			}
		case *types.Slice:
			w.assign(t.Elem(), value(e))
		case *types.Array:
			w.assign(t.Elem(), value(e))
		}
	}
}

func value(e ast.Expr) ast.Expr {
	if kv, ok := e.(*ast.KeyValueExpr); ok {
		return kv.Value
	}
	return e
}

// ranged assigns what a range statement gives to variables that exist already.
func (w *walker) ranged(n *ast.RangeStmt) {
	if sig, ok := under(w.typeOf(n.X)).(*types.Signature); ok {
		w.iterated(n, sig)
	}
	if n.Tok != token.ASSIGN {
		return
	}
	var key, val types.Type
	switch t := under(w.typeOf(n.X)).(type) {
	case *types.Map:
		key, val = t.Key(), t.Elem()
	case *types.Slice:
		val = t.Elem()
	case *types.Array:
		val = t.Elem()
	case *types.Chan:
		key = t.Elem()
	case *types.Signature:
		if yield, ok := under(t.Params().At(0).Type()).(*types.Signature); ok {
			if p := yield.Params(); p.Len() > 0 {
				key = p.At(0).Type()
				if p.Len() > 1 {
					val = p.At(1).Type()
				}
			}
		}
	}
	if n.Key != nil {
		w.unify(w.leftType(n.Key), key, n.Key.Pos())
	}
	if n.Value != nil {
		w.unify(w.leftType(n.Value), val, n.Value.Pos())
	}
}

// iterated notes that the language decides about the parameters of a function that is ranged over, and of what it calls.
func (w *walker) iterated(n *ast.RangeStmt, sig *types.Signature) {
	f := w.funcOfType(sig)
	if m := w.mention(n.X); m != nil {
		f = w.funcOf(funcNamed(w.pkg.Info, n.X))
	}
	f.fix(w.file, n.X.Pos(), "is ranged over")
	if sig.Params().Len() == 1 {
		if yield, ok := under(sig.Params().At(0).Type()).(*types.Signature); ok {
			w.funcOfType(yield).fix(w.file, n.X.Pos(), "is what a function that is ranged over calls")
		}
	}
}

func (w *walker) compared(x, y ast.Expr) {
	tx, ty := w.typeOf(x), w.typeOf(y)
	if tx == nil || ty == nil {
		return
	}
	if types.IsInterface(tx) && !types.IsInterface(ty) {
		w.unify(tx, ty, y.Pos())
	} else if types.IsInterface(ty) {
		w.unify(ty, tx, x.Pos())
	}
}

func (w *walker) typeSwitch(n *ast.TypeSwitchStmt) {
	var x ast.Expr
	ast.Inspect(n.Assign, func(m ast.Node) bool {
		if ta, ok := m.(*ast.TypeAssertExpr); ok && x == nil {
			x = ta.X
		}
		return x == nil
	})
	for _, c := range n.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			w.asserts(w.typeOf(x), e)
		}
	}
}

// asserts walks x.(T): a concrete T implements the type of x; a value that implements an interface T may be in x.
func (w *walker) asserts(x types.Type, t ast.Expr) {
	to := w.typeOf(t)
	if to == nil || x == nil {
		return
	}
	iface, ok := to.Underlying().(*types.Interface)
	if !ok {
		w.unify(x, to, t.Pos())
		return
	}
	w.asserted = append(w.asserted, &assertion{iface, place{w.file, t.Pos()}})
	w.unify(to, x, t.Pos())
}

// instances links type arguments with their constraints.
func (w *walker) instances(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return n == root
		case *ast.FuncLit:
			return n == root
		case *ast.Ident:
			inst, ok := w.pkg.Info.Instances[n]
			if !ok {
				return true
			}
			var params *types.TypeParamList
			switch obj := w.pkg.Info.Uses[n].(type) {
			case *types.Func:
				params = obj.Signature().TypeParams()
			case *types.TypeName:
				if named, ok := obj.Type().(*types.Named); ok {
					params = named.TypeParams()
				} else if alias, ok := obj.Type().(*types.Alias); ok {
					params = alias.TypeParams()
				}
			}
			for i := range min(params.Len(), inst.TypeArgs.Len()) {
				w.argument(params.At(i), inst.TypeArgs.At(i), n.Pos())
			}
			w.sameInstance(w.pkg.Info.Uses[n], inst.TypeArgs, n.Pos())
		}
		return true
	})
}

// sameInstance walks interfaces that are written out as type arguments, and those of the same instance at another place in the package: the type
// checker makes one instance for all of them, whose methods are those of the first. Function types that happen to be the same are left
// apart: what they have in common is seldom more than that, and all that would change is refused when it does not compile.
func (w *walker) sameInstance(of types.Object, args *types.TypeList, pos token.Pos) {
	key := instanceIn{w.pkg, of}
	if !slices.ContainsFunc(slices.Collect(args.Types()), writtenOut) {
		return
	}
	for _, other := range w.instanceArgs[key] {
		same := other.Len() == args.Len()
		for i := 0; same && i < args.Len(); i++ {
			same = types.Identical(other.At(i), args.At(i))
		}
		if same {
			for i := range args.Len() {
				w.unify(other.At(i), args.At(i), pos)
			}
			return
		}
	}
	w.instanceArgs[key] = append(w.instanceArgs[key], args)
}

// writtenOut reports whether a type is an interface with methods that has no name, or made of one.
func writtenOut(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case *types.Interface:
		return t.NumMethods() > 0
	case interface{ Elem() types.Type }: // pointers, lists, maps and channels
		return writtenOut(t.Elem())
	}
	return false
}

// argument walks a type argument and the constraint that it satisfies.
func (w *walker) argument(p *types.TypeParam, arg types.Type, pos token.Pos) {
	iface, ok := p.Constraint().Underlying().(*types.Interface)
	if !ok {
		return
	}
	if iface.NumMethods() > 0 {
		w.implements(iface, arg, pos)
	}
	if !iface.IsMethodSet() {
		if sig, ok := arg.Underlying().(*types.Signature); ok {
			w.funcOfType(sig).fix(w.file, pos, "is a type argument for a set of types")
		}
	}
}
