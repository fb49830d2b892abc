package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A FateKind says what becomes of a context.
type FateKind int

const (
	// Used is for a context that a call gets and is done with when it returns.
	Used FateKind = iota
	// Looked is for a context that a function of the world gets which does nothing but look values up in it.
	Looked
	// Asked is for a context whose own methods are called.
	Asked
	// Kept is for a context that is stored, returned, or given to something that lives on.
	Kept
	// Started is for a context that another goroutine gets.
	Started
	// Cleanup is for a context that deferred code gets.
	Cleanup
	// Chosen is for a context that is assigned to a variable that has another value as well.
	Chosen
	// Detached is for a context whose values alone another goroutine gets, by context.WithoutCancel: it may end.
	Detached
	// Registered is for a context that code gets which runs when something else has ended: in a test's Cleanup, in
	// context.AfterFunc. The function has returned by then.
	Registered
)

// A Fate is one thing that becomes of a context.
type Fate struct {
	Kind FateKind
	// Pos is where it happens.
	Pos token.Pos
	// Call is the call that gets the context, nil for none.
	Call *ast.CallExpr
	// Fn is what Call calls, when that is known.
	Fn *types.Func
	// Asks is set, of a context that another goroutine gets, when that only calls a method of the context, and tells whether it has
	// ended for example.
	Asks bool
	// subtest is set for a context that is kept by tests alone which run beside others, and inTest is what becomes of it there.
	subtest bool
	inTest  FateKind
	// node is where it happens, and from where what was followed is declared or made: the function that holds it decides for how
	// long the context is needed.
	node ast.Node
	from token.Pos
}

// Fates follows a context within its function and tells what becomes of it, and of the contexts that are derived from it, in the order of
// the source.
func (f *Flow) Fates(pkg *program.Package, file *program.File, e ast.Expr) []Fate {
	t := &tracer{flow: f, pkg: pkg, file: file, from: e.Pos(), seen: map[followed]bool{}}
	t.value(e)
	return t.list
}

// FatesOf follows a variable.
func (f *Flow) FatesOf(pkg *program.Package, file *program.File, v *types.Var) []Fate {
	t := &tracer{flow: f, pkg: pkg, file: file, from: v.Pos(), seen: map[followed]bool{}}
	t.variable(v)
	return t.list
}

// A tracer follows one value.
type tracer struct {
	flow *Flow
	pkg  *program.Package
	file *program.File
	// from is where what is followed is declared or made.
	from token.Pos
	seen map[followed]bool
	// detached tells that what is followed are the values of the context alone.
	detached bool
	// within is the function that got what is followed from another one, which looks itself at what is returned; nil where it was made.
	within *ast.FuncDecl
	list   []Fate
	// compared are the calls that get what is followed as a value of any type, nil for one that is told elsewhere.
	compared []*ast.CallExpr
}

// A followed variable holds the context, or its values alone.
type followed struct {
	v        *types.Var
	detached bool
}

// started notes that another goroutine gets the context: at a node, which a call gets.
func (t *tracer) started(n ast.Node, call *ast.CallExpr) {
	kind := Started
	if t.detached || call != nil && withoutCancel(t.pkg, call) {
		kind = Detached
	}
	t.add(kind, n.Pos(), call)
	last := &t.list[len(t.list)-1]
	last.node, last.Asks = n, call == nil && t.asks(n)
}

// asks reports whether a context is there for nothing but a call of one of its methods that tells about its end.
func (t *tracer) asks(n ast.Node) bool {
	sel, ok := t.flow.census.Parent(t.file, n).(*ast.SelectorExpr)
	if !ok || ast.Node(sel.X) != n || !Implements(t.pkg.Info.TypeOf(sel.X)) || sel.Sel.Name != "Done" && sel.Sel.Name != "Err" && sel.Sel.Name != "Deadline" {
		return false
	}
	call, ok := t.flow.census.Parent(t.file, sel).(*ast.CallExpr)
	return ok && call.Fun == ast.Expr(sel)
}

func (t *tracer) add(kind FateKind, pos token.Pos, call *ast.CallExpr) {
	fate := Fate{Kind: kind, Pos: pos, Call: call, from: t.from}
	if call != nil {
		fate.Fn = census.Callee(t.pkg.Info, call)
	}
	t.list = append(t.list, fate)
}

// value follows an expression to what uses it.
func (t *tracer) value(e ast.Node) {
	parent, child := t.flow.census.Outer(t.file, e)
	switch p := parent.(type) {
	case *ast.CallExpr:
		if ast.Node(p.Fun) != child {
			t.argument(p, child)
		} else {
			t.add(Asked, p.Pos(), p)
		}
	case *ast.SelectorExpr:
		call, ok := t.flow.census.Parent(t.file, p).(*ast.CallExpr)
		switch {
		case ok && p.Sel.Name == "Value":
			t.add(Looked, p.Pos(), call)
		case ok && ast.Node(call.Fun) == p && carries(t.pkg.Info.TypeOf(call)): // r.Context()
			t.derived(call)
		default:
			t.add(Asked, p.Pos(), nil)
		}
	case *ast.AssignStmt:
		t.assigned(p, child)
	case *ast.ValueSpec:
		for i, id := range p.Names {
			if len(p.Values) == len(p.Names) && ast.Node(p.Values[i]) != child {
				continue
			}
			t.name(id, token.DEFINE)
		}
	case *ast.BinaryExpr, *ast.ExprStmt:
	case *ast.CompositeLit:
		if list, ok := Under(t.pkg.Info.TypeOf(p)).(*types.Slice); ok && isAny(list.Elem()) { // the arguments of a call, for example
			t.compared = append(t.compared, nil)
		}
		t.add(Kept, e.Pos(), nil)
	default:
		t.add(Kept, e.Pos(), nil)
	}
}

// argument follows a value that a call gets.
func (t *tracer) argument(call *ast.CallExpr, arg ast.Node) {
	switch t.flow.callRun(t.file, call) {
	case Concurrent:
		t.started(call, call)
		return
	case AtEnd:
		t.add(Cleanup, call.Pos(), call)
		return
	}
	if tv := t.pkg.Info.Types[call.Fun]; tv.IsType() {
		t.value(call)
		return
	}
	if tv := t.pkg.Info.Types[call.Fun]; tv.IsBuiltin() {
		t.add(Kept, call.Pos(), call)
		return
	}
	if t.mayCompare(call, arg) {
		t.compared = append(t.compared, call)
	}
	results := resultTypes(t.pkg.Info.TypeOf(call))
	for _, r := range results {
		if carries(r) {
			if t.replaced(call, r) {
				t.add(Chosen, call.Pos(), call)
			} else {
				t.derived(call)
			}
			return
		}
	}
	if fn := census.Callee(t.pkg.Info, call); fn != nil && t.flow.retains(fn, call, arg, 0) {
		t.add(Kept, call.Pos(), call)
		return
	}
	if t.resultKept(call, arg) {
		t.add(Kept, call.Pos(), call)
		return
	}
	if fn := census.Callee(t.pkg.Info, call); fn != nil && t.flow.looksOnly(fn, call, arg, 0) {
		t.add(Looked, call.Pos(), call)
		return
	}
	t.add(Used, call.Pos(), call)
}

// derivesWhileWaitedFor reports whether a call inside of a goroutine that is waited for makes another context of the one that it
// gets: what counts is what becomes of that.
func (t *tracer) derivesWhileWaitedFor(call *ast.CallExpr) bool {
	if call == nil || !slices.ContainsFunc(resultTypes(t.pkg.Info.TypeOf(call)), carries) || t.flow.Started(t.pkg, t.file, call) != nil {
		return false
	}
	return t.flow.waitedFor(t.pkg, t.file, call, t.from)
}

func resultTypes(t types.Type) []types.Type {
	switch t := t.(type) {
	case nil:
		return nil
	case *types.Tuple:
		var list []types.Type
		for v := range t.Variables() {
			list = append(list, v.Type())
		}
		return list
	}
	return []types.Type{t}
}

// carries reports whether a value of type t is a context or holds one: a request.
func carries(t types.Type) bool { return Implements(t) || asked(t) != "" }

// replaced reports whether a call puts the context in the place of another one: r.WithContext(ctx) returns another r.
func (t *tracer) replaced(call *ast.CallExpr, result types.Type) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if !ok || Implements(result) {
		return false
	}
	recv := t.pkg.Info.TypeOf(sel.X)
	return recv != nil && types.Identical(recv, result)
}

// derived follows the results of a call that derives a context: the context, or the request, and what ends it.
func (t *tracer) derived(call *ast.CallExpr) {
	defer func(was bool) { t.detached = was }(t.detached)
	t.detached = t.detached || withoutCancel(t.pkg, call)
	parent, child := t.flow.census.Outer(t.file, call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child {
		t.value(call)
		return
	}
	for _, lhs := range as.Lhs {
		id, ok := lhs.(*ast.Ident)
		switch {
		case carries(t.pkg.Info.TypeOf(lhs)):
			t.target(lhs, as.Tok)
		case !ok:
			t.add(Kept, lhs.Pos(), call) // whoever holds the cancel function decides
		case id.Name != "_":
			if v, ok := t.pkg.Info.ObjectOf(id).(*types.Var); ok && cancelFunc(v.Type()) && t.handsOut(v) {
				t.add(Kept, lhs.Pos(), call)
			}
		}
	}
}

// HandsOut reports whether a cancel function is given to others, who decide when the context ends: it is stored, returned, passed on or
// called by a function that runs at another time.
func (f *Flow) HandsOut(pkg *program.Package, file *program.File, v *types.Var) bool {
	t := &tracer{flow: f, pkg: pkg, file: file, seen: map[followed]bool{}}
	return t.handsOut(v)
}

// handsOut reports whether a variable's function is given to others rather than called or deferred here.
func (t *tracer) handsOut(v *types.Var) bool {
	for _, u := range t.flow.census.Uses(v) {
		if u.File != t.file || u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, child := t.flow.census.Outer(t.file, u.Ident)
		switch p := parent.(type) {
		case *ast.CallExpr:
			if ast.Node(p.Fun) != child {
				return true
			}
			if kind, ok := t.inLiteral(t.flow.literalAround(t.file, p, v), v); ok && kind != Cleanup {
				return true
			}
		case *ast.AssignStmt:
			for _, rhs := range p.Rhs {
				if id, blank := p.Lhs[0].(*ast.Ident); ast.Node(rhs) == child && !(blank && id.Name == "_") {
					return true
				}
			}
		default:
			return true
		}
	}
	return false
}

// assigned follows a value on the right of an assignment.
func (t *tracer) assigned(as *ast.AssignStmt, value ast.Node) {
	for i, rhs := range as.Rhs {
		if ast.Node(rhs) != value {
			continue
		}
		if len(as.Lhs) == len(as.Rhs) {
			t.target(as.Lhs[i], as.Tok)
			continue
		}
		for _, lhs := range as.Lhs {
			if carries(t.pkg.Info.TypeOf(lhs)) {
				t.target(lhs, as.Tok)
			}
		}
	}
}

// target follows a value into what it is assigned to.
func (t *tracer) target(lhs ast.Expr, tok token.Token) {
	if id, ok := ast.Unparen(lhs).(*ast.Ident); ok {
		t.name(id, tok)
		return
	}
	t.add(Kept, lhs.Pos(), nil)
}

func (t *tracer) name(id *ast.Ident, tok token.Token) {
	if id.Name == "_" {
		return
	}
	v, ok := t.pkg.Info.ObjectOf(id).(*types.Var)
	switch {
	case !ok:
	case t.seen[followed{v, t.detached}]: // derived from itself
	case v.Parent() == t.pkg.Types.Scope():
		t.add(Kept, id.Pos(), nil)
	case t.pkg.Info.Defs[id] == nil && tok != token.DEFINE || t.flow.isParam(v) || v.Kind() == types.ResultVar:
		t.add(Chosen, id.Pos(), nil)
	default:
		t.variable(v)
	}
}

// variable follows a variable to its uses.
func (t *tracer) variable(v *types.Var) {
	if t.seen[followed{v, t.detached}] {
		return
	}
	t.seen[followed{v, t.detached}] = true
	for _, u := range t.flow.census.Uses(v) {
		if u.File != t.file || u.Pkg.Info.Defs[u.Ident] != nil || t.written(u.Ident) {
			continue
		}
		if lit := t.flow.literalAround(t.file, u.Ident, v); lit != nil {
			if kind, ok := t.inLiteral(lit, v); ok {
				switch call := t.callOf(u.Ident); {
				case kind == Started && t.derivesWhileWaitedFor(call):
					t.derived(call)
				case kind == Started:
					t.started(u.Ident, call)
				case kind == Kept && t.flow.onlySubtests(t.pkg, t.file, lit, v):
					t.inSubtest(u.Ident)
				default:
					t.add(kind, u.Ident.Pos(), call)
				}
				continue
			}
		}
		t.value(u.Ident)
	}
}

// callOf returns the call that gets an expression directly.
func (t *tracer) callOf(e ast.Expr) *ast.CallExpr {
	parent, child := t.flow.census.Outer(t.file, e)
	if call, ok := parent.(*ast.CallExpr); ok && ast.Node(call.Fun) != child {
		return call
	}
	return nil
}

// inLiteral tells what becomes of a context that a function literal captures; ok is false when it runs in place.
func (t *tracer) inLiteral(lit *ast.FuncLit, v *types.Var) (FateKind, bool) {
	for lit != nil {
		switch t.flow.RunOf(t.pkg, t.file, lit) {
		case AtEnd:
			return Cleanup, true
		case AfterEnd:
			return Registered, true
		case Concurrent:
			return Started, true
		case Anytime:
			return Kept, true
		}
		lit = t.flow.literalAround(t.file, t.flow.census.Parent(t.file, lit), v)
	}
	return Used, false
}

// written reports whether an identifier is assigned to.
func (t *tracer) written(id *ast.Ident) bool {
	parent, child := t.flow.census.Outer(t.file, id)
	as, ok := parent.(*ast.AssignStmt)
	if !ok {
		return false
	}
	for _, lhs := range as.Lhs {
		if ast.Node(lhs) == child {
			return true
		}
	}
	return false
}

// retains reports whether a declared function of the world keeps the context that a call gives it: in a field, in a
// goroutine, in what it returns.
func (f *Flow) retains(fn *types.Func, call *ast.CallExpr, arg ast.Node, depth int) bool {
	b, v := f.body(fn), parameter(fn, call, arg)
	switch {
	case v == nil:
		return false
	case b == nil:
		return slices.Contains(f.prog.Taken(fn).Keeps, indexOf(fn, v))
	}
	return f.keepsParameter(b, v, depth)
}

// keepsParameter reports whether a function keeps the context that comes in through a parameter.
func (f *Flow) keepsParameter(b *funcBody, v *types.Var, depth int) bool {
	return f.circles.ask(question{v, "keeps"}, func() bool {
		return slices.ContainsFunc(f.FatesOf(b.pkg, b.file, v), func(fate Fate) bool { return f.outlives(b, fate, depth) })
	})
}

// Outlives reports whether a context is needed when the function has returned: it is kept, or a goroutine gets it that the function
// does not wait for.
func (f *Flow) Outlives(pkg *program.Package, file *program.File, fate Fate) bool {
	return f.outlives(&funcBody{pkg: pkg, file: file}, fate, 0)
}

func (f *Flow) outlives(b *funcBody, fate Fate, depth int) bool {
	if fate.Kind != Started || fate.Call == nil && !fate.Asks {
		return fate.Kind == Kept || fate.Kind == Registered || fate.Kind == Started
	}
	if !f.waitedFor(b.pkg, b.file, fate.node, fate.from) {
		return true
	}
	if fate.Asks {
		return false
	}
	for _, r := range resultTypes(b.pkg.Info.TypeOf(fate.Call)) {
		if carries(r) || lives(r) {
			return true // what becomes of that is not followed into goroutines
		}
	}
	return fate.Fn != nil && slices.ContainsFunc(fate.Call.Args, func(arg ast.Expr) bool {
		return carries(b.pkg.Info.TypeOf(arg)) && f.retains(fate.Fn, fate.Call, arg, depth+1)
	})
}

// LooksOnly reports whether what a call of a declared function of the world does with one of its arguments, a context, is to look
// values up.
func (f *Flow) LooksOnly(pkg *program.Package, call *ast.CallExpr, arg ast.Expr) bool {
	fn := census.Callee(pkg.Info, call)
	return fn != nil && f.looksOnly(fn, call, arg, 0)
}

// looksOnly reports whether a declared function of the world does nothing with the context that a call gives it but
// look values up.
func (f *Flow) looksOnly(fn *types.Func, call *ast.CallExpr, arg ast.Node, depth int) bool {
	b, v := f.body(fn), parameter(fn, call, arg)
	switch {
	case v == nil || depth > 3:
		return false
	case b == nil:
		return slices.Contains(f.prog.Taken(fn).Looks, indexOf(fn, v))
	}
	return f.looksAt(b, v)
}

// looksAt reports whether a function only looks values up in the context that comes in through a parameter.
func (f *Flow) looksAt(b *funcBody, v *types.Var) bool {
	return f.circles.ask(question{v, "looks"}, func() bool {
		fates := f.FatesOf(b.pkg, b.file, v)
		return len(fates) > 0 && !slices.ContainsFunc(fates, func(fate Fate) bool { return fate.Kind != Looked })
	})
}

// indexOf returns the index of a parameter.
func indexOf(fn *types.Func, v *types.Var) int {
	params := fn.Origin().Signature().Params()
	for i := range params.Len() {
		if params.At(i) == v {
			return i
		}
	}
	return -1
}

// Taken tells what a declared function does with the contexts that it is given.
func (f *Flow) Taken(fn *types.Func) program.Taken {
	var t program.Taken
	b := f.body(fn)
	if b == nil {
		return t
	}
	params := fn.Signature().Params()
	for i := range params.Len() {
		switch v := params.At(i); {
		case !carries(v.Type()):
		case f.keepsParameter(b, v, 0):
			t.Keeps = append(t.Keeps, i)
		case f.looksAt(b, v):
			t.Looks = append(t.Looks, i)
		}
	}
	return t
}

// parameter returns the parameter of a declared function that a call's argument is for, nil when it is not plain.
func parameter(fn *types.Func, call *ast.CallExpr, arg ast.Node) *types.Var {
	sig := fn.Origin().Signature()
	for i, a := range call.Args {
		if ast.Node(a) == arg && i < sig.Params().Len() && !(sig.Variadic() && i == sig.Params().Len()-1) {
			return sig.Params().At(i)
		}
	}
	return nil
}
