package flow

import (
	"go/ast"
	"go/token"
	"go/types"

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
		f.lifetimes[key] = Lifetime{Unclear, "that depends on itself", g.Node().Pos()}
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

// JoinedWith reports whether a function literal is that of a goroutine which the function around it waits for when the goroutine works with
// the context in a variable: the function may go on without it when that has ended.
func (f *Flow) JoinedWith(pkg *program.Package, file *program.File, lit *ast.FuncLit, ctx *types.Var) bool {
	parent, _ := f.census.Outer(file, lit)
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return false
	}
	g := f.Started(pkg, file, call)
	if g == nil {
		return false
	}
	j := f.joinerOf(g, 0)
	j.passed = ctx
	return j.outer != nil && j.judge().Kind == Joined
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
