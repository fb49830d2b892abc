package plan

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// isRequestCopy reports whether a call makes a copy of a request that carries another context.
func isRequestCopy(pkg *program.Package, call *ast.CallExpr) bool {
	fn := census.Callee(pkg.Info, call)
	return fn != nil && fn.FullName() == "(*net/http.Request).WithContext"
}

// blind reports whether a use of what keeps the context of a row does not look at that context: a field or method of
// a request other than those about its context, a method of a framework's context that takes and returns basic values only.
func (jp *joinPlan) blind(st *joinStep, u census.Use) bool {
	if st.assign != nil {
		return false
	}
	var e ast.Expr = u.Ident
	for {
		sel, ok := jp.selectorOf(u, e)
		if !ok {
			return false
		}
		if isRequest(u.Pkg.Info.TypeOf(e)) {
			return !aboutContext(sel.Sel.Name)
		}
		s := u.Pkg.Info.Selections[sel]
		if s == nil {
			return false
		}
		call, _ := jp.census.Parent(u.File, sel).(*ast.CallExpr)
		called := call != nil && ast.Unparen(call.Fun) == ast.Expr(sel)
		switch {
		case s.Kind() == types.FieldVal && (isRequest(s.Type()) || onlyPath(st.keeping.Path, sel, u)):
			e = sel
		case s.Kind() == types.FieldVal:
			return !isContextType(s.Type())
		case !called:
			return false
		case isRequest(u.Pkg.Info.TypeOf(call)):
			e = call
		default:
			return jp.basicMethod(s.Obj().(*types.Func))
		}
	}
}

// selectorOf returns the selector whose operand an expression is.
func (jp *joinPlan) selectorOf(u census.Use, e ast.Expr) (*ast.SelectorExpr, bool) {
	parent, child := jp.census.Outer(u.File, e)
	sel, ok := parent.(*ast.SelectorExpr)
	return sel, ok && ast.Node(sel.X) == child
}

// onlyPath reports whether a selector is a part of the path to where the context is kept.
func onlyPath(path string, sel *ast.SelectorExpr, u census.Use) bool {
	text := types.ExprString(sel)
	return len(path) > len(text) && path[:len(text)] == text && path[len(text)] == '.'
}

func isRequest(t types.Type) bool {
	p, ok := types.Unalias(t).(*types.Pointer)
	if !ok {
		return false
	}
	named, ok := types.Unalias(p.Elem()).(*types.Named)
	return ok && named.Obj().Name() == "Request" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "net/http"
}

// aboutContext reports whether a method of a request has to do with its context.
func aboutContext(method string) bool {
	return method == "Context" || method == "WithContext" || method == "Clone"
}

// basicMethod reports whether a method outside the program answers or keeps something by basic values: it has no means to get
// at what a context carries under keys that are not of a basic type, and runs no handlers.
func (jp *joinPlan) basicMethod(fn *types.Func) bool {
	if jp.packageOf(fn) != nil || fn.Name() == "Value" {
		return false
	}
	sig := fn.Signature()
	for v := range sig.Params().Variables() {
		t := v.Type()
		if sl, ok := t.(*types.Slice); ok && sig.Variadic() {
			t = sl.Elem()
		}
		if !basicOrAny(t) {
			return false
		}
	}
	answers := false
	for v := range sig.Results().Variables() {
		b, ok := v.Type().Underlying().(*types.Basic)
		answers = answers || ok && b.Kind() != types.Invalid
		if !ok && !types.Identical(v.Type(), types.Universe.Lookup("error").Type()) {
			return false
		}
	}
	return answers || sig.Params().Len() > 1 && sig.Results().Len() == 0 // Set(name, value)
}

func basicOrAny(t types.Type) bool {
	if i, ok := t.Underlying().(*types.Interface); ok {
		return i.Empty()
	}
	_, ok := t.Underlying().(*types.Basic)
	return ok
}

// returnIn returns a return statement among statements, outside function literals.
func returnIn(list []ast.Stmt) (found ast.Node) {
	for _, s := range list {
		ast.Inspect(s, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncLit:
				return false
			case *ast.ReturnStmt:
				found = n
			}
			return found == nil
		})
	}
	return found
}
