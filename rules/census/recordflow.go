package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
)

// from follows a map backwards to where it is made.
func (r *recorder) from(e Expr) {
	x := ast.Unparen(e.Expr)
	if r.exprs[x] {
		return
	}
	r.exprs[x] = true
	switch x := x.(type) {
	case *ast.Ident:
		if v, ok := e.Pkg.Info.Uses[x].(*types.Var); ok {
			r.variable(v, e)
			return
		}
		if isNil(e.Pkg.Info, x) {
			r.origin(&Origin{Expr: Expr{x, e.File, e.Pkg}, Nil: true})
			return
		}
	case *ast.CompositeLit:
		r.literal(x, e)
		return
	case *ast.CallExpr:
		if r.made(x, e) {
			return
		}
		if fn := Callee(e.Pkg.Info, x); fn != nil && !isConversion(e.Pkg.Info, x) {
			r.result(fn, 0, e)
			return
		}
	case *ast.TypeAssertExpr:
		if call, ok := ast.Unparen(x.X).(*ast.CallExpr); ok && r.ownLoad(call) {
			return
		}
	}
	r.lose(ReasonEscapes, e, "the map comes from %s, which cannot be changed with it", types.ExprString(x))
}

// ownLoad reports whether a call looks the record's key up: its value is followed from there.
func (r *recorder) ownLoad(call *ast.CallExpr) bool {
	for _, s := range r.rec.Key.Sites {
		if s.Lookup.Call == call {
			return true
		}
	}
	return false
}

// made takes in a call of make.
func (r *recorder) made(call *ast.CallExpr, e Expr) bool {
	if !isBuiltin(e.Pkg.Info, call, "make") {
		return false
	}
	for _, a := range call.Args[1:] {
		if e.Pkg.Info.Types[a].Value == nil {
			r.lose(ReasonEscapes, Expr{a, e.File, e.Pkg}, "the size of the map is computed")
		}
	}
	r.spell(Expr{call.Args[0], e.File, e.Pkg})
	r.origin(&Origin{Expr: Expr{call, e.File, e.Pkg}, Sets: map[string]bool{}})
	return true
}

// literal takes in a composite literal.
func (r *recorder) literal(lit *ast.CompositeLit, e Expr) {
	o := &Origin{Expr: Expr{lit, e.File, e.Pkg}, Lit: lit, Sets: map[string]bool{}}
	if lit.Type == nil {
		r.lose(ReasonEscapes, e, "the map is an element of another literal")
		return
	}
	r.spell(Expr{lit.Type, e.File, e.Pkg})
	for _, elt := range lit.Elts {
		kv, ok := elt.(*ast.KeyValueExpr)
		if !ok { // which does not compile
			r.dynamic(Expr{elt, e.File, e.Pkg}, "has elements without names")
			continue
		}
		name, ok := constText(e.Pkg.Info, kv.Key)
		if !ok {
			r.dynamic(Expr{kv.Key, e.File, e.Pkg}, "has elements under names that are not constant")
			continue
		}
		o.Sets[name] = true
		f := r.field(name)
		f.Sets = append(f.Sets, &FieldSet{Expr: Expr{kv, e.File, e.Pkg}, Key: kv.Key, Value: kv.Value})
		if _, elided := kv.Value.(*ast.CompositeLit); elided && kv.Value.(*ast.CompositeLit).Type == nil {
			r.lose(ReasonEscapes, Expr{kv.Value, e.File, e.Pkg}, "a value leaves out its type")
		}
	}
	r.origin(o)
}

func (r *recorder) origin(o *Origin) { r.rec.Origins = append(r.rec.Origins, o) }

func constText(info *types.Info, e ast.Expr) (string, bool) {
	v := info.Types[e].Value
	if v == nil || v.Kind() != constant.String {
		return "", false
	}
	return constant.StringVal(v), true
}

func (r *recorder) field(name string) *Field {
	f := r.fields[name]
	if f == nil {
		f = &Field{Name: name}
		r.fields[name] = f
		r.rec.Fields = append(r.rec.Fields, f)
	}
	return f
}

// dynamic notes a use as a table.
func (r *recorder) dynamic(at Expr, how string) {
	if r.rec.Dynamic == nil {
		r.rec.Dynamic = &Hazard{Reason: ReasonDynamic, Message: "the map " + how, File: at.File, Pos: at.Expr.Pos()}
	}
}

// variable follows a map through everything that is done with a variable.
func (r *recorder) variable(v *types.Var, at Expr) {
	if r.vars[v.Pos()] {
		return
	}
	r.vars[v.Pos()] = true
	f := r.Program.FileOf(v.Pos())
	switch {
	case v.IsField():
		r.lose(ReasonEscapes, at, "the map is kept in field %s", v.Name())
		return
	case f == nil || !f.World:
		r.lose(ReasonDependency, at, "the map is variable %s of package %s, outside the program", v.Name(), v.Pkg().Path())
		return
	case v.Parent() == v.Pkg().Scope():
		r.lose(ReasonEscapes, at, "the map is kept in the package variable %s", v.Name())
		return
	case !r.isMap(v.Type(), at.Pkg):
		r.lose(ReasonEscapes, at, "%s is a variable of type %s", v.Name(), types.TypeString(v.Type(), types.RelativeTo(v.Pkg())))
		return
	}
	l := &local{v: v}
	r.homes[v.Pos()] = l
	for _, u := range r.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			l.use = u
			r.declared(l, u)
		} else {
			r.mention(l, u)
		}
	}
}

// declared follows the value that a variable's declaration gives it.
func (r *recorder) declared(l *local, u Use) {
	at := Expr{u.Ident, u.File, u.Pkg}
	switch p := r.Parent(u.File, u.Ident).(type) {
	case *ast.AssignStmt:
		r.assigned(l, p.Lhs, p.Rhs, at)
		return
	case *ast.ValueSpec:
		r.spellShared(p.Type, len(p.Names), at)
		if len(p.Values) == 0 {
			r.origin(&Origin{Expr: at, Nil: true})
			return
		}
		lhs := make([]ast.Expr, len(p.Names))
		for i, n := range p.Names {
			lhs[i] = n
		}
		r.assigned(l, lhs, p.Values, at)
		return
	case *ast.Field:
		if fn, i := r.ParamOf(l.v); fn != nil {
			r.param(fn, i, at)
			return
		}
		if fn, i := r.resultOf(l.v, u); fn != nil {
			r.origin(&Origin{Expr: at, Nil: true})
			r.result(fn, i, at)
			return
		}
		r.lose(ReasonEscapes, at, "the map is a parameter of a function literal")
		return
	}
	r.lose(ReasonEscapes, at, "the map comes from a place that cannot be followed")
}

// assigned follows the value that an assignment gives a variable.
func (r *recorder) assigned(l *local, lhs, rhs []ast.Expr, at Expr) {
	for i, e := range lhs {
		if e != at.Expr {
			continue
		}
		if len(lhs) == len(rhs) {
			value := Expr{rhs[i], at.File, at.Pkg}
			before := len(r.rec.Origins)
			r.from(value)
			if l.use.Ident == at.Expr && len(r.rec.Origins) == before+1 && isMaker(at.Pkg.Info, rhs[i]) {
				l.origin = r.rec.Origins[before]
			}
			return
		}
		switch x := ast.Unparen(rhs[0]).(type) {
		case *ast.CallExpr:
			if fn := Callee(at.Pkg.Info, x); fn != nil {
				r.result(fn, i, at)
				return
			}
		case *ast.TypeAssertExpr:
			if call, ok := ast.Unparen(x.X).(*ast.CallExpr); ok && i == 0 && r.ownLoad(call) {
				return
			}
		}
		r.lose(ReasonEscapes, at, "the map comes from %s, which cannot be changed with it", types.ExprString(rhs[0]))
	}
}

// isMaker reports whether an expression makes a new map on the spot.
func isMaker(info *types.Info, e ast.Expr) bool {
	switch x := ast.Unparen(e).(type) {
	case *ast.CompositeLit:
		return true
	case *ast.CallExpr:
		return isBuiltin(info, x, "make")
	}
	return false
}

func isBuiltin(info *types.Info, call *ast.CallExpr, name string) bool {
	id, ok := ast.Unparen(call.Fun).(*ast.Ident)
	if !ok {
		return false
	}
	b, ok := info.Uses[id].(*types.Builtin)
	return ok && b.Name() == name
}

// mention follows what is done with a variable at one place.
func (r *recorder) mention(l *local, u Use) {
	at := Expr{u.Ident, u.File, u.Pkg}
	parent, child := r.Outer(u.File, u.Ident)
	if as, ok := parent.(*ast.AssignStmt); ok && containsExpr(as.Lhs, child) {
		l.writes++
		if child != ast.Node(u.Ident) || as.Tok != token.ASSIGN && as.Tok != token.DEFINE {
			r.lose(ReasonEscapes, at, "the variable is assigned in a way that cannot be followed")
			return
		}
		r.assigned(l, as.Lhs, as.Rhs, at)
		return
	}
	if ix, ok := parent.(*ast.IndexExpr); !ok || ast.Node(ix.X) != child {
		r.aways[l.v.Pos()] = append(r.aways[l.v.Pos()], u)
	}
	r.forward(at)
}

// spellShared notes a type that declares several names at once: it can change only if all of them are the map.
func (r *recorder) spellShared(t ast.Expr, names int, at Expr) {
	if t == nil {
		return
	}
	if names > 1 {
		r.lose(ReasonEscapes, at, "the map is declared together with other variables")
		return
	}
	r.spell(Expr{t, at.File, at.Pkg})
}

// resultOf returns the function that v is a named result of.
func (r *recorder) resultOf(v *types.Var, u Use) (*types.Func, int) {
	for n := r.Parent(u.File, u.Ident); n != nil; n = r.Parent(u.File, n) {
		switch n := n.(type) {
		case *ast.FuncLit:
			return nil, 0
		case *ast.FuncDecl:
			fn, _ := u.Pkg.Info.Defs[n.Name].(*types.Func)
			if fn == nil {
				return nil, 0
			}
			for i := range fn.Signature().Results().Len() {
				if fn.Signature().Results().At(i) == v {
					return fn, i
				}
			}
			return nil, 0
		}
	}
	return nil, 0
}

// forward follows a map to what is done with it.
func (r *recorder) forward(e Expr) {
	parent, child := r.Outer(e.File, e.Expr)
	switch p := parent.(type) {
	case *ast.IndexExpr:
		if ast.Node(p.X) == child {
			r.index(p, e)
			return
		}
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if ast.Node(rhs) == child && len(p.Lhs) == len(p.Rhs) {
				r.into(p.Lhs[i], e)
				return
			}
		}
	case *ast.ValueSpec:
		for i, rhs := range p.Values {
			if ast.Node(rhs) == child && len(p.Names) == len(p.Values) {
				r.into(p.Names[i], e)
				return
			}
		}
	case *ast.CallExpr:
		r.passed(p, child, e)
		return
	case *ast.ReturnStmt:
		r.returned(p, child, e)
		return
	case *ast.ExprStmt:
		return
	case *ast.RangeStmt:
		if ast.Node(p.X) == child {
			r.dynamic(e, "is ranged over")
			return
		}
	case *ast.BinaryExpr:
		if isNil(e.Pkg.Info, otherSide(p, child)) {
			r.compared = append(r.compared, e)
			return
		}
	case *ast.UnaryExpr:
		r.lose(ReasonEscapes, e, "the address of the map's variable is taken")
		return
	}
	r.lose(ReasonEscapes, e, "the map is used otherwise as well: %s", excerpt(parent, child))
}

// into follows a map into the variable on the left of an assignment.
func (r *recorder) into(lhs ast.Expr, e Expr) {
	if isBlank(lhs) {
		return
	}
	if v := nameVar(e.Pkg.Info, lhs); v != nil {
		r.variable(v, e)
		return
	}
	r.lose(ReasonEscapes, Expr{lhs, e.File, e.Pkg}, "the map is kept in %s", types.ExprString(lhs))
}

// passed follows a map that is an argument of a call.
func (r *recorder) passed(call *ast.CallExpr, child ast.Node, e Expr) {
	if r.storeCall(call, child) {
		return
	}
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := e.Pkg.Info.Uses[id].(*types.Builtin); ok {
			if b.Name() == "len" {
				r.dynamic(e, "is counted")
			} else {
				r.lose(ReasonEscapes, e, "the map is handed to %s", b.Name())
			}
			return
		}
	}
	fn := Callee(e.Pkg.Info, call)
	if fn == nil || isConversion(e.Pkg.Info, call) {
		r.lose(ReasonEscapes, e, "the map is handed to %s", types.ExprString(call.Fun))
		return
	}
	for i, a := range call.Args {
		if ast.Node(a) == child {
			r.param(fn, i, e)
		}
	}
}

// storeCall reports whether an argument is the value that a writer of the key stores.
func (r *recorder) storeCall(call *ast.CallExpr, child ast.Node) bool {
	for _, s := range r.rec.Key.Sites {
		if s.Role == Writer && s.Lookup.Call == call && ast.Node(s.Lookup.Value) == child {
			return true
		}
	}
	return false
}

// returned follows a map that a function returns.
func (r *recorder) returned(ret *ast.ReturnStmt, child ast.Node, e Expr) {
	for n := r.Parent(e.File, ret); n != nil; n = r.Parent(e.File, n) {
		switch n := n.(type) {
		case *ast.FuncLit:
			r.lose(ReasonEscapes, e, "a function literal returns the map")
			return
		case *ast.FuncDecl:
			fn, _ := e.Pkg.Info.Defs[n.Name].(*types.Func)
			for i, res := range ret.Results {
				if ast.Node(res) == child && fn != nil && len(ret.Results) == fn.Signature().Results().Len() {
					r.result(fn, i, e)
					return
				}
			}
			r.lose(ReasonEscapes, e, "the map is returned in a way that cannot be followed")
			return
		}
	}
}
