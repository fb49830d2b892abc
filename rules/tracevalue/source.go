package tracevalue

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A source says where a value comes from.
type source int

const (
	elsewhere   source = iota
	header             // a header that tracers exchange
	spanContext        // what a span says of itself
)

// source follows a stored value within its function.
func (t *tracer) source(l *library, lk *census.Lookup, value ast.Expr) source {
	var around ast.Node
	for n := t.census.Parent(lk.File, lk.Call); n != nil && around == nil; n = t.census.Parent(lk.File, n) {
		switch n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			around = n
		}
	}
	return follow(l, lk.Pkg, around, value, 0)
}

// follow looks at an expression, and at what is assigned to the variable that it names.
func follow(l *library, pkg *program.Package, around ast.Node, e ast.Expr, depth int) source {
	found := elsewhere
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if fn := census.Callee(pkg.Info, n); fn != nil && fn.Signature().Recv() != nil && l.of(fn.Pkg()) && l.of(typePackage(fn.Signature().Recv().Type())) && found == elsewhere {
				found = spanContext
			}
			if asksByName(pkg, n) && saysHeader(constant.StringVal(pkg.Info.Types[n.Args[0]].Value)) {
				found = header
			}
		case *ast.IndexExpr:
			if v := pkg.Info.Types[n.Index].Value; v != nil && v.Kind() == constant.String && saysHeader(constant.StringVal(v)) {
				found = header
			}
		}
		return found != header
	})
	id, ok := ast.Unparen(e).(*ast.Ident)
	if found != elsewhere || !ok || around == nil || depth > 3 {
		return found
	}
	v := pkg.Info.Uses[id]
	ast.Inspect(around, func(n ast.Node) bool {
		as, ok := n.(*ast.AssignStmt)
		if !ok || found != elsewhere || as.Pos() > e.Pos() {
			return true
		}
		for i, lhs := range as.Lhs {
			if name, ok := lhs.(*ast.Ident); ok && v != nil && (pkg.Info.Defs[name] == v || pkg.Info.Uses[name] == v) {
				rhs := as.Rhs[0]
				if len(as.Lhs) == len(as.Rhs) {
					rhs = as.Rhs[i]
				}
				found = follow(l, pkg, around, rhs, depth+1)
			}
		}
		return true
	})
	return found
}

// asksByName reports whether a call is one of a method that takes a name and nothing else, and returns texts: http.Header's Get, or a
// framework's GetHeader.
func asksByName(pkg *program.Package, call *ast.CallExpr) bool {
	fn := census.Callee(pkg.Info, call)
	if fn == nil || fn.Signature().Recv() == nil || len(call.Args) != 1 || fn.Signature().Results().Len() != 1 || !carriesID(fn.Signature().Results().At(0).Type()) {
		return false
	}
	v := pkg.Info.Types[call.Args[0]].Value
	return v != nil && v.Kind() == constant.String
}

func typePackage(t types.Type) *types.Package {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok {
		return n.Obj().Pkg()
	}
	return nil
}

// carriesID reports whether values of a type can be bare identifiers: texts or bytes. Spans, and what they say of
// themselves as a whole, may be kept aside for good reason.
func carriesID(t types.Type) bool {
	if t == nil {
		return false
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		return u.Info()&types.IsString != 0
	case *types.Slice:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && (b.Kind() == types.Byte || b.Info()&types.IsString != 0)
	case *types.Array:
		b, ok := u.Elem().Underlying().(*types.Basic)
		return ok && b.Kind() == types.Byte
	}
	return false
}

// lostSpans reports calls that return a context with a span, or with what a request says of one, whose
// result nobody uses.
func (t *tracer) lostSpans(pkg *program.Package, file *program.File) {
	l := t.library[pkg.Module]
	ast.Inspect(file.AST, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok || t.seen[n] || !returnsContext(l, census.Callee(pkg.Info, call)) {
			return true
		}
		if how := t.lost(pkg, file, call); how != "" {
			t.seen[n] = true
			t.finding(file, call, "the context that %s returns is %s: what follows knows nothing of the span", types.ExprString(call.Fun), how)
		}
		return true
	})
}

// returnsContext reports whether a function of the library does nothing but return another context.
func returnsContext(l *library, fn *types.Func) bool {
	if fn == nil || !l.of(fn.Pkg()) {
		return false
	}
	params, results := fn.Signature().Params(), fn.Signature().Results()
	return results.Len() == 1 && isContext(results.At(0).Type()) && params.Len() > 1 && isContext(params.At(0).Type())
}

// isContext reports whether t is context.Context.
func isContext(t types.Type) bool {
	n, ok := types.Unalias(t).(*types.Named)
	return ok && n.Obj().Name() == "Context" && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "context"
}

// lost says what becomes of a call's result when nobody uses it; "" when somebody does.
func (t *tracer) lost(pkg *program.Package, file *program.File, call *ast.CallExpr) string {
	parent, child := t.census.Outer(file, call)
	switch p := parent.(type) {
	case *ast.ExprStmt:
		return "dropped"
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if ast.Node(rhs) != child || len(p.Lhs) != len(p.Rhs) {
				continue
			}
			id, ok := p.Lhs[i].(*ast.Ident)
			if !ok {
				return ""
			}
			if id.Name == "_" {
				return "dropped"
			}
			return t.overwritten(pkg, file, p, id)
		}
	}
	return ""
}

// overwritten reports whether the statement after an assignment, in the same list, gives the variable another value
// without using this one.
func (t *tracer) overwritten(pkg *program.Package, file *program.File, as *ast.AssignStmt, id *ast.Ident) string {
	v := pkg.Info.Defs[id]
	if v == nil {
		v = pkg.Info.Uses[id]
	}
	block, ok := t.census.Parent(file, as).(*ast.BlockStmt)
	if !ok || v == nil {
		return ""
	}
	after := false
	for _, s := range block.List {
		if s == ast.Stmt(as) {
			after = true
			continue
		}
		if !after || !mentions(pkg, s, v) {
			continue
		}
		next, ok := s.(*ast.AssignStmt)
		if !ok || next.Tok != token.ASSIGN && next.Tok != token.DEFINE {
			return ""
		}
		assigns := false
		for _, lhs := range next.Lhs {
			if other, ok := lhs.(*ast.Ident); ok {
				assigns = assigns || pkg.Info.Uses[other] == v
			} else if mentions(pkg, lhs, v) {
				return ""
			}
		}
		for _, rhs := range next.Rhs {
			if mentions(pkg, rhs, v) {
				return ""
			}
		}
		if assigns {
			return "overwritten"
		}
		return ""
	}
	return ""
}

func mentions(pkg *program.Package, n ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && (pkg.Info.Uses[id] == obj || pkg.Info.Defs[id] == obj) {
			found = true
		}
		return !found
	})
	return found
}
