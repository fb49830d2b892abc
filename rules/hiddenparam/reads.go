package hiddenparam

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
)

// A lack says what a reader does when the context lacks the value.
type lack int

const (
	goesOn lack = iota
	fails
	panics
)

// A reader is a read with what the rule knows about it.
type reader struct {
	*rules.ValueRead
	// ctx is the context that is read from.
	ctx ast.Expr
	// typ is what the value is read as; nil for any.
	typ types.Type
	// lack is what becomes of its absence.
	lack lack
	// zero is set when the zero value in its place makes no difference then.
	zero bool
}

func (r *reader) place() place { return place{r.File, r.Pkg} }

// readAt judges how a call that gives the value as an interface is used: it is asserted on the spot, or an argument of a call that
// takes anything. Other forms need eyes.
func (g *gather) readAt(at place, f *callgraph.Func, call *ast.CallExpr, ctx ast.Expr) *reader {
	r := &reader{ValueRead: &rules.ValueRead{File: at.file, Pkg: at.pkg, Func: f, Expr: call, Lookup: call}, ctx: ctx}
	parent, child := g.c.Outer(at.file, call)
	switch p := parent.(type) {
	case *ast.TypeAssertExpr:
		if p.Type == nil {
			break
		}
		r.Expr, r.typ, r.lack = p, at.pkg.Info.TypeOf(p.Type), panics
		if _, pair := at.pkg.Info.TypeOf(p).(*types.Tuple); pair {
			r.Second = "true"
			r.lack = g.lackAt(r)
			r.zero = g.zeroAt(r)
		}
		return r
	case *ast.CallExpr:
		i := slices.IndexFunc(p.Args, func(a ast.Expr) bool { return ast.Node(a) == child })
		if i >= 0 && takesAny(at.pkg.Info, p, i) {
			return r
		}
	}
	g.stop(&stop{"form", "what is read here is used before its type is told; assert the type on the spot", false, at.file, call.Pos()}, f)
	return nil
}

// takesAny reports whether a call takes any value as an argument.
func takesAny(info *types.Info, call *ast.CallExpr, i int) bool {
	sig, ok := info.TypeOf(call.Fun).(*types.Signature)
	if !ok || sig.Params().Len() == 0 {
		return false
	}
	n := sig.Params().Len()
	t := sig.Params().At(min(i, n-1)).Type()
	if sig.Variadic() && i >= n-1 && !call.Ellipsis.IsValid() {
		t = t.(*types.Slice).Elem()
	}
	iface, ok := t.Underlying().(*types.Interface)
	return ok && iface.Empty()
}

// lackAt says what a two-valued read does when the value is not there: what the condition on its second result leads to.
func (g *gather) lackAt(r *reader) lack {
	as, second := g.pair(r)
	if as == nil || second == nil {
		return goesOn
	}
	guard, negated := g.guard(r, as, second)
	if guard == nil {
		return goesOn
	}
	var list []ast.Stmt
	switch {
	case negated:
		list = guard.Body.List
	case guard.Else != nil:
		if b, ok := guard.Else.(*ast.BlockStmt); ok {
			list = b.List
		}
	case len(guard.Body.List) > 0 && leaves(r.Pkg.Info, guard.Body.List[len(guard.Body.List)-1]):
		list = g.following(r, guard)
	}
	return g.lackIn(r.place(), r.Func, list)
}

// zeroAt reports whether a two-valued read takes the zero value for an absent one: its second result is thrown away, or
// the first, a truth value, is all that is asked for besides it.
func (g *gather) zeroAt(r *reader) bool {
	as, second := g.pair(r)
	if as == nil {
		return false
	}
	if second == nil {
		return true
	}
	guard, ok := g.c.Parent(r.File, as).(*ast.IfStmt)
	if !ok || guard.Init != ast.Stmt(as) || guard.Else != nil {
		return false
	}
	both, ok := ast.Unparen(guard.Cond).(*ast.BinaryExpr)
	if !ok || both.Op != token.LAND {
		return false
	}
	is := func(e, id ast.Expr) bool {
		x, ok := ast.Unparen(e).(*ast.Ident)
		def, isIdent := id.(*ast.Ident)
		return ok && isIdent && r.Pkg.Info.Uses[x] != nil && r.Pkg.Info.Uses[x] == r.Pkg.Info.ObjectOf(def)
	}
	return is(both.X, second) && is(both.Y, as.Lhs[0])
}

// pair returns the assignment of a two-valued read and its second variable; nil where that has none.
func (g *gather) pair(r *reader) (*ast.AssignStmt, *ast.Ident) {
	parent, _ := g.c.Outer(r.File, r.Expr)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Lhs) != 2 || len(as.Rhs) != 1 {
		return nil, nil
	}
	id, ok := as.Lhs[1].(*ast.Ident)
	if !ok || id.Name == "_" {
		return as, nil
	}
	return as, id
}

// guard returns the if statement that asks for the second result alone, directly behind the read or with it as its
// first part, and whether its body is for its absence.
func (g *gather) guard(r *reader, as *ast.AssignStmt, second *ast.Ident) (guard *ast.IfStmt, negated bool) {
	parent := g.c.Parent(r.File, as)
	switch p := parent.(type) {
	case *ast.IfStmt:
		guard = p
	case *ast.BlockStmt:
		guard = after(p.List, as)
	case *ast.CaseClause:
		guard = after(p.Body, as)
	}
	if guard == nil {
		return nil, false
	}
	v := r.Pkg.Info.ObjectOf(second)
	e := ast.Unparen(guard.Cond)
	switch e := e.(type) {
	case *ast.Ident:
		if r.Second == "true" && r.Pkg.Info.Uses[e] == v {
			return guard, false
		}
	case *ast.UnaryExpr:
		if id, ok := ast.Unparen(e.X).(*ast.Ident); ok && e.Op == token.NOT && r.Second == "true" && r.Pkg.Info.Uses[id] == v {
			return guard, true
		}
	case *ast.BinaryExpr:
		id, ok := ast.Unparen(e.X).(*ast.Ident)
		if ok && r.Second == "nil" && r.Pkg.Info.Uses[id] == v && r.Pkg.Info.Types[e.Y].IsNil() {
			return guard, e.Op == token.NEQ
		}
	}
	return nil, false
}

func after(list []ast.Stmt, s ast.Stmt) *ast.IfStmt {
	i := slices.Index(list, s)
	if i < 0 || i+1 >= len(list) {
		return nil
	}
	guard, _ := list[i+1].(*ast.IfStmt)
	if guard != nil && guard.Init != nil {
		return nil
	}
	return guard
}

// following returns the statements behind an if statement.
func (g *gather) following(r *reader, s ast.Stmt) []ast.Stmt {
	if b, ok := g.c.Parent(r.File, s).(*ast.BlockStmt); ok {
		return b.List[slices.Index(b.List, s)+1:]
	}
	return nil
}

// lackIn says how a list of statements ends that runs when the value is not there.
func (g *gather) lackIn(at place, f *callgraph.Func, list []ast.Stmt) lack {
	if len(list) == 0 {
		return goesOn
	}
	switch s := list[len(list)-1].(type) {
	case *ast.ReturnStmt:
		if n := len(s.Results); n > 0 && isError(at.pkg.Info.TypeOf(s.Results[n-1])) && !at.pkg.Info.Types[s.Results[n-1]].IsNil() {
			return fails
		}
	case *ast.ExprStmt:
		if leaves(at.pkg.Info, s) {
			return panics
		}
	}
	return goesOn
}

func isError(t types.Type) bool {
	if t == nil {
		return false
	}
	iface, ok := types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
	return ok && types.Implements(t, iface)
}

// An accessor is a function that does nothing but read the value.
type accessor struct {
	f *callgraph.Func
	// raw is set when it returns the value as an interface, to be asserted.
	raw    bool
	second string
	lack   lack
	// zero is set when it returns the zero value for an absent one.
	zero bool
}

// accessorOf recognises the function around a read as an accessor; nil for others.
func (g *gather) accessorOf(at place, f *callgraph.Func, call *ast.CallExpr, ctx ast.Expr) *accessor {
	if f == nil || f.Decl == nil || f.Decl.Recv != nil || len(f.Links) > 0 || f.Type.Params.NumFields() != 1 || f.Type.TypeParams != nil {
		return nil
	}
	id, ok := ast.Unparen(ctx).(*ast.Ident)
	if !ok {
		return nil
	}
	v, ok := at.pkg.Info.Uses[id].(*types.Var)
	if !ok || paramIndex(f, v) != 0 || g.t.assigned(v) {
		return nil
	}
	there := &outcome{g: g, at: at, call: call, present: true}
	there.run(f.Body().List)
	// A program that does not compile may return what its signature does not have.
	if there.failed || there.results == nil || f.Signature == nil || len(there.results) != f.Signature.Results().Len() {
		return nil
	}
	a := &accessor{f: f}
	switch r := there.results; {
	case len(r) == 1 && r[0] == "raw":
		a.raw = true
		return a
	case len(r) == 1 && r[0] == "value":
	case len(r) == 2 && r[0] == "value" && (r[1] == "true" || r[1] == "nil"):
		a.second = r[1]
	default:
		return nil
	}
	missing := &outcome{g: g, at: at, call: call}
	missing.run(f.Body().List)
	switch {
	case missing.panics:
		a.lack = panics
	case missing.fails:
		a.lack = fails
	case !missing.failed && len(missing.results) == 1:
		a.zero = slices.Contains([]string{"zero", "false", "nil"}, missing.results[0])
	}
	return a
}

// An outcome works out what an accessor returns when the value is there, or is not.
type outcome struct {
	g       *gather
	at      place
	call    *ast.CallExpr
	present bool
	// known says what variables hold: "raw", "value", "true".
	known map[types.Object]string
	// results are what is returned; failed is set when it cannot be told.
	results       []string
	panics, fails bool
	failed        bool
}

// run goes through statements and reports whether the function is left.
func (o *outcome) run(list []ast.Stmt) bool {
	for _, s := range list {
		if o.failed || o.step(s) {
			return true
		}
	}
	return false
}

func (o *outcome) step(s ast.Stmt) bool {
	info := o.at.pkg.Info
	switch s := s.(type) {
	case *ast.AssignStmt:
		o.assign(s)
	case *ast.IfStmt:
		if s.Init != nil {
			as, ok := s.Init.(*ast.AssignStmt)
			if !ok {
				o.failed = true
				return true
			}
			o.assign(as)
		}
		yes, known := o.holds(s.Cond)
		switch {
		case !known:
			o.failed = true
		case yes:
			return o.run(s.Body.List)
		case s.Else != nil:
			return o.step(s.Else)
		}
	case *ast.BlockStmt:
		return o.run(s.List)
	case *ast.ReturnStmt:
		o.results = []string{}
		for i, e := range s.Results {
			kind := o.kind(e)
			o.results = append(o.results, kind)
			o.panics = o.panics || kind == "panics"
			o.fails = o.fails || i == len(s.Results)-1 && kind != "nil" && isError(info.TypeOf(e))
		}
		return true
	default:
		if leaves(info, s) {
			o.panics = true
			return true
		}
		o.failed = o.failed || o.present
	}
	return o.failed
}

// assign notes what a definition by the read, or by what it gave, gives.
func (o *outcome) assign(as *ast.AssignStmt) {
	if o.known == nil {
		o.known = map[types.Object]string{}
	}
	if as.Tok != token.DEFINE || len(as.Rhs) != 1 {
		o.failed = true
		return
	}
	kind := o.kind(as.Rhs[0])
	if kind == "panics" && len(as.Lhs) == 2 {
		kind = "zero" // the two-valued form
	}
	second := "true"
	if !o.present {
		second = "false"
	}
	if kind == "panics" {
		o.panics = true
	}
	if kind == "" || len(as.Lhs) == 2 && kind == "raw" {
		o.failed = true
		return
	}
	for i, l := range as.Lhs {
		id, ok := l.(*ast.Ident)
		if !ok {
			o.failed = true
			return
		}
		if obj := o.at.pkg.Info.Defs[id]; obj != nil {
			o.known[obj] = []string{kind, second}[i]
		}
	}
}

// kind says what an expression is: the read itself, what it gave, true, false, nil; "" for others.
func (o *outcome) kind(e ast.Expr) string {
	e = ast.Unparen(e)
	info := o.at.pkg.Info
	switch x := e.(type) {
	case *ast.CallExpr:
		if x == o.call {
			if o.present {
				return "raw"
			}
			return "nil"
		}
	case *ast.TypeAssertExpr:
		switch o.kind(x.X) {
		case "raw":
			return "value"
		case "nil":
			return "panics"
		}
	case *ast.BinaryExpr:
		if x.Op == token.LAND { // ok && v
			switch o.kind(x.X) {
			case "true":
				return o.kind(x.Y)
			case "false":
				return "zero"
			}
		}
	case *ast.BasicLit:
		if v := info.Types[x].Value; v != nil && (v.ExactString() == "0" || v.ExactString() == `""`) {
			return "zero"
		}
	case *ast.Ident:
		if obj := info.Uses[x]; obj != nil && o.known[obj] != "" {
			return o.known[obj]
		}
		if tv := info.Types[x]; tv.IsNil() {
			return "nil"
		}
		switch info.Uses[x] {
		case types.Universe.Lookup("true"):
			return "true"
		case types.Universe.Lookup("false"):
			return "false"
		}
	}
	return ""
}

// holds says whether a condition is true.
func (o *outcome) holds(e ast.Expr) (yes, known bool) {
	e = ast.Unparen(e)
	switch e := e.(type) {
	case *ast.Ident:
		k := o.kind(e)
		return k == "true", k == "true" || k == "false"
	case *ast.UnaryExpr:
		if e.Op == token.NOT {
			yes, known = o.holds(e.X)
			return !yes, known
		}
	case *ast.BinaryExpr:
		if (e.Op == token.EQL || e.Op == token.NEQ) && o.at.pkg.Info.Types[e.Y].IsNil() {
			k := o.kind(e.X)
			return (k == "nil") == (e.Op == token.EQL), k == "nil" || k == "raw" && !o.g.mayBeNil()
		}
		x, xKnown := o.holds(e.X)
		y, yKnown := o.holds(e.Y)
		switch {
		case e.Op == token.LAND && (xKnown && !x || yKnown && !y), e.Op == token.LOR && (xKnown && x || yKnown && y):
			return e.Op == token.LOR, true
		case e.Op == token.LAND || e.Op == token.LOR:
			return x, xKnown && yKnown
		}
	}
	return false, false
}

// readByAccessor is the read that a call of an accessor is; nil for one whose use needs eyes.
func (g *gather) readByAccessor(a *accessor, call *callgraph.Call) *reader {
	at := place{call.File, call.Pkg}
	if len(call.Expr.Args) != 1 || call.Go || call.Defer {
		g.stop(&stop{"form", "what is read here cannot become a parameter", false, call.File, call.Expr.Pos()}, call.In)
		return nil
	}
	ctx := call.Expr.Args[0]
	if a.raw {
		return g.readAt(at, call.In, call.Expr, ctx)
	}
	r := &reader{
		ValueRead: &rules.ValueRead{File: call.File, Pkg: call.Pkg, Func: call.In, Expr: call.Expr, Lookup: call.Expr, Second: a.second},
		ctx:       ctx, typ: a.f.Signature.Results().At(0).Type(), lack: a.lack, zero: a.zero,
	}
	if a.second != "" {
		r.lack = max(r.lack, g.lackAt(r))
	}
	return r
}

// steers reports whether what is read decides what the code does: it, or a field of it, is the condition of a statement.
func (g *gather) steers(r *reader) bool {
	if g.inCondition(r.place(), r.Expr) {
		return true
	}
	parent, child := g.c.Outer(r.File, r.Expr)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child {
		return false
	}
	id, ok := as.Lhs[0].(*ast.Ident)
	if !ok {
		return false
	}
	v := r.Pkg.Info.Defs[id]
	return v != nil && slices.ContainsFunc(g.c.Uses(v), func(u census.Use) bool {
		return u.Pkg.Info.Defs[u.Ident] == nil && g.inCondition(place{u.File, u.Pkg}, u.Ident)
	})
}

// inCondition reports whether an expression of basic type that a value gives, itself or by a field, stands in a condition.
func (g *gather) inCondition(at place, e ast.Expr) bool {
	var n ast.Node = e
	for {
		parent, child := g.c.Outer(at.file, n)
		switch p := parent.(type) {
		case *ast.SelectorExpr:
			if s := at.pkg.Info.Selections[p]; s == nil || s.Kind() != types.FieldVal {
				return false
			}
		case *ast.UnaryExpr:
			if p.Op != token.NOT {
				return false
			}
		case *ast.BinaryExpr:
			if at.pkg.Info.Types[p.X].IsNil() || at.pkg.Info.Types[p.Y].IsNil() {
				return false
			}
		case *ast.IfStmt:
			return ast.Node(p.Cond) == child
		case *ast.ForStmt:
			return ast.Node(p.Cond) == child
		case *ast.SwitchStmt:
			return ast.Node(p.Tag) == child
		default:
			return false
		}
		n = parent
	}
}

func isContext(t types.Type) bool { return flow.Implements(t) }
