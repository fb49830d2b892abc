package flow

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// RunOf tells when a function literal runs.
func (f *Flow) RunOf(pkg *program.Package, file *program.File, lit *ast.FuncLit) Run {
	start := callable{pkg: pkg, file: file, lit: lit}
	run, known := f.runs[start]
	if !known {
		r := &runner{flow: f, seen: map[callable]bool{}}
		r.add(start)
		run = r.follow()
		f.runs[start] = run
	}
	return run
}

// and returns when something runs that runs at two times: at any time, unless one of them is the later one.
func (r Run) and(other Run) Run {
	switch {
	case r == other || other == InPlace:
		return r
	case r == InPlace:
		return other
	case max(r, other) == AfterEnd:
		return AfterEnd
	}
	return Anytime
}

// A callable is something that is called: a function literal, or what a variable holds.
type callable struct {
	pkg  *program.Package
	file *program.File
	lit  *ast.FuncLit
	v    *types.Var // alone
}

// A runner goes all the ways by which a function literal comes to be called, from variable to parameter and out of the
// literals around a call, each once: functions may hand what they are given on to themselves, or to one another. All that is found
// on the ways counts alike, so that no answer depends on what was asked before.
type runner struct {
	flow *Flow
	run  Run
	seen map[callable]bool
	todo []callable
}

func (r *runner) add(c callable) {
	if !r.seen[c] {
		r.seen[c] = true
		r.todo = append(r.todo, c)
	}
}

func (r *runner) at(run Run) { r.run = r.run.and(run) }

func (r *runner) follow() Run {
	for len(r.todo) > 0 && r.run != Anytime {
		next := r.todo[len(r.todo)-1]
		r.todo = r.todo[:len(r.todo)-1]
		if run, known := r.flow.runs[next]; known {
			r.at(run)
		} else if next.lit != nil {
			r.literal(next)
		} else {
			r.variable(next.v)
		}
	}
	return r.run
}

// literal follows a function literal to what it is given to.
func (r *runner) literal(c callable) {
	if r.flow.parallel(c.pkg, c.lit) {
		r.at(Anytime)
		return
	}
	parent, child := r.flow.census.Outer(c.file, c.lit)
	switch p := parent.(type) {
	case *ast.CallExpr:
		if ast.Node(p.Fun) == child {
			r.at(r.flow.callRun(c.file, p))
		} else {
			r.given(c.pkg, c.file, p, child)
		}
		return
	case *ast.AssignStmt:
		if p.Tok == token.DEFINE && len(p.Lhs) == len(p.Rhs) {
			for i, rhs := range p.Rhs {
				if id, ok := p.Lhs[i].(*ast.Ident); ok && ast.Node(rhs) == child {
					r.named(c.pkg, id)
					return
				}
			}
		}
	case *ast.ValueSpec:
		for i, v := range p.Values {
			if ast.Node(v) == child && len(p.Names) == len(p.Values) {
				r.named(c.pkg, p.Names[i])
				return
			}
		}
	}
	r.at(Anytime)
}

// named follows a function into the local variable that is declared for it.
func (r *runner) named(pkg *program.Package, id *ast.Ident) {
	v, ok := pkg.Info.Defs[id].(*types.Var)
	if !ok || v.Parent() == pkg.Types.Scope() {
		r.at(Anytime)
		return
	}
	r.add(callable{v: v})
}

// variable follows the function that a variable holds: it runs as its calls do, when it is only called, and handed to what
// calls it.
func (r *runner) variable(v *types.Var) {
	for _, u := range r.flow.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, child := r.flow.census.Outer(u.File, u.Ident)
		switch p := parent.(type) {
		case *ast.CallExpr:
			if ast.Node(p.Fun) == child {
				r.at(r.flow.callRun(u.File, p))
			} else {
				r.given(u.Pkg, u.File, p, child)
			}
			r.around(u, p, v)
		case *ast.BinaryExpr: // compared to nil
		default:
			r.at(Anytime)
			return
		}
	}
}

// around adds the function literals between a call and the declaration of the variable that it calls, or hands on.
func (r *runner) around(u census.Use, call *ast.CallExpr, v *types.Var) {
	for lit := r.flow.literalAround(u.File, call, v); lit != nil; {
		r.add(callable{pkg: u.Pkg, file: u.File, lit: lit})
		lit = r.flow.literalAround(u.File, r.flow.census.Parent(u.File, lit), v)
	}
}

// given follows a function into a call that gets it.
func (r *runner) given(pkg *program.Package, file *program.File, call *ast.CallExpr, arg ast.Node) {
	fn := census.Callee(pkg.Info, call)
	switch {
	case fn == nil:
		r.at(Anytime)
	case runsAtEnd(fn):
		r.at(AfterEnd)
	case r.flow.spawns(fn):
		r.at(Concurrent)
	case callsAtOnce(fn):
		r.at(r.flow.callRun(file, call))
	default:
		r.at(r.flow.callRun(file, call))
		r.parameter(fn, argumentIndex(pkg, call, arg))
	}
}

// argumentIndex returns which parameter of a function or method gets an argument, -1 for none.
func argumentIndex(pkg *program.Package, call *ast.CallExpr, arg ast.Node) int {
	first := 0
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if s := pkg.Info.Selections[sel]; s != nil && s.Kind() == types.MethodExpr {
			first = 1 // the receiver
		}
	}
	for i, a := range call.Args {
		if ast.Node(a) == arg {
			return i - first
		}
	}
	return -1
}

// parameter follows a function into a parameter of a declared function of the world.
func (r *runner) parameter(fn *types.Func, i int) {
	params := fn.Origin().Signature().Params()
	if i < 0 || i >= params.Len() || fn.Signature().Variadic() && i == params.Len()-1 || r.flow.body(fn) == nil {
		r.at(Anytime)
		return
	}
	v := params.At(i)
	if _, ok := v.Type().Underlying().(*types.Signature); !ok {
		r.at(Anytime)
		return
	}
	r.add(callable{v: v})
}

// literalAround returns the innermost function literal between a node and the declaration of a variable, nil for none.
func (f *Flow) literalAround(file *program.File, n ast.Node, v *types.Var) *ast.FuncLit {
	for _, up := range f.around(file, n) {
		if lit, ok := up.(*ast.FuncLit); ok {
			if v.Pos() >= lit.Pos() && v.Pos() < lit.End() {
				return nil
			}
			return lit
		}
	}
	return nil
}
