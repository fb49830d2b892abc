package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A Goroutine is work that is started beside the function that starts it: by a go statement, or by handing a function to a
// group, a timer or a pool.
type Goroutine struct {
	Pkg  *program.Package
	File *program.File
	// Stmt is the go statement; nil when a call starts the work.
	Stmt *ast.GoStmt
	// Call is the call that the go statement makes, or the one that starts the work.
	Call *ast.CallExpr
	// Lit is the function literal that runs; nil for a named function.
	Lit *ast.FuncLit
}

// Node is the statement or call that starts the goroutine.
func (g *Goroutine) Node() ast.Node {
	if g.Stmt != nil {
		return g.Stmt
	}
	return g.Call
}

// Started returns the goroutine that a call starts, nil when it starts none.
func (f *Flow) Started(pkg *program.Package, file *program.File, call *ast.CallExpr) *Goroutine {
	if stmt := f.goStmt(file, call); stmt != nil {
		lit, _ := ast.Unparen(call.Fun).(*ast.FuncLit)
		return &Goroutine{pkg, file, stmt, call, lit}
	}
	if fn := census.Callee(pkg.Info, call); fn != nil && f.spawns(fn) {
		for _, arg := range call.Args {
			if lit, ok := ast.Unparen(arg).(*ast.FuncLit); ok {
				return &Goroutine{pkg, file, nil, call, lit}
			}
		}
	}
	return nil
}

// Around returns the innermost goroutine whose literal, or whose call's arguments, hold a node; nil when the node is
// reached by other means first: a function that runs at another time.
func (f *Flow) Around(pkg *program.Package, file *program.File, n ast.Node) *Goroutine {
	for up := n; up != nil; up = f.census.Parent(file, up) {
		switch x := up.(type) {
		case *ast.FuncDecl:
			return nil
		case *ast.GoStmt:
			return f.Started(pkg, file, x.Call)
		case *ast.FuncLit:
			switch f.RunOf(pkg, file, x) {
			case Concurrent:
				if parent, _ := f.census.Outer(file, x); parent != nil {
					if call, ok := parent.(*ast.CallExpr); ok {
						return f.Started(pkg, file, call)
					}
				}
				return nil
			case InPlace:
			default:
				return nil
			}
		}
	}
	return nil
}

// A LifetimeKind says how long a goroutine lives, compared with the function that starts it.
type LifetimeKind int

const (
	// Unclear is for goroutines of which nothing tells.
	Unclear LifetimeKind = iota
	// Joined is for goroutines that the function waits for.
	Joined
	// Outlives is for goroutines that nobody in the function waits for.
	Outlives
)

// A Lifetime is how long a goroutine lives, and what says so.
type Lifetime struct {
	Kind LifetimeKind
	// Evidence is a clause: "wg.Wait() waits for it".
	Evidence string
	// Pos is the place of the evidence.
	Pos token.Pos
}

// Lifetime tells how long a goroutine lives, by evidence in the function that starts it: a Wait of the group that counts it, a
// receive from a channel it sends on or closes.
func (f *Flow) Lifetime(g *Goroutine) Lifetime {
	key := startOf{g.Pkg, g.Node()}
	life, known := f.lifetimes[key]
	if !known {
		life = f.lifetime(g, 0)
		f.lifetimes[key] = life
	}
	return life
}

// waitedFor reports whether what a node does is done when the function returns that holds a position: goroutines on the way up
// to it are waited for by the function that starts them, and no literal runs at another time. A goroutine that is waited for by
// one that nobody waits for is not.
func (f *Flow) waitedFor(pkg *program.Package, file *program.File, n ast.Node, from token.Pos) bool {
	for up := n; up != nil; up = f.census.Parent(file, up) {
		if isFunc(up) && up.Pos() <= from && from < up.End() {
			return true
		}
		switch x := up.(type) {
		case *ast.CallExpr:
			if f.callRun(file, x) != Concurrent {
				continue
			}
			if g := f.Started(pkg, file, x); g == nil || f.Lifetime(g).Kind != Joined {
				return false
			}
		case *ast.FuncLit:
			if run := f.RunOf(pkg, file, x); run != InPlace && !(run == Concurrent && f.StartsJoined(pkg, file, x)) {
				return false
			}
		}
	}
	return false
}

// StartsJoined reports whether a function literal is that of a goroutine which the function around it waits for.
func (f *Flow) StartsJoined(pkg *program.Package, file *program.File, lit *ast.FuncLit) bool {
	parent, _ := f.census.Outer(file, lit)
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return false
	}
	g := f.Started(pkg, file, call)
	return g != nil && f.Lifetime(g).Kind == Joined
}

func (f *Flow) lifetime(g *Goroutine, depth int) Lifetime {
	j := &joiner{flow: f, g: g, depth: depth}
	j.signals()
	j.outer = f.Enclosing(g)
	if j.outer == nil {
		return Lifetime{}
	}
	return j.judge()
}

// Enclosing returns the body of the function around a goroutine's start.
func (f *Flow) Enclosing(g *Goroutine) *ast.BlockStmt {
	for n := f.census.Parent(g.File, g.Node()); n != nil; n = f.census.Parent(g.File, n) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			return n.Body
		case *ast.FuncLit:
			if f.RunOf(g.Pkg, g.File, n) != InPlace {
				return n.Body
			}
		}
	}
	return nil
}

// A joiner looks for the place where a goroutine is waited for.
type joiner struct {
	flow  *Flow
	g     *Goroutine
	depth int
	outer *ast.BlockStmt
	// groups and chans are what the goroutine tells its end by: variables and fields.
	groups, chans []types.Object
	// fields are groups and channels among the fields of the value whose method runs: root is the variable that holds it.
	fields []ofRoot
	// foreign is set when it tells it by something that is no variable of the function: a field, a parameter.
	foreign bool
	// pipes are the other ends of pipes that the goroutine works with.
	pipes []types.Object
	// handed is a channel or group, or the other end of a pipe, that leaves the function.
	handed types.Object
}

// signals finds what the goroutine signals its end by.
func (j *joiner) signals() {
	if j.g.Stmt == nil {
		if sel, ok := ast.Unparen(j.g.Call.Fun).(*ast.SelectorExpr); ok && j.flow.canWait(j.g.Pkg.Info.TypeOf(sel.X)) {
			j.add(&j.groups, sel.X)
		}
	}
	for _, arg := range j.g.Call.Args {
		t := j.g.Pkg.Info.TypeOf(arg)
		if t == nil || j.g.Stmt == nil {
			continue
		}
		if u, ok := ast.Unparen(arg).(*ast.UnaryExpr); ok && u.Op == token.AND && j.flow.canWait(t) {
			j.add(&j.groups, u.X)
		} else if _, isChan := t.Underlying().(*types.Chan); isChan {
			j.add(&j.chans, arg)
		} else if j.flow.canWait(t) {
			j.add(&j.groups, arg)
		}
	}
	if j.g.Lit == nil {
		j.method()
		return
	}
	ast.Inspect(j.g.Lit.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			j.add(&j.chans, n.Chan)
		case *ast.CallExpr:
			if id, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && id.Name == "close" && len(n.Args) == 1 {
				j.add(&j.chans, n.Args[0])
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" && j.flow.canWait(j.g.Pkg.Info.TypeOf(sel.X)) {
				j.add(&j.groups, sel.X)
			}
		case *ast.Ident:
			j.pipe(n)
		}
		return true
	})
}

// An ofRoot is a field of what a variable holds.
type ofRoot struct {
	root, field types.Object
}

// method finds what a method of the world signals its end by: groups and channels in fields of its receiver.
func (j *joiner) method() {
	sel, ok := ast.Unparen(j.g.Call.Fun).(*ast.SelectorExpr)
	if !ok {
		return
	}
	id, ok := ast.Unparen(sel.X).(*ast.Ident)
	fn := census.Callee(j.g.Pkg.Info, j.g.Call)
	if !ok || fn == nil || fn.Signature().Recv() == nil {
		return
	}
	b := j.flow.body(fn)
	if b == nil || b.decl.Recv == nil || len(b.decl.Recv.List[0].Names) != 1 {
		return
	}
	root, recv := j.g.Pkg.Info.ObjectOf(id), b.pkg.Info.Defs[b.decl.Recv.List[0].Names[0]]
	field := func(e ast.Expr) {
		if sel, ok := ast.Unparen(e).(*ast.SelectorExpr); ok {
			if x, ok := ast.Unparen(sel.X).(*ast.Ident); ok && b.pkg.Info.Uses[x] == recv {
				j.fields = append(j.fields, ofRoot{root, b.pkg.Info.ObjectOf(sel.Sel)})
				j.foreign = true
			}
		}
	}
	ast.Inspect(b.decl.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.SendStmt:
			field(n.Chan)
		case *ast.CallExpr:
			if id, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && id.Name == "close" && len(n.Args) == 1 {
				field(n.Args[0])
			}
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Done" && j.flow.canWait(b.pkg.Info.TypeOf(sel.X)) {
				field(sel.X)
			}
		}
		return true
	})
}

// pipe notes the other end of a pipe: what was made together with a variable that the goroutine captures, when both can
// be closed. Whoever gets the other end from the function decides for how long the goroutine lives.
func (j *joiner) pipe(id *ast.Ident) {
	v, ok := j.g.Pkg.Info.Uses[id].(*types.Var)
	if !ok || v.IsField() || v.Pos() >= j.g.Lit.Pos() && v.Pos() < j.g.Lit.End() || !ends(v.Type()) {
		return
	}
	for _, u := range j.flow.census.Uses(v) {
		as, ok := j.flow.census.Parent(u.File, u.Ident).(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE || len(as.Rhs) != 1 || u.Pkg.Info.Defs[u.Ident] == nil {
			continue
		}
		for _, lhs := range as.Lhs {
			if other, ok := lhs.(*ast.Ident); ok && other != u.Ident {
				mate, ok := u.Pkg.Info.Defs[other].(*types.Var)
				if !ok || !ends(mate.Type()) {
					continue
				}
				if (&tracer{flow: j.flow, pkg: u.Pkg, file: u.File, seen: map[followed]bool{}}).leaks(mate) {
					j.handed = mate
				} else {
					j.pipes = append(j.pipes, mate)
				}
			}
		}
	}
}

func (j *joiner) add(list *[]types.Object, e ast.Expr) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj := j.g.Pkg.Info.ObjectOf(e)
		v, ok := obj.(*types.Var)
		if !ok {
			return
		}
		if j.g.Lit != nil && v.Pos() >= j.g.Lit.Pos() && v.Pos() < j.g.Lit.End() {
			return // its own
		}
		*list = append(*list, v)
		if v.Parent() == j.g.Pkg.Types.Scope() || j.flow.isParam(v) {
			j.foreign = true
		}
	case *ast.SelectorExpr:
		if obj := j.g.Pkg.Info.ObjectOf(e.Sel); obj != nil {
			*list = append(*list, obj)
		}
		j.foreign = true
	case *ast.UnaryExpr:
		j.add(list, e.X)
	}
}

// judge looks for the function waiting, behind the start of the goroutine or deferred.
func (j *joiner) judge() Lifetime {
	var found *Lifetime
	var past *ast.CommClause
	see := func(n ast.Node, evidence string) {
		if found == nil && (n.Pos() > j.g.Node().End() || j.deferred(n)) {
			found = &Lifetime{Joined, evidence, n.Pos()}
		}
	}
	for _, n := range j.flow.waitsIn(j.g.Pkg, j.g.File, j.outer, len(j.pipes) > 0) {
		switch n := n.(type) {
		case *ast.FuncLit:
			if n != j.g.Lit && found == nil && j.joins(n) {
				found = &Lifetime{Joined, "the function waits for another goroutine that waits for it", n.Pos()}
			}
		case *ast.CallExpr:
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" && j.is(j.groups, sel.X) {
				see(n, types.ExprString(n.Fun)+"() waits for it")
			}
			if j.awaits(n) {
				see(n, types.ExprString(n.Fun)+"() waits for it")
			}
		case *ast.UnaryExpr:
			if !j.is(j.chans, n.X) {
				continue
			}
			if by := j.passedBy(n); by != nil {
				past = by
				continue
			}
			see(n, "the function receives from "+types.ExprString(n.X))
		case *ast.RangeStmt:
			if j.is(j.chans, n.X) {
				see(n.X, "the function receives from "+types.ExprString(n.X))
			}
		case *ast.Ident:
			if j.is(j.pipes, n) {
				see(n, "they share a pipe, the function has "+n.Name)
			}
		}
	}
	if found != nil {
		return *found
	}
	if past != nil {
		return Lifetime{Unclear, "the function waits for it, and may go on without it", past.Pos()}
	}
	return j.without()
}

// deferred reports whether a node is part of deferred code.
func (j *joiner) deferred(n ast.Node) bool {
	for ; n != nil && n != ast.Node(j.outer); n = j.flow.census.Parent(j.g.File, n) {
		if _, ok := n.(*ast.DeferStmt); ok {
			return true
		}
	}
	return false
}

// without judges a goroutine that the function does not wait for.
func (j *joiner) without() Lifetime {
	switch {
	case j.leaves():
		return Lifetime{Unclear, "what tells its end, " + j.handed.Name() + ", leaves the function", j.handed.Pos()}
	case j.foreign:
		return Lifetime{Outlives, "the function returns without waiting for it; others may", j.g.Node().Pos()}
	case len(j.groups)+len(j.chans) > 0:
		return Lifetime{Unclear, "nothing in the function waits for what it signals", j.g.Node().Pos()}
	}
	return Lifetime{Outlives, "the function returns without waiting for it", j.g.Node().Pos()}
}

// leaves reports whether a local channel or group is returned, stored or handed to a call.
func (j *joiner) leaves() bool {
	for _, list := range [][]types.Object{j.groups, j.chans} {
		for _, obj := range list {
			v, ok := obj.(*types.Var)
			if !ok || v.IsField() || j.flow.isParam(v) {
				continue
			}
			for _, u := range j.flow.census.Uses(v) {
				parent, child := j.flow.census.Outer(u.File, u.Ident)
				switch p := parent.(type) {
				case *ast.ReturnStmt, *ast.KeyValueExpr, *ast.CompositeLit:
					j.handed = v
				case *ast.AssignStmt:
					for _, rhs := range p.Rhs {
						if ast.Node(rhs) == child {
							j.handed = v
						}
					}
				case *ast.CallExpr:
					if id, ok := ast.Unparen(p.Fun).(*ast.Ident); ast.Node(p.Fun) != child && p != j.g.Call && !(ok && (id.Name == "close" || id.Name == "len" || id.Name == "cap")) {
						j.handed = v
					}
				}
			}
		}
	}
	return j.handed != nil
}

// joins reports whether a goroutine's literal waits for this one, and is itself waited for.
func (j *joiner) joins(lit *ast.FuncLit) bool {
	if lit == j.g.Lit || j.depth > 2 || len(j.groups)+len(j.chans) == 0 {
		return false
	}
	parent, _ := j.flow.census.Outer(j.g.File, lit)
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return false
	}
	other := j.flow.Started(j.g.Pkg, j.g.File, call)
	if other == nil || other.Lit != lit {
		return false
	}
	waits := false
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" && j.is(j.groups, sel.X) {
				waits = true
			}
		case *ast.UnaryExpr:
			waits = waits || n.Op == token.ARROW && j.is(j.chans, n.X)
		case *ast.RangeStmt:
			waits = waits || j.is(j.chans, n.X)
		}
		return !waits
	})
	return waits && j.flow.lifetime(other, j.depth+1).Kind == Joined
}

// is reports whether an expression denotes one of some objects.
func (j *joiner) is(list []types.Object, e ast.Expr) bool {
	var obj types.Object
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		obj = j.g.Pkg.Info.ObjectOf(e)
	case *ast.SelectorExpr:
		obj = j.g.Pkg.Info.ObjectOf(e.Sel)
		if x, ok := ast.Unparen(e.X).(*ast.Ident); ok && obj != nil && slices.Contains(j.fields, ofRoot{j.g.Pkg.Info.ObjectOf(x), obj}) {
			return true
		}
	case *ast.UnaryExpr:
		return j.is(list, e.X)
	}
	for _, o := range list {
		if obj != nil && o == obj {
			return true
		}
	}
	return false
}
