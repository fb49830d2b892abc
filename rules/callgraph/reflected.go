package callgraph

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A reflection is a place that finds methods when the program runs, with the types whose methods it can find.
type reflection struct {
	at *Fixed
	// types are the types of the values that come to the place within the world; interfaces stand for all that implements them.
	types []types.Type
	// every is set when that could not be followed: any type is possible.
	every bool
	// outside is set when importers can hand it values as well.
	outside bool
	// several is set when types may belong to several configurations, and cannot be compared.
	several bool
}

// finds reports whether the place can find a method. With importers set, importers are taken into account.
func (r *reflection) finds(f *Func, importers bool) bool {
	if r.every {
		return true
	}
	for _, t := range r.types {
		if types.IsInterface(t) {
			i, ok := t.Underlying().(*types.Interface)
			if !ok || r.several || slices.ContainsFunc(f.BoxedTypes, func(b types.Type) bool { return types.Implements(b, i) || types.Implements(types.NewPointer(b), i) }) {
				return true
			}
			continue
		}
		obj, _, _ := types.LookupFieldOrMethod(t, true, f.Pkg.Types, f.Object.Name())
		if fn, ok := obj.(*types.Func); ok && fn.Origin().Pos() == f.Object.Pos() {
			return true
		}
	}
	return importers && r.outside && importable(f.Pkg) && receiverExported(f.Object)
}

// importable reports whether other modules can import a package.
func importable(pkg *program.Package) bool {
	return pkg.Name != "main" && !slices.Contains(strings.Split(pkg.Path, "/"), "internal")
}

// receiverExported reports whether the type that a method belongs to is exported.
func receiverExported(fn *types.Func) bool {
	t := fn.Signature().Recv().Type()
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	named, ok := types.Unalias(t).(*types.Named)
	return !ok || named.Obj().Exported()
}

// A stored is an expression that a variable or field gets; nil where it is not known what it gets.
type stored struct {
	pkg  *program.Package
	expr ast.Expr
}

// A paramOf is a parameter of a declared function.
type paramOf struct {
	fn *types.Func
	i  int
}

// stores are what the variables and fields of one configuration get which can hold values of any type, or what reflection knows
// about one.
type stores struct {
	of     map[types.Object][]stored
	params map[types.Object]paramOf
}

func collectStores(cfg *program.Config) *stores {
	s := &stores{map[types.Object][]stored{}, map[types.Object]paramOf{}}
	for _, pkg := range cfg.Packages {
		if !pkg.World || pkg.Info == nil {
			continue
		}
		for _, file := range pkg.Files {
			if file.AST != nil {
				ast.Inspect(file.AST, func(n ast.Node) bool {
					s.node(pkg, n)
					return true
				})
			}
		}
	}
	return s
}

func (s *stores) node(pkg *program.Package, n ast.Node) {
	switch n := n.(type) {
	case *ast.AssignStmt:
		s.assign(pkg, n.Lhs, n.Rhs)
	case *ast.ValueSpec:
		if len(n.Values) > 0 {
			var names []ast.Expr
			for _, id := range n.Names {
				names = append(names, id)
			}
			s.assign(pkg, names, n.Values)
		}
	case *ast.RangeStmt:
		s.assign(pkg, []ast.Expr{n.Key, n.Value}, nil)
	case *ast.UnaryExpr:
		if n.Op == token.AND {
			s.assign(pkg, []ast.Expr{n.X}, nil) // it may be set through the pointer
		}
	case *ast.TypeSwitchStmt:
		for _, c := range n.Body.List {
			if obj := pkg.Info.Implicits[c]; obj != nil {
				s.of[obj] = append(s.of[obj], stored{pkg, nil})
			}
		}
	case *ast.CompositeLit:
		s.fields(pkg, n)
	case *ast.FuncDecl:
		if fn, ok := pkg.Info.Defs[n.Name].(*types.Func); ok {
			for i := range fn.Signature().Params().Len() {
				s.params[fn.Signature().Params().At(i)] = paramOf{fn, i}
			}
		}
	}
}

func (s *stores) assign(pkg *program.Package, to, from []ast.Expr) {
	for i, e := range to {
		var id *ast.Ident
		switch e := e.(type) {
		case nil:
			continue
		case *ast.Ident:
			id = e
		case *ast.SelectorExpr:
			id = e.Sel
		default:
			continue
		}
		obj, ok := pkg.Info.ObjectOf(id).(*types.Var)
		if !ok || !holdsAny(obj.Type()) {
			continue
		}
		var value ast.Expr
		if len(from) == len(to) {
			value = from[i]
		}
		s.of[obj.Origin()] = append(s.of[obj.Origin()], stored{pkg, value})
	}
}

func (s *stores) fields(pkg *program.Package, lit *ast.CompositeLit) {
	t := pkg.Info.TypeOf(lit)
	if t == nil {
		return
	}
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok {
		return
	}
	for i, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok {
			s.assign(pkg, []ast.Expr{kv.Key}, []ast.Expr{kv.Value})
		} else if i < st.NumFields() && holdsAny(st.Field(i).Type()) {
			field := st.Field(i).Origin()
			s.of[field] = append(s.of[field], stored{pkg, e})
		}
	}
}

// holdsAny reports whether a variable of a type can hold values of several types, or what reflection knows about one.
func holdsAny(t types.Type) bool {
	return types.IsInterface(t) || isReflect(t)
}

func isReflect(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "reflect"
}

// A follower finds the types of the values that come to a place.
type follower struct {
	g      *Graph
	stores *stores
	seen   map[types.Object]bool
	out    *reflection
}

// mirror follows an expression that reflection knows a type or value by.
func (w *follower) mirror(pkg *program.Package, e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		w.object(pkg.Info.ObjectOf(e), w.mirror)
	case *ast.SelectorExpr:
		w.object(pkg.Info.ObjectOf(e.Sel), w.mirror)
	case *ast.CallExpr:
		w.mirrorCall(pkg, e)
	default:
		w.out.every = true
	}
}

func (w *follower) mirrorCall(pkg *program.Package, call *ast.CallExpr) {
	fn := funcNamed(pkg.Info, call.Fun)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() != "reflect" {
		w.out.every = true
		return
	}
	sel, isMethod := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	switch {
	case fn.Signature().Recv() == nil && len(call.Args) == 1 && (fn.Name() == "TypeOf" || fn.Name() == "ValueOf"):
		w.value(pkg, call.Args[0])
	case fn.Signature().Recv() == nil && len(call.Args) == 1 && (fn.Name() == "PointerTo" || fn.Name() == "PtrTo" || fn.Name() == "Indirect" || fn.Name() == "New"):
		w.mirror(pkg, call.Args[0])
	case fn.Name() == "TypeFor":
		w.typeFor(pkg, call)
	case isMethod && fn.Signature().Recv() != nil && (fn.Name() == "Elem" || fn.Name() == "Type" || fn.Name() == "Addr"):
		w.mirror(pkg, sel.X)
	default:
		w.out.every = true
	}
}

// typeFor notes the type argument of reflect.TypeFor.
func (w *follower) typeFor(pkg *program.Package, call *ast.CallExpr) {
	if ix, ok := ast.Unparen(call.Fun).(*ast.IndexExpr); ok {
		w.add(pkg.Info.TypeOf(ix.Index))
		return
	}
	w.out.every = true
}

// value follows an expression to the types that it can have.
func (w *follower) value(pkg *program.Package, e ast.Expr) {
	e = ast.Unparen(e)
	tv := pkg.Info.Types[e]
	if tv.IsNil() {
		return
	}
	t := pkg.Info.TypeOf(e)
	if t == nil {
		w.out.every = true
		return
	}
	if !types.IsInterface(t) {
		w.add(t)
		return
	}
	switch x := e.(type) {
	case *ast.Ident:
		w.object(pkg.Info.ObjectOf(x), w.value)
		return
	case *ast.SelectorExpr:
		w.object(pkg.Info.ObjectOf(x.Sel), w.value)
		return
	case *ast.CallExpr:
		if pkg.Info.Types[x.Fun].IsType() && len(x.Args) == 1 {
			w.value(pkg, x.Args[0])
			return
		}
	}
	w.add(t)
}

// add notes a type, and what a value of it leads to.
func (w *follower) add(t types.Type) {
	if t == nil { // in code that does not compile
		w.out.every = true
		return
	}
	if slices.ContainsFunc(w.out.types, func(have types.Type) bool { return types.Identical(have, t) }) {
		return
	}
	if _, isParam := types.Unalias(t).(*types.TypeParam); isParam {
		w.out.every = true
		return
	}
	w.out.types = append(w.out.types, t)
	switch u := t.Underlying().(type) {
	case *types.Interface:
		if u.NumMethods() == 0 {
			w.out.every = true
		}
	case *types.Pointer:
		w.add(u.Elem())
	case *types.Slice:
		w.add(u.Elem())
	case *types.Array:
		w.add(u.Elem())
	case *types.Map:
		w.add(u.Elem())
	case *types.Chan:
		w.add(u.Elem())
	}
}

// object follows a variable, field or parameter to what it gets.
func (w *follower) object(obj types.Object, follow func(*program.Package, ast.Expr)) {
	v, ok := obj.(*types.Var)
	if !ok {
		w.out.every = true
		return
	}
	v = v.Origin()
	if w.seen[v] {
		return
	}
	w.seen[v] = true
	known := v.Kind() == types.PackageVar && !v.Exported() || v.Kind() == types.LocalVar || v.IsField() && !v.Exported()
	for _, s := range w.stores.of[v] {
		if s.expr == nil {
			w.out.every = true
			return
		}
		follow(s.pkg, s.expr)
	}
	if p, isParam := w.stores.params[v]; isParam {
		w.param(p, follow)
	} else if !known {
		w.out.every = true
	}
}

// param follows a parameter to the arguments of all calls.
func (w *follower) param(p paramOf, follow func(*program.Package, ast.Expr)) {
	f := w.g.FuncOf(p.fn)
	if f == nil || p.fn.Signature().Variadic() && p.i == p.fn.Signature().Params().Len()-1 {
		w.out.every = true
		return
	}
	if p.fn.Exported() && importable(f.Pkg) && !f.File.Test {
		w.out.outside = true
	}
	tied := []*Func{f}
	for i := 0; i < len(tied); i++ {
		if tied[i].Kind == Foreign {
			w.out.every = true // code elsewhere calls it
			return
		}
		for _, l := range tied[i].Links {
			if !slices.Contains(tied, l.To) {
				tied = append(tied, l.To)
			}
		}
	}
	for _, t := range tied {
		for _, call := range t.Calls {
			i := p.i
			if call.ByMethod {
				i++
			}
			if len(call.Expr.Args) <= i || spreads(call) {
				w.out.every = true
				return
			}
			follow(call.Pkg, call.Expr.Args[i])
		}
	}
}

// spreads reports whether a call gets all its arguments from another one.
func spreads(call *Call) bool {
	if len(call.Expr.Args) != 1 {
		return false
	}
	_, ok := call.Pkg.Info.TypeOf(call.Expr.Args[0]).(*types.Tuple)
	return ok
}
