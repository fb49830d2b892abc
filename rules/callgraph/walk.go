package callgraph

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A walker goes through the packages of one configuration and finds calls, mentions and links.
type walker struct {
	g   *Graph
	cfg *program.Config
	// sigs tells which function a signature belongs to.
	sigs map[*types.Signature]*Func
	// foreign are the methods and functions from outside the world.
	foreign map[types.Object]*Func
	// pairs are the pairs of types that were walked in step.
	pairs map[[2]types.Type]bool
	// instanceArgs are the type arguments that are written out, of each generic function or type in a package, each list once.
	instanceArgs map[instanceIn][]*types.TypeList
	// boxed are the named types with a value in an interface, asserted the interfaces that are asked for at run time.
	boxed    map[boxed]*place
	boxOrder []boxed
	asserted []*assertion

	pkg  *program.Package
	file *program.File
	// in are the functions around the node in hand.
	in []*Func
	// called are the expressions in the function position of a call.
	called   map[ast.Expr]bool
	mentions map[ast.Expr]*Mention
}

// An instanceIn is a generic function or type as one package uses it.
type instanceIn struct {
	pkg *program.Package
	of  types.Object
}

// boxed is a named type, or a pointer to one.
type boxed struct {
	typ *types.Named
	ptr bool
}

type place struct {
	file *program.File
	pos  token.Pos
}

// An assertion asks at run time whether a value implements an interface.
type assertion struct {
	typ *types.Interface
	place
}

func newWalker(g *Graph, cfg *program.Config) *walker {
	return &walker{
		g: g, cfg: cfg, sigs: map[*types.Signature]*Func{}, foreign: map[types.Object]*Func{}, pairs: map[[2]types.Type]bool{},
		instanceArgs: map[instanceIn][]*types.TypeList{},
		boxed:        map[boxed]*place{}, called: map[ast.Expr]bool{}, mentions: map[ast.Expr]*Mention{},
	}
}

func (w *walker) run() {
	for _, pkg := range w.cfg.Packages {
		if pkg.World && pkg.Info != nil {
			w.register(pkg)
		}
	}
	for _, pkg := range w.cfg.Packages {
		if !pkg.World || pkg.Info == nil {
			continue
		}
		w.pkg = pkg
		for _, w.file = range pkg.Files {
			if w.file.AST != nil {
				w.walkFile()
			}
		}
	}
	w.dynamic()
}

// register notes the signatures that the type checker made for what is written in a package.
func (w *walker) register(pkg *program.Package) {
	for e, tv := range pkg.Info.Types {
		sig, ok := tv.Type.(*types.Signature)
		if !ok {
			continue
		}
		switch e := e.(type) {
		case *ast.FuncType:
			w.sigs[sig] = w.g.byType[e]
		case *ast.FuncLit:
			w.sigs[sig] = w.g.byType[e.Type]
		default:
			if fn := funcNamed(pkg.Info, e); fn != nil && !isMethodExpr(pkg.Info, e) {
				if f := w.g.byPos[fn.Origin().Pos()]; f != nil {
					w.sigs[sig] = f
				}
			}
		}
	}
	for _, obj := range pkg.Info.Defs {
		if fn, ok := obj.(*types.Func); ok {
			if f := w.g.byPos[fn.Pos()]; f != nil {
				w.sigs[fn.Signature()] = f
			}
		}
	}
}

// funcNamed returns the function or method that an expression names, nil for other expressions.
func funcNamed(info *types.Info, e ast.Expr) *types.Func {
	if id := nameOf(e); id != nil {
		fn, _ := info.Uses[id].(*types.Func)
		return fn
	}
	return nil
}

// nameOf returns the identifier by which an expression names something: its last one, instantiation apart.
func nameOf(e ast.Expr) *ast.Ident {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		return e
	case *ast.SelectorExpr:
		return e.Sel
	case *ast.IndexExpr:
		return nameOf(e.X)
	case *ast.IndexListExpr:
		return nameOf(e.X)
	}
	return nil
}

func isMethodExpr(info *types.Info, e ast.Expr) bool {
	sel, ok := ast.Unparen(e).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	s := info.Selections[sel]
	return s != nil && s.Kind() == types.MethodExpr
}

// funcOf returns the Func of an object, one of Kind Foreign for those outside the world.
func (w *walker) funcOf(obj *types.Func) *Func {
	obj = obj.Origin()
	if f := w.g.byPos[obj.Pos()]; f != nil {
		return f
	}
	f := w.foreign[obj]
	if f == nil {
		f = &Func{Kind: Foreign, Name: foreignName(obj), Object: obj, Signature: obj.Signature()}
		w.foreign[obj] = f
	}
	return f
}

// foreignName writes a function's name with its package, as in http.Handler.ServeHTTP.
func foreignName(obj *types.Func) string {
	qualify := func(p *types.Package) string { return p.Name() }
	if recv := obj.Signature().Recv(); recv != nil {
		return types.TypeString(recv.Type(), qualify) + "." + obj.Name()
	}
	if obj.Pkg() == nil {
		return obj.Name()
	}
	return obj.Pkg().Name() + "." + obj.Name()
}

// funcOfType returns the Func that a signature was written for, one of Kind Foreign when that is not in the world.
func (w *walker) funcOfType(sig *types.Signature) *Func {
	if f := w.sigs[sig]; f != nil {
		return f
	}
	for _, tuple := range []*types.Tuple{sig.Params(), sig.Results()} {
		if tuple.Len() == 0 {
			continue
		}
		if f := w.g.byParam[tuple.At(0).Pos()]; f != nil {
			w.sigs[sig] = f
			return f
		}
		break
	}
	f := &Func{Kind: Foreign, Name: "a function type from elsewhere", Signature: sig}
	w.sigs[sig] = f
	return f
}

func (w *walker) enclosing() *Func {
	if len(w.in) == 0 {
		return nil
	}
	return w.in[len(w.in)-1]
}

// walkFile visits the nodes of a file, functions with those around them at hand.
func (w *walker) walkFile() {
	w.called = map[ast.Expr]bool{}
	for _, d := range w.file.AST.Decls {
		w.walk(d)
	}
}

func (w *walker) walk(root ast.Node) {
	ast.Inspect(root, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if n.Recv != nil {
				w.walk(n.Recv)
			}
			w.walk(n.Type)
			if n.Body != nil {
				w.inside(w.g.byType[n.Type], n.Body)
			}
			return false
		case *ast.FuncLit:
			w.walk(n.Type)
			w.inside(w.g.byType[n.Type], n.Body)
			return false
		case *ast.GoStmt:
			w.call(n.Call, true, false)
		case *ast.DeferStmt:
			w.call(n.Call, false, true)
		case *ast.CallExpr:
			w.call(n, false, false)
		case ast.Expr:
			w.mention(n)
		}
		if n != nil {
			w.flows(n)
		}
		return true
	})
	w.instances(root)
}

func (w *walker) inside(f *Func, body *ast.BlockStmt) {
	w.in = append(w.in, f)
	w.walk(body)
	w.in = w.in[:len(w.in)-1]
}

// call notes a call of a function of the world, once for each expression.
func (w *walker) call(e *ast.CallExpr, isGo, isDefer bool) {
	fun := ast.Unparen(e.Fun)
	if w.called[fun] {
		return // seen with its go or defer statement
	}
	w.called[fun] = true
	for x := fun; ; {
		switch y := x.(type) {
		case *ast.IndexExpr:
			x = ast.Unparen(y.X)
		case *ast.IndexListExpr:
			x = ast.Unparen(y.X)
		default:
			w.called[x] = true
			w.callOf(e, fun, isGo, isDefer)
			return
		}
	}
}

func (w *walker) callOf(e *ast.CallExpr, fun ast.Expr, isGo, isDefer bool) {
	tv := w.pkg.Info.Types[fun]
	if tv.IsType() || tv.IsBuiltin() || tv.Type == nil {
		return
	}
	var callee *Func
	named, byMethod := false, false
	if fn := funcNamed(w.pkg.Info, fun); fn != nil {
		callee, named = w.funcOf(fn), true
		byMethod = isMethodExpr(w.pkg.Info, fun)
	} else if sig, ok := tv.Type.Underlying().(*types.Signature); ok {
		callee = w.funcOfType(sig)
	}
	if callee == nil || callee.Kind == Foreign {
		return
	}
	c := w.g.calls[e]
	if c == nil {
		c = &Call{File: w.file, Pkg: w.pkg, Expr: e, In: w.enclosing(), Go: isGo, Defer: isDefer, Named: named, ByMethod: byMethod}
		w.g.calls[e] = c
		w.g.CallList = append(w.g.CallList, c)
	}
	for _, have := range c.Callees {
		if have == callee {
			return
		}
		w.g.link(have, callee, w.file, e.Pos(), "is called in another build configuration where")
	}
	c.Callees = append(c.Callees, callee)
	callee.Calls = append(callee.Calls, c)
}

// mention notes an expression that names a function of the world as a value; it returns nil for others.
func (w *walker) mention(e ast.Expr) *Mention {
	e = ast.Unparen(e)
	if m, seen := w.mentions[e]; seen || w.called[e] {
		return m
	}
	switch e.(type) {
	case *ast.Ident, *ast.SelectorExpr, *ast.IndexExpr, *ast.IndexListExpr:
	default:
		return nil
	}
	fn := funcNamed(w.pkg.Info, e)
	if fn == nil || !w.pkg.Info.Types[e].IsValue() {
		return nil
	}
	f := w.funcOf(fn)
	if f.Kind == Foreign {
		return nil
	}
	// The parts of a longer name are no mentions of their own.
	for x := e; ; {
		w.mentions[x] = nil
		switch y := x.(type) {
		case *ast.IndexExpr:
			x = ast.Unparen(y.X)
			continue
		case *ast.IndexListExpr:
			x = ast.Unparen(y.X)
			continue
		case *ast.SelectorExpr:
			w.mentions[y.Sel] = nil
		}
		break
	}
	m := &Mention{File: w.file, Pkg: w.pkg, Expr: e, In: w.enclosing(), ByMethod: isMethodExpr(w.pkg.Info, e)}
	w.mentions[e] = m
	for _, have := range f.Mentions {
		if have.Expr == e {
			w.mentions[e] = have
			return have // by another configuration
		}
	}
	f.Mentions = append(f.Mentions, m)
	if m.ByMethod {
		f.fix(w.file, e.Pos(), "is used as a method expression, whose first parameter is the receiver")
	}
	return m
}

// fix notes a place that holds a function's type fast.
func (f *Func) fix(file *program.File, pos token.Pos, why string) {
	for _, have := range f.Fixed {
		if have.Pos == pos {
			return
		}
	}
	f.Fixed = append(f.Fixed, &Fixed{file, pos, why})
}
