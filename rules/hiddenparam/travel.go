package hiddenparam

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxDepth bounds how many functions that return contexts are gone into on one way.
const maxDepth = 12

// maxSteps bounds how many expressions are looked at for one context.
const maxSteps = 10000

// A travel follows contexts backwards to those who store one key's value in them.
type travel struct {
	*facts
	pass  *rules.Pass
	c     *census.Census
	graph *callgraph.Graph
	key   *census.Key
	// writes are the calls of context.WithValue that store under the key and no other, unclear those that may.
	writes  map[*ast.CallExpr]*census.Site
	unclear map[*ast.CallExpr]bool
	// made caches the writes as functions see them.
	made map[madeAt]*rules.ValueWrite
	// seen are the expressions that were looked at for the context that is followed: what they come from is known, and a
	// context may be made from itself.
	seen map[visit]bool
	// frames are the calls that were looked into, so that each is known by one pointer.
	frames map[frame]*frame
}

// facts are what the statements of the program say of its variables, whatever key is asked for.
type facts struct {
	// wild says why variables cannot be followed.
	wild map[*types.Var]string
	// reached says what may give a variable its value at a mention.
	reached map[mention]reached
	// functions are those that declare variables.
	functions map[*types.Var]ast.Node
	// moved are those that get another value after their declaration.
	moved map[*types.Var]bool
}

type mention struct {
	id *ast.Ident
	v  *types.Var
}

func newFacts() *facts {
	return &facts{wild: map[*types.Var]string{}, reached: map[mention]reached{}, functions: map[*types.Var]ast.Node{}, moved: map[*types.Var]bool{}}
}

// function returns the function that declares a variable.
func (t *travel) function(file *program.File, v *types.Var) ast.Node {
	fn, known := t.functions[v]
	if !known {
		fn = t.pass.Flow().Function(file, v)
		t.functions[v] = fn
	}
	return fn
}

type madeAt struct {
	call  *ast.CallExpr
	value ast.Expr
}

type visit struct {
	expr ast.Expr
	fr   *frame
}

// A place is where an expression stands.
type place struct {
	file *program.File
	pkg  *program.Package
}

// A source is one thing that a context may come from: a parameter, a writer of the key, nothing, or something that
// cannot be followed.
type source struct {
	// fn and param are set for a parameter.
	fn    *callgraph.Func
	param *types.Var
	write *rules.ValueWrite
	// absent is set for a context that lacks the value, with the place that makes it.
	absent bool
	stop   *stop
	file   *program.File
	pos    token.Pos
}

// A stop is a place where a context cannot be followed.
type stop struct {
	reason, message string
	// crosses is set where other code comes between, which only contexts cross.
	crosses bool
	file    *program.File
	pos     token.Pos
}

// A frame is a call of a function that is looked into.
type frame struct {
	fn   *callgraph.Func
	call *ast.CallExpr
	at   place
	up   *frame
}

// enter returns the frame of a call.
func (t *travel) enter(f *callgraph.Func, call *ast.CallExpr, at place, up *frame) *frame {
	key := frame{f, call, at, up}
	if t.frames[key] == nil {
		t.frames[key] = &key
	}
	return t.frames[key]
}

func (fr *frame) depth() int {
	n := 0
	for ; fr != nil; fr = fr.up {
		n++
	}
	return n
}

func newTravel(pass *rules.Pass, known *facts, k *census.Key) *travel {
	t := &travel{
		facts: known, pass: pass, c: pass.Census, graph: pass.Calls(), key: k,
		writes: map[*ast.CallExpr]*census.Site{}, unclear: map[*ast.CallExpr]bool{}, made: map[madeAt]*rules.ValueWrite{},
		seen: map[visit]bool{}, frames: map[frame]*frame{},
	}
	for _, s := range k.Sites {
		if s.Role != census.Writer || s.Lookup.Call == nil {
			continue
		}
		if t.c.Shared(s) || ast.Unparen(s.Lookup.Key) != s.Expr || handed(s) {
			t.unclear[s.Lookup.Call] = true
		} else {
			t.writes[s.Lookup.Call] = s
		}
	}
	for _, p := range t.c.Open {
		for _, lk := range p.Lookups {
			if lk.Role == census.Writer && lk.Call != nil && t.mayName(p) {
				t.unclear[lk.Call] = true
			}
		}
	}
	return t
}

// mayName reports whether a look-up whose key cannot be told may concern the key.
func (t *travel) mayName(p *census.Point) bool {
	typ := p.Pkg.Info.TypeOf(p.Expr)
	return typ == nil || t.key.GoType == nil || types.IsInterface(typ) || types.Identical(typ, t.key.GoType)
}

func stopped(reason string, crosses bool, at place, pos token.Pos, format string, args ...any) []*source {
	return []*source{{stop: &stop{reason, fmt.Sprintf(format, args...), crosses, at.file, pos}}}
}

// sources returns what a context expression may come from.
func (t *travel) sources(at place, e ast.Expr) []*source {
	clear(t.seen)
	return t.of(at, e, nil)
}

// passed returns what the context that a call passes for a parameter may come from.
func (t *travel) passed(at place, call *ast.CallExpr, i, skip int) []*source {
	clear(t.seen)
	return t.argument(at, call, i, skip, nil)
}

// of returns what a context expression may come from, apart from what was found for the same context before.
func (t *travel) of(at place, e ast.Expr, fr *frame) []*source {
	e = ast.Unparen(e)
	v := visit{e, fr}
	switch {
	case t.seen[v]:
		return nil
	case len(t.seen) == maxSteps:
		return stopped("unclear", false, at, e.Pos(), "the context comes on too many ways")
	}
	t.seen[v] = true
	if tv := at.pkg.Info.Types[e]; tv.IsNil() {
		return []*source{{absent: true, file: at.file, pos: e.Pos()}}
	}
	switch e := e.(type) {
	case *ast.Ident:
		if v, ok := at.pkg.Info.ObjectOf(e).(*types.Var); ok {
			return t.variable(at, e, v, fr)
		}
	case *ast.CallExpr:
		return t.result(at, e, 0, fr)
	case *ast.TypeAssertExpr:
		return t.of(at, e.X, fr)
	case *ast.SelectorExpr:
		return stopped("stored", true, at, e.Pos(), "the context is kept in %s", types.ExprString(e))
	case *ast.UnaryExpr:
		if e.Op == token.ARROW {
			return stopped("channel", true, at, e.Pos(), "the context comes from a channel")
		}
	}
	return stopped("stored", true, at, e.Pos(), "the context is taken from %s", types.ExprString(e))
}

// variable follows a variable at one of its mentions.
func (t *travel) variable(at place, id *ast.Ident, v *types.Var, fr *frame) []*source {
	if v.Pkg() == nil || v.Parent() == v.Pkg().Scope() || v.IsField() {
		return stopped("stored", true, at, id.Pos(), "the context is kept in variable %s", v.Name())
	}
	r := t.reaching(at, id, v)
	if r.unclear != "" {
		return stopped("unclear", false, at, id.Pos(), "%s %s", v.Name(), r.unclear)
	}
	var list []*source
	for _, d := range r.defs {
		switch {
		case d.value == nil:
			list = merge(list, []*source{{absent: true, file: at.file, pos: d.pos}})
		case d.index > 0 || d.tuple:
			call, ok := ast.Unparen(d.value).(*ast.CallExpr)
			if !ok {
				list = merge(list, stopped("unclear", false, at, d.pos, "%s is not made by a call", v.Name()))
				continue
			}
			list = merge(list, t.result(at, call, d.index, fr))
		default:
			list = merge(list, t.of(at, d.value, fr))
		}
	}
	if r.entry {
		list = merge(list, t.parameter(at, v, fr))
	}
	return list
}

// parameter follows a parameter, or a result that nothing was assigned to yet.
func (t *travel) parameter(at place, v *types.Var, fr *frame) []*source {
	node := t.function(at.file, v)
	var f *callgraph.Func
	switch n := node.(type) {
	case *ast.FuncDecl:
		f = t.graph.FuncAt(n.Type)
	case *ast.FuncLit:
		f = t.graph.FuncAt(n.Type)
	}
	if f == nil || f.Signature == nil && f.Lit == nil {
		return stopped("unclear", false, at, v.Pos(), "the function around %s cannot be told", v.Name())
	}
	i := paramIndex(f, v)
	switch {
	case i < 0 && v.Kind() == types.ResultVar:
		return []*source{{absent: true, file: at.file, pos: v.Pos()}}
	case i < 0:
		return stopped("stored", true, at, v.Pos(), "the context is the receiver %s", v.Name())
	}
	for up := fr; up != nil; up = up.up {
		if up.fn == f {
			return t.argument(up.at, up.call, i, 0, up.up)
		}
	}
	if f.Lit != nil {
		return t.literal(at, f, i, fr)
	}
	return []*source{{fn: f, param: v, file: at.file, pos: v.Pos()}}
}

// paramIndex returns the place of a parameter of a function, -1 for receivers and results.
func paramIndex(f *callgraph.Func, v *types.Var) int {
	i := 0
	for _, field := range f.Type.Params.List {
		for _, id := range field.Names {
			if id.Pos() == v.Pos() {
				return i
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return -1
}

// argument follows what a call passes for a parameter.
func (t *travel) argument(at place, call *ast.CallExpr, i, skip int, fr *frame) []*source {
	if i+skip >= len(call.Args) {
		return stopped("spread-call", false, at, call.Pos(), "the call gets all its arguments from another one")
	}
	return t.of(at, call.Args[i+skip], fr)
}

// literal follows the parameter of a function literal to where it is called: on the spot, by the function of the world that it
// is handed to, or by way of the variable that holds it.
func (t *travel) literal(at place, f *callgraph.Func, i int, fr *frame) []*source {
	parent, child := t.c.Outer(at.file, f.Lit)
	switch n := parent.(type) {
	case *ast.CallExpr:
		if ast.Node(n.Fun) == child {
			return t.argument(at, n, i, 0, fr)
		}
		return t.handed(at, n, child, i, fr)
	case *ast.AssignStmt:
		for j, rhs := range n.Rhs {
			if ast.Node(rhs) == child && len(n.Lhs) == len(n.Rhs) && n.Tok == token.DEFINE {
				if id, ok := n.Lhs[j].(*ast.Ident); ok {
					return t.calledBy(at, at.pkg.Info.Defs[id], i, fr)
				}
			}
		}
	}
	return stopped("function-value", true, at, f.Lit.Pos(), "a function literal that other code calls takes the context")
}

// handed follows the parameter of a literal that is an argument of a call into the function that is called.
func (t *travel) handed(at place, call *ast.CallExpr, lit ast.Node, i int, fr *frame) []*source {
	j := slices.IndexFunc(call.Args, func(a ast.Expr) bool { return ast.Node(a) == lit })
	fn := census.Callee(at.pkg.Info, call)
	name := flow.Callee(call)
	if fn == nil || j < 0 {
		return stopped("function-value", true, at, lit.Pos(), "a function literal that %s gets takes the context", name)
	}
	f := t.graph.FuncOf(fn)
	if f == nil || f.Body() == nil || fr.depth() > maxDepth {
		return stopped("foreign-callback", true, at, lit.Pos(), "a function literal that %s gets and calls takes the context", name)
	}
	sig := f.Signature
	if j >= sig.Params().Len() || sig.Variadic() && j >= sig.Params().Len()-1 {
		return stopped("function-value", true, at, lit.Pos(), "a function literal that %s gets takes the context", name)
	}
	return t.calledBy(place{f.File, f.Pkg}, sig.Params().At(j), i, t.enter(f, call, at, fr))
}

// calledBy follows an argument of all calls of what a variable holds; nothing else may be done with it.
func (t *travel) calledBy(at place, obj types.Object, i int, fr *frame) []*source {
	if obj == nil {
		return stopped("function-value", true, at, token.NoPos, "a function value takes the context")
	}
	var list []*source
	for _, u := range t.c.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, child := t.c.Outer(u.File, u.Ident)
		call, ok := parent.(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != child {
			list = merge(list, stopped("function-value", true, place{u.File, u.Pkg}, u.Ident.Pos(), "function value %s takes the context and is handed on", u.Ident.Name))
			continue
		}
		list = merge(list, t.argument(place{u.File, u.Pkg}, call, i, 0, fr))
	}
	return list
}

// result follows a result of a call.
func (t *travel) result(at place, call *ast.CallExpr, index int, fr *frame) []*source {
	if site := t.writes[call]; site != nil {
		return t.written(at, call, site, fr)
	}
	if t.unclear[call] {
		return stopped("forwarder", false, at, call.Pos(), "what is stored here may be the value, under a key that is handed in")
	}
	if tv := at.pkg.Info.Types[call.Fun]; tv.IsType() && len(call.Args) == 1 {
		return t.of(at, call.Args[0], fr)
	}
	fn := census.Callee(at.pkg.Info, call)
	if fn == nil {
		return stopped("function-value", true, at, call.Pos(), "function value %s makes the context", flow.Callee(call))
	}
	if t.pass.Flow().Fresh(at.pkg, call) {
		return []*source{{absent: true, file: at.file, pos: call.Pos()}}
	}
	if fn.Pkg() != nil && fn.Pkg().Path() == "context" && len(call.Args) > 0 {
		return t.of(at, call.Args[0], fr)
	}
	if f := t.graph.FuncOf(fn); f != nil {
		return t.returned(at, f, call, index, fr)
	}
	var given []ast.Expr
	for _, a := range call.Args {
		if flow.Implements(at.pkg.Info.TypeOf(a)) {
			given = append(given, a)
		}
	}
	switch {
	case len(given) == 1:
		return t.of(at, given[0], fr) // derived from it
	case fn.Pkg() != nil && fn.Pkg().Path() == "testing":
		return []*source{{absent: true, file: at.file, pos: call.Pos()}}
	}
	return stopped("request", true, at, call.Pos(), "the context comes from %s", types.ExprString(call))
}

// returned follows what a function of the world returns.
func (t *travel) returned(at place, f *callgraph.Func, call *ast.CallExpr, index int, fr *frame) []*source {
	if f.Body() == nil {
		return stopped("interface", true, at, call.Pos(), "the context comes from %s, an implementation of %s", types.ExprString(call.Fun), f.Name)
	}
	if fr.depth() > maxDepth {
		return stopped("unclear", false, at, call.Pos(), "the context comes through too many functions")
	}
	inner := t.enter(f, call, at, fr)
	in := place{f.File, f.Pkg}
	var list []*source
	ast.Inspect(f.Body(), func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			switch {
			case len(n.Results) == 1 && f.Signature.Results().Len() > 1:
				if c, ok := ast.Unparen(n.Results[0]).(*ast.CallExpr); ok {
					list = merge(list, t.result(in, c, index, inner))
				}
			case index < len(n.Results):
				list = merge(list, t.of(in, n.Results[index], inner))
			default:
				list = merge(list, stopped("unclear", false, in, n.Pos(), "%s returns the context by the name of its result", f.Name))
			}
		}
		return true
	})
	return list
}

// written is the writer that a call is, or stands for, in the function that the frames begin in.
func (t *travel) written(at place, call *ast.CallExpr, site *census.Site, fr *frame) []*source {
	value := ast.Unparen(site.Lookup.Value)
	from := at
	literal := ""
	if fr != nil {
		literal = literalOf(at.pkg.Info, value)
	}
	for ; fr != nil; fr = fr.up {
		if literal != "" {
			call, from = fr.call, fr.at
			continue
		}
		id, ok := value.(*ast.Ident)
		v, isVar := (*types.Var)(nil), false
		if ok {
			v, isVar = from.pkg.Info.Uses[id].(*types.Var)
		}
		i := -1
		if isVar {
			i = paramIndex(fr.fn, v)
		}
		if i < 0 || i >= len(fr.call.Args) || fr.fn.Signature.Variadic() || t.assigned(v) {
			return stopped("writer", false, from, site.Lookup.Value.Pos(), "%s makes the value that it stores, and its callers do not see it", fr.fn.Name)
		}
		value, call, from = ast.Unparen(fr.call.Args[i]), fr.call, fr.at
	}
	id := madeAt{call, value}
	w := t.made[id]
	if w == nil {
		w = &rules.ValueWrite{Site: site, File: from.file, Pkg: from.pkg, Func: t.graph.Enclosing(from.file, call.Pos()), Call: call, Value: value, Literal: literal}
		t.made[id] = w
	}
	return []*source{{write: w, file: from.file, pos: call.Pos()}}
}

// literalOf returns true, false or a literal as it is written; "" for other expressions.
func literalOf(info *types.Info, e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		return e.Value
	case *ast.Ident:
		if obj := info.Uses[e]; obj != nil && (obj == types.Universe.Lookup("true") || obj == types.Universe.Lookup("false")) {
			return e.Name
		}
	}
	return ""
}

// assigned reports whether a variable gets another value after its declaration, or its address is taken.
func (t *travel) assigned(v *types.Var) bool {
	moved, known := t.moved[v]
	if !known {
		moved = t.changes(v)
		t.moved[v] = moved
	}
	return moved
}

func (t *travel) changes(v *types.Var) bool {
	for _, u := range t.c.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, child := t.c.Outer(u.File, u.Ident)
		switch p := parent.(type) {
		case *ast.AssignStmt:
			if slices.ContainsFunc(p.Lhs, func(e ast.Expr) bool { return ast.Node(e) == child }) {
				return true
			}
		case *ast.UnaryExpr:
			if p.Op == token.AND {
				return true
			}
		case *ast.IncDecStmt:
			return true
		case *ast.RangeStmt:
			if p.Key == child || p.Value == child {
				return true
			}
		}
	}
	return false
}

// merge adds sources that are not there yet.
func merge(list, more []*source) []*source {
	for _, s := range more {
		if !slices.ContainsFunc(list, s.same) {
			list = append(list, s)
		}
	}
	return list
}

func (s *source) same(o *source) bool {
	switch {
	case s.stop != nil:
		return o.stop != nil && o.stop.pos == s.stop.pos
	case s.absent:
		return o.absent && o.pos == s.pos
	}
	return o.stop == nil && !o.absent && s.param == o.param && s.write == o.write
}
