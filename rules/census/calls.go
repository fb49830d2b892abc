package census

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An argument is what a function's callers pass: a parameter by index, or the receiver.
type argument struct {
	index    int
	variadic bool
	want     string     // the part of the value, as in ref
	recv     types.Type // of the method that is asked about, when calls go through an interface
}

// callArgs adds the arguments that calls of fn pass for parameter i, calls through
// interfaces that the method's type implements included. Uses of fn as a value,
// where its calls cannot be followed, are unknown.
func (ix *index) callArgs(fn *types.Func, a argument, s *sources, seen map[*types.Func]bool) {
	fn = ix.repFunc(fn)
	if seen[fn] {
		return
	}
	seen[fn] = true
	if recv := fn.Signature().Recv(); recv != nil && a.recv == nil {
		a.recv = recv.Type()
	}
	for _, u := range ix.usesOf(fn) {
		ix.callArgAt(fn, u, a, s)
	}
	recv := fn.Signature().Recv()
	if recv == nil && fn.Pkg() != nil && ix.linked[mentionedName{fn.Pkg().Path(), fn.Name()}] {
		s.unknown = append(s.unknown, Unknown{File: ix.prog.FileOf(fn.Pos()), Pos: fn.Pos(), Why: "comes from code that a directive links to " + fn.Name()})
	}
	if recv == nil || isInterfaceMethod(fn) {
		return
	}
	if asks := ix.foreignInterface(fn); asks != "" {
		s.unknown = append(s.unknown, Unknown{File: ix.prog.FileOf(fn.Pos()), Pos: fn.Pos(), Why: "comes from callers in package " + asks + ", whose interface the method implements"})
	}
	for _, im := range ix.ifaceMethods[fn.Name()] {
		if ix.lands(fn, im) {
			ix.callArgs(im, a, s, seen)
		}
	}
}

// foreignInterface returns the path of a package outside the world with an interface that a method of the world
// implements and whose code, not having been read, may call it; "" for none.
func (ix *index) foreignInterface(fn *types.Func) string {
	if p := ix.cfg.Package(fn.Pkg().Path()); p == nil || !p.World {
		return ""
	}
	for _, m := range ix.foreignMethods()[fn.Name()] {
		if ix.lands(fn, m.fn) {
			return m.pkgPath
		}
	}
	return ""
}

// A foreignMethod is a method of an interface of a package outside the world.
type foreignMethod struct {
	fn      *types.Func
	pkgPath string
}

// foreignMethods lists the methods of interfaces of packages outside the world whose code was not read, by name.
func (ix *index) foreignMethods() map[string][]foreignMethod {
	if ix.foreign != nil {
		return ix.foreign
	}
	ix.foreign = map[string][]foreignMethod{}
	for _, pkg := range ix.cfg.Packages {
		if pkg.World || pkg.Types == nil || pkg.Bodies && !pkg.Partial || ix.twice[pkg.Path] {
			continue
		}
		for _, name := range pkg.Types.Scope().Names() {
			tn, ok := pkg.Types.Scope().Lookup(name).(*types.TypeName)
			if !ok {
				continue
			}
			if iface, ok := tn.Type().Underlying().(*types.Interface); ok {
				for m := range iface.Methods() {
					ix.foreign[m.Name()] = append(ix.foreign[m.Name()], foreignMethod{m, pkg.Path})
				}
			}
		}
	}
	return ix.foreign
}

// lands reports whether a call through the interface method im may end in the method fn: its type
// implements the interface, or is embedded in a type that may.
func (ix *index) lands(fn, im *types.Func) bool {
	recv := fn.Signature().Recv().Type()
	if implementsMethod(recv, im) {
		return true
	}
	named, ok := types.Unalias(deref(recv)).(*types.Named)
	return ok && types.Identical(withoutReceiver(fn), withoutReceiver(im)) && ix.embedderImplements(named.Obj(), im, map[*types.TypeName]bool{})
}

// embedderImplements reports whether a type that embeds another, directly or not, implements the interface of im.
func (ix *index) embedderImplements(inner *types.TypeName, im *types.Func, seen map[*types.TypeName]bool) bool {
	for _, by := range ix.embedders[inner] {
		if by == nil {
			return true // a type without a name: its methods are not worked out
		}
		if seen[by] {
			continue
		}
		seen[by] = true
		if implementsMethod(by.Type(), im) || ix.embedderImplements(by, im, seen) {
			return true
		}
	}
	return false
}

func withoutReceiver(fn *types.Func) *types.Signature {
	sig := fn.Signature()
	return types.NewSignatureType(nil, nil, nil, sig.Params(), sig.Results(), sig.Variadic())
}

// implementsMethod reports whether a method call through the interface method im may
// land on a value of type recv.
func implementsMethod(recv types.Type, im *types.Func) bool {
	iface, _ := im.Signature().Recv().Type().Underlying().(*types.Interface)
	if iface == nil {
		return false
	}
	if named, ok := types.Unalias(im.Signature().Recv().Type()).(*types.Named); ok && named.TypeParams().Len() > 0 {
		return hasMethodsLike(recv, iface) // the types of parameters may be anything
	}
	if named, ok := types.Unalias(deref(recv)).(*types.Named); ok && named.TypeParams().Len() > 0 {
		// Instantiations are not at hand: equal method names are enough to be careful.
		return true
	}
	return types.Implements(recv, iface) || types.Implements(types.NewPointer(deref(recv)), iface)
}

// hasMethodsLike reports whether a type has methods of the names of an interface's, with as many parameters and results.
func hasMethodsLike(recv types.Type, iface *types.Interface) bool {
	ms := types.NewMethodSet(types.NewPointer(deref(recv)))
	for m := range iface.Methods() {
		have := ms.Lookup(m.Pkg(), m.Name())
		if have == nil {
			return false
		}
		sig, ok := have.Type().(*types.Signature)
		if !ok || sig.Params().Len() != m.Signature().Params().Len() || sig.Results().Len() != m.Signature().Results().Len() {
			return false
		}
	}
	return true
}

// callArgAt looks at one mention of fn.
func (ix *index) callArgAt(fn *types.Func, u use, a argument, src *sources) {
	i, variadic, want := a.index, a.variadic, a.want
	id := u.node.(*ast.Ident)
	var node ast.Node = id
	parent := ix.parent(u.file, id)
	if decl, ok := parent.(*ast.FuncDecl); ok && decl.Name == id {
		return
	}
	if _, ok := parent.(*ast.Field); ok {
		return // a method of an interface type, declared
	}
	if sel, ok := parent.(*ast.SelectorExpr); ok && sel.Sel == id {
		node = sel
		if s := u.pkg.Info.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			i++
		} else if i == receiver {
			ix.receiverOf(sel, s, u, a, src)
			return
		}
	}
	if i == receiver {
		return // the method's name in an interface type
	}
	parent, child := ix.outer(u.file, node)
	switch p := parent.(type) {
	case *ast.IndexExpr:
		if p.X == child {
			parent, child = ix.outer(u.file, p)
		}
	case *ast.IndexListExpr:
		if p.X == child {
			parent, child = ix.outer(u.file, p)
		}
	}
	if call, ok := parent.(*ast.CallExpr); ok && call.Fun == child {
		argOf(call, u, i, variadic, want, src)
		return
	}
	if v := ix.soleName(u, parent, child); v != nil {
		ix.valueCalls(v, u.file, i, variadic, want, src)
		return
	}
	src.lose(u.file, id.Pos(), "reaches %s, which is used as a function value", fn.Name())
}

// receiverOf adds what a method is called on, or bound to, as far as it has the method's own type.
func (ix *index) receiverOf(sel *ast.SelectorExpr, s *types.Selection, u use, a argument, src *sources) {
	if s == nil || len(s.Index()) > 1 {
		src.lose(u.file, sel.Pos(), "is the receiver of a promoted method")
		return
	}
	r := ref{expr: sel.X, file: u.file, pkg: u.pkg, want: a.want, arg: true}
	if t := r.typ(); t != nil && carrierType(t) {
		r.only, r.depth = a.recv, len(a.want)
	}
	src.add(r)
}

// argOf adds the argument a call passes for parameter i.
func argOf(call *ast.CallExpr, u use, i int, variadic bool, want string, s *sources) {
	at := func(e ast.Expr, w string) {
		s.add(ref{expr: e, file: u.file, pkg: u.pkg, want: w, arg: true})
	}
	if len(call.Args) == 1 && i >= 0 {
		if t, ok := u.pkg.Info.TypeOf(call.Args[0]).(*types.Tuple); ok && t.Len() > 1 {
			s.lose(u.file, call.Pos(), "is one of several results passed on at once")
			return
		}
	}
	switch {
	case !variadic:
		if i < len(call.Args) {
			at(call.Args[i], want)
		}
	case call.Ellipsis.IsValid():
		if i < len(call.Args) {
			at(call.Args[i], want)
		}
	case want != "" && want[0] == 'e':
		for _, a := range call.Args[min(i, len(call.Args)):] {
			at(a, want[1:])
		}
	}
}

// soleName returns the local variable that a function value is bound to once and for all.
func (ix *index) soleName(u use, parent ast.Node, child ast.Node) *types.Var {
	var id *ast.Ident
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if rhs == child && len(p.Lhs) == len(p.Rhs) {
				id, _ = p.Lhs[i].(*ast.Ident)
			}
		}
	case *ast.ValueSpec:
		for i, rhs := range p.Values {
			if rhs == child && len(p.Names) == len(p.Values) {
				id = p.Names[i]
			}
		}
	}
	if id == nil {
		return nil
	}
	obj := u.pkg.Info.Defs[id]
	if obj == nil {
		obj = u.pkg.Info.Uses[id]
	}
	v, ok := obj.(*types.Var)
	if !ok || v.IsField() || id.Name == "_" {
		return nil
	}
	if v.Parent() == v.Pkg().Scope() && v.Exported() && u.pkg.World {
		return nil // importers may assign it
	}
	in := ix.inflow(v, "")
	if len(in.refs) != 1 || len(in.unknown) > 0 {
		return nil
	}
	return v
}

// valueCalls adds the arguments of calls through a variable that holds a function.
func (ix *index) valueCalls(v *types.Var, f *program.File, i int, variadic bool, want string, s *sources) {
	for _, u := range ix.usesOf(v) {
		id := u.node.(*ast.Ident)
		if u.pkg.Info.Defs[id] != nil {
			continue
		}
		parent, child := ix.outer(u.file, ix.nameExpr(u.file, id))
		switch p := parent.(type) {
		case *ast.BinaryExpr: // compared with nil
			continue
		case *ast.CallExpr:
			if p.Fun == child {
				argOf(p, u, i, variadic, want, s)
				continue
			}
		case *ast.AssignStmt:
			if len(p.Lhs) > 0 && containsExpr(p.Lhs, child) {
				continue
			}
		}
		s.lose(u.file, id.Pos(), "reaches %s, a function value that is handed on", v.Name())
	}
}

func containsExpr(list []ast.Expr, n ast.Node) bool {
	for _, e := range list {
		if ast.Node(e) == n {
			return true
		}
	}
	return false
}

// litArgs adds what is passed to a parameter of a function literal: when it is called on the
// spot, bound to one variable, or handed to a function whose body calls its parameter.
func (ix *index) litArgs(p funcParam, want string, s *sources) {
	u := use{p.lit, p.file, p.pkg}
	parent, child := ix.outer(p.file, p.lit)
	if call, ok := parent.(*ast.CallExpr); ok {
		if call.Fun == child {
			argOf(call, u, p.index, p.variadic, want, s)
			return
		}
		fn := Callee(p.pkg.Info, call)
		for i, a := range call.Args {
			if ast.Node(a) != child || fn == nil {
				continue
			}
			if v := ix.paramVar(fn, i); v != nil {
				ix.valueCalls(v, p.file, p.index, p.variadic, want, s)
				return
			}
		}
	}
	if v := ix.soleName(u, parent, child); v != nil {
		ix.valueCalls(v, p.file, p.index, p.variadic, want, s)
		return
	}
	s.lose(p.file, p.lit.Pos(), "is a parameter of a function literal whose calls cannot be followed")
}
