package plan

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
)

// findAccessors looks in the home package for functions that are accessors of the keys already: exported,
// in an ordinary file, with nothing in their body but the look-up. Sites elsewhere use them.
func (kp *keyPlan) findAccessors() {
	if kp.home.pkg == nil || kp.home.name == "main" {
		return
	}
	for _, s := range kp.spots {
		if s.lookup == nil || s.key == nil || s.Pkg.Path != kp.home.path || s.File.Test || !kp.everywhere(s.File) {
			continue
		}
		decl := kp.enclosingFunc(s)
		if decl == nil || decl.Recv != nil || !decl.Name.IsExported() || decl.Type.TypeParams != nil {
			continue
		}
		fn, ok := s.Pkg.Info.Defs[decl.Name].(*types.Func)
		if !ok || !isContextType(firstParam(fn)) {
			continue
		}
		if a := kp.accessorShape(s.lookup, decl, fn); a != nil {
			s.accessor = true
			if n := kp.keys[s.key]; n.have[a.kind] == nil {
				n.have[a.kind] = a
			}
		}
	}
}

// A haveAccessor is a function of the home package that serves as an accessor.
type haveAccessor struct {
	kind  AccessorKind
	name  string
	value types.Type // what With takes, From and Must return; nil for Any
}

func firstParam(fn *types.Func) types.Type {
	if p := fn.Signature().Params(); p.Len() > 0 {
		return p.At(0).Type()
	}
	return nil
}

// isContextType reports whether t is context.Context.
func isContextType(t types.Type) bool {
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Context" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context"
}

// enclosingFunc returns the function declaration whose body directly holds the spot's statement.
func (d *draft) enclosingFunc(s *spot) *ast.FuncDecl {
	var n ast.Node = s.lookup.Call
	for n != nil {
		n = d.census.Parent(s.File, n)
		switch fn := n.(type) {
		case *ast.FuncLit:
			return nil
		case *ast.FuncDecl:
			return fn
		}
	}
	return nil
}

// accessorShape recognises the forms that ctxmend itself writes.
func (kp *keyPlan) accessorShape(lk *census.Lookup, decl *ast.FuncDecl, fn *types.Func) *haveAccessor {
	params, results := fn.Signature().Params(), fn.Signature().Results()
	isParam := func(e ast.Expr, i int) bool {
		id, ok := ast.Unparen(e).(*ast.Ident)
		return ok && lk.Pkg.Info.Uses[id] == params.At(i)
	}
	body := decl.Body.List
	if !isParam(lk.Context, 0) || len(body) == 0 {
		return nil
	}
	if lk.Role == census.Writer {
		if params.Len() == 2 && results.Len() == 1 && isContextType(results.At(0).Type()) && isParam(lk.Value, 1) && returnsOnly(body, lk.Call) {
			return &haveAccessor{With, fn.Name(), params.At(1).Type()}
		}
		return nil
	}
	if params.Len() != 1 {
		return nil
	}
	if results.Len() == 1 && returnsOnly(body, lk.Call) {
		return &haveAccessor{Any, fn.Name(), nil}
	}
	parent, _ := kp.census.Outer(lk.File, lk.Call)
	assert, ok := parent.(*ast.TypeAssertExpr)
	if !ok || assert.Type == nil {
		return nil
	}
	t := lk.Pkg.Info.TypeOf(assert.Type)
	switch {
	case results.Len() == 1 && returnsOnly(body, assert) && types.Identical(results.At(0).Type(), t):
		return &haveAccessor{Must, fn.Name(), t}
	case results.Len() == 2 && returnsPair(lk, body, assert) && types.Identical(results.At(0).Type(), t):
		return &haveAccessor{From, fn.Name(), t}
	}
	return nil
}

// returnsOnly reports whether a body is return e.
func returnsOnly(body []ast.Stmt, e ast.Expr) bool {
	if len(body) != 1 {
		return false
	}
	ret, ok := body[0].(*ast.ReturnStmt)
	return ok && len(ret.Results) == 1 && ast.Unparen(ret.Results[0]) == e
}

// returnsPair reports whether a body is v, ok := e; return v, ok.
func returnsPair(lk *census.Lookup, body []ast.Stmt, e ast.Expr) bool {
	if len(body) != 2 {
		return false
	}
	as, ok := body[0].(*ast.AssignStmt)
	ret, isRet := body[1].(*ast.ReturnStmt)
	if !ok || !isRet || len(as.Lhs) != 2 || len(as.Rhs) != 1 || ast.Unparen(as.Rhs[0]) != e || len(ret.Results) != 2 {
		return false
	}
	for i, lhs := range as.Lhs {
		def, ok := lhs.(*ast.Ident)
		use, isIdent := ret.Results[i].(*ast.Ident)
		if !ok || !isIdent {
			return false
		}
		obj := lk.Pkg.Info.Defs[def]
		if obj == nil {
			obj = lk.Pkg.Info.Uses[def]
		}
		if obj == nil || lk.Pkg.Info.Uses[use] != obj {
			return false
		}
	}
	return true
}

// existing returns an accessor that the home has and that serves a look-up as well, "" for none.
func (kp *keyPlan) existing(lk *census.Lookup, n *keyNames, kind AccessorKind) string {
	a := n.have[kind]
	if a == nil {
		return ""
	}
	switch kind {
	case With:
		t := lk.Pkg.Info.TypeOf(lk.Value)
		if t == nil || !types.Identical(types.Default(t), a.value) && !(types.IsInterface(a.value) && types.AssignableTo(t, a.value)) {
			return "" // the conversion would change what is stored
		}
	case From, Must:
		if !types.Identical(kp.asserted(lk), a.value) {
			return ""
		}
	}
	return a.name
}

// offerOtherHalf adds the accessor that importers need for the half of a key that is theirs, unless the home has one.
func (kp *keyPlan) offerOtherHalf() {
	if kp.home.name == "main" || kp.testHome() || kp.hasCarriers() || kp.opts.Accessors == "never" {
		return
	}
	for _, k := range kp.fam.Keys {
		missing, _, ok := kp.census.Halved(k)
		if !ok || kp.exportedRetyped(k) != "" {
			continue
		}
		n := kp.keys[k]
		kp.chooseValue(n)
		kind := With
		switch {
		case missing == census.Writer:
		case n.value == nil || isError(n.value) || types.IsInterface(n.value):
			kind = Any
		default:
			kind = From
		}
		kp.accessor(n, kind)
		n.foreign = true
	}
}
