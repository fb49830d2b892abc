package plan

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An enclosing is a function, declared or literal, with its signature.
type enclosing struct {
	typ  *ast.FuncType
	body *ast.BlockStmt
	sig  *types.Signature
}

// enclosingFunction returns the innermost function around a node.
func (d *draft) enclosingFunction(f *program.File, pkg *program.Package, n ast.Node) *enclosing {
	for n = d.census.Parent(f, n); n != nil; n = d.census.Parent(f, n) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if fn, ok := pkg.Info.Defs[n.Name].(*types.Func); ok {
				return &enclosing{n.Type, n.Body, fn.Signature()}
			}
			return nil
		case *ast.FuncLit:
			if sig, ok := pkg.Info.TypeOf(n).(*types.Signature); ok {
				return &enclosing{n.Type, n.Body, sig}
			}
			return nil
		}
	}
	return nil
}

// own calls visit for the nodes of the function itself, those of literals in it left out.
func (fn *enclosing) own(visit func(ast.Node)) {
	ast.Inspect(fn.body, func(n ast.Node) bool {
		if _, lit := n.(*ast.FuncLit); lit {
			return false
		}
		if n != nil {
			visit(n)
		}
		return true
	})
}

// exit is what the function does when the value is absent.
func (rc *readCheck) exit(r *rules.UncheckedRead) (Text, error) {
	results := rc.fn.sig.Results()
	switch {
	case results.Len() > 0 && isError(results.At(results.Len()-1).Type()):
		return rc.returnError(r)
	case results.Len() == 0:
		if w, call := rc.answers(); w != "" {
			fun := rc.keep(rc.in.File, call.Fun)
			return Text{fun, Lit("(" + w + ", " + quote(rc.absence(r)) + ", "), Name("net/http", "http", "StatusInternalServerError"), Lit(")\n" + rc.indent + "\treturn")}, nil
		}
	}
	return nil, block("no-error-result", rc.in.File, r.Assert.Pos(), "the function has no way to report that the value is absent; return an error, or a second result that tells")
}

// returnError writes return with zero values and an error.
func (rc *readCheck) returnError(r *rules.UncheckedRead) (Text, error) {
	maker, err := rc.errorMaker(r)
	if err != nil {
		return nil, err
	}
	text := Text{Lit("return ")}
	i, last := 0, rc.fn.sig.Results().Len()-1
	for _, field := range rc.fn.typ.Results.List {
		for range max(1, len(field.Names)) {
			if i == last {
				break
			}
			zero, ok := rc.zero(rc.fn.sig.Results().At(i).Type(), field.Type)
			if !ok {
				return nil, block("no-error-result", rc.in.File, r.Assert.Pos(), "the zero value of result %s cannot be written here", types.ExprString(field.Type))
			}
			text = append(append(text, zero...), Lit(", "))
			i++
		}
	}
	return append(text, maker, Lit("("+quote(rc.absence(r))+")")), nil
}

// zero writes the zero value of a result type.
func (rc *readCheck) zero(t types.Type, e ast.Expr) (Text, bool) {
	if _, ok := types.Unalias(t).(*types.TypeParam); ok {
		if !rc.means(e) {
			return nil, false
		}
		return Text{Lit("*new("), rc.keep(rc.in.File, e), Lit(")")}, true
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		switch {
		case u.Info()&types.IsString != 0:
			return Text{Lit(`""`)}, true
		case u.Info()&types.IsBoolean != 0:
			return Text{Lit("false")}, true
		case u.Info()&types.IsNumeric != 0:
			return Text{Lit("0")}, true
		}
		return Text{Lit("nil")}, u.Kind() == types.UnsafePointer
	case *types.Struct, *types.Array:
		if !rc.means(e) {
			return nil, false
		}
		return Text{rc.keep(rc.in.File, e), Lit("{}")}, true
	}
	return Text{Lit("nil")}, true
}

// means reports whether the names in a type of the signature mean the same at the statement.
func (rc *readCheck) means(e ast.Expr) bool {
	same := true
	ast.Inspect(e, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			n = sel.X
		}
		if id, ok := n.(*ast.Ident); ok {
			obj := rc.in.Pkg.Info.Uses[id]
			same = same && obj != nil && rc.visible(id.Name) == obj
			return false
		}
		return true
	})
	return same
}

// visible returns what a name means at the statement.
func (rc *readCheck) visible(name string) types.Object {
	_, obj := rc.scope().LookupParent(name, rc.in.Stmt.Pos())
	return obj
}

// errorMaker finds the function that makes an error of a text: as this function does, else as its file
// does, else errors.New.
func (rc *readCheck) errorMaker(r *rules.UncheckedRead) (Part, error) {
	var own, other *types.Func
	var otherCall ast.Node
	rc.fn.own(func(n ast.Node) {
		ret, ok := n.(*ast.ReturnStmt)
		if !ok || len(ret.Results) != rc.fn.sig.Results().Len() {
			return
		}
		call, ok := ast.Unparen(ret.Results[len(ret.Results)-1]).(*ast.CallExpr)
		if !ok {
			return
		}
		fn := census.Callee(rc.in.Pkg.Info, call)
		switch {
		case fn == nil:
		case makesError(fn):
			if own == nil {
				own = fn
			}
		case rc.takesText(call) && other == nil:
			other, otherCall = fn, call
		}
	})
	if own == nil && other != nil {
		if own = sibling(other); own == nil {
			return Part{}, block("error-style", rc.in.File, otherCall.Pos(), "the function makes its errors with %s; which one absence deserves has to be decided", other.Name())
		}
	}
	if own == nil {
		own = rc.importedMaker()
	}
	if own == nil {
		return Name("errors", "errors", "New"), nil
	}
	return Name(own.Pkg().Path(), own.Pkg().Name(), own.Name()), nil
}

// makesError reports whether a function makes an error of a text: errors.New, fmt.Errorf and the like.
func makesError(fn *types.Func) bool {
	sig := fn.Signature()
	if sig.Recv() != nil || sig.TypeParams().Len() > 0 || sig.Results().Len() != 1 || !isError(sig.Results().At(0).Type()) || !fn.Exported() {
		return false
	}
	p := sig.Params()
	isText := func(i int) bool { return types.Identical(p.At(i).Type(), types.Typ[types.String]) }
	return p.Len() == 1 && isText(0) && !sig.Variadic() || p.Len() == 2 && isText(0) && sig.Variadic() && isAnySlice(p.At(1).Type())
}

func isAnySlice(t types.Type) bool {
	s, ok := t.(*types.Slice)
	return ok && types.IsInterface(s.Elem())
}

// takesText reports whether a call writes a text into the error that it makes: one of several words, or any
// beside an error that it wraps. Other calls are taken for ordinary functions that fail.
func (rc *readCheck) takesText(call *ast.CallExpr) bool {
	text, words, wraps := false, false, false
	for _, a := range call.Args {
		tv := rc.in.Pkg.Info.Types[a]
		if tv.Value != nil && tv.Value.Kind() == constant.String {
			text = true
			words = words || strings.Contains(constant.StringVal(tv.Value), " ")
		}
		wraps = wraps || tv.Type != nil && isError(tv.Type)
	}
	return words || text && wraps
}

// sibling returns the function that makes an error of a text alone in the package of one that wants more:
// New or Errorf beside Wrap.
func sibling(fn *types.Func) *types.Func {
	if fn.Pkg() == nil || fn.Signature().Recv() != nil {
		return nil
	}
	for _, name := range []string{"New", "Errorf"} {
		if s, ok := fn.Pkg().Scope().Lookup(name).(*types.Func); ok && makesError(s) {
			return s
		}
	}
	return nil
}

// importedMaker returns the function that makes errors in most places of the file, failing that the sibling of one
// that wraps them there; nil for a file that does neither.
func (rc *readCheck) importedMaker() *types.Func {
	counts := map[*types.Func]int{}
	var best, wraps *types.Func
	ast.Inspect(rc.in.File.AST, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		fn := census.Callee(rc.in.Pkg.Info, call)
		switch {
		case fn == nil || fn.Pkg() == nil || fn.Pkg() == rc.in.Pkg.Types:
		case makesError(fn) && rc.takesText(call):
			counts[fn]++
			if best == nil || counts[fn] > counts[best] {
				best = fn
			}
		case wraps == nil && isError(rc.in.Pkg.Info.TypeOf(call)):
			wraps = sibling(fn)
		}
		return true
	})
	if best == nil {
		return wraps
	}
	return best
}

// answers returns the response writer that the function answers with by http.Error, and such a call.
func (rc *readCheck) answers() (w string, call *ast.CallExpr) {
	params := rc.fn.sig.Params()
	rc.fn.own(func(n ast.Node) {
		c, ok := n.(*ast.CallExpr)
		if !ok || call != nil || len(c.Args) != 3 {
			return
		}
		fn := census.Callee(rc.in.Pkg.Info, c)
		id, isIdent := ast.Unparen(c.Args[0]).(*ast.Ident)
		if fn == nil || !isIdent || fn.FullName() != "net/http.Error" {
			return
		}
		for p := range params.Variables() {
			if rc.in.Pkg.Info.Uses[id] == p && rc.visible(id.Name) == p && rc.sameName(c.Fun) {
				w, call = id.Name, c
			}
		}
	})
	return w, call
}

// sameName reports whether the name that a function is called by means the same at the statement.
func (rc *readCheck) sameName(fun ast.Expr) bool { return rc.means(fun) }

// absence is the text of the error.
func (rc *readCheck) absence(r *rules.UncheckedRead) string {
	what := "value for the key"
	if base := rc.keyBase(r.Lookup); base != "" {
		what = plainWords(base)
	}
	return "no " + what + " in context"
}

// keyBase finds a stem for the value's name from the way the key is written: a constant or variable, an empty
// struct type, or a text.
func (rc *readCheck) keyBase(lk *census.Lookup) string {
	e := ast.Unparen(lk.Key)
	var named string
	switch e := e.(type) {
	case *ast.Ident:
		named = e.Name
	case *ast.SelectorExpr:
		named = e.Sel.Name
	case *ast.CompositeLit:
		if n, ok := types.Unalias(lk.Pkg.Info.TypeOf(e)).(*types.Named); ok && len(e.Elts) == 0 {
			named = n.Obj().Name()
		}
	}
	list := words(named)
	if b := baseName(named); b != "" && len(list) > 1 {
		return b
	}
	if v := lk.Pkg.Info.Types[e].Value; v != nil && v.Kind() == constant.String {
		if b := baseName(constant.StringVal(v)); b != "" {
			return b
		}
	}
	if b := baseName(named); len(named) > 2 && !token.IsKeyword(named) && !(len(list) == 1 && trimmable(named)) {
		return b
	}
	return ""
}

func quote(s string) string { return constant.MakeString(s).ExactString() }
