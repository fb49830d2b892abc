package growingctx

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "growingctx"

// Rule reports contexts that grow with every turn of a loop.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Review}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	f := &finder{flow: pass.Flow(), census: pass.Census}
	f.flow.EachCall(f.call)
	return f.list
}

// A finder collects findings.
type finder struct {
	flow   *flow.Flow
	census *census.Census
	list   []*rules.Finding
}

// A growth is a statement v = With...(v, ...) that runs many times.
type growth struct {
	pkg  *program.Package
	file *program.File
	as   *ast.AssignStmt
	call *ast.CallExpr
	v    *types.Var
	// around is what runs many times: a loop, or a function literal.
	around ast.Node
	body   *ast.BlockStmt
}

// call judges a call that derives a context from a variable and is assigned to it.
func (f *finder) call(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	if !makesContext(pkg.Info, call) {
		return
	}
	parent, child := f.census.Outer(file, call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || as.Tok != token.ASSIGN || len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child {
		return
	}
	g := &growth{pkg: pkg, file: file, as: as, call: call}
	for _, lhs := range as.Lhs {
		if id, ok := lhs.(*ast.Ident); ok && flow.IsContext(pkg.Info.TypeOf(lhs)) {
			g.v, _ = pkg.Info.Uses[id].(*types.Var)
		}
	}
	if g.v == nil || g.v.Parent() == pkg.Types.Scope() || !g.derivesFrom() {
		return
	}
	if f.repeats(g); g.around == nil || f.after(g) || f.meant(g) || f.flow.OnPurpose(file, as.Pos()) {
		return
	}
	f.report(g)
}

// makesContext reports whether a result of a call is a context.
func makesContext(info *types.Info, call *ast.CallExpr) bool {
	results, ok := info.TypeOf(call).(*types.Tuple)
	if !ok {
		return flow.IsContext(info.TypeOf(call))
	}
	for v := range results.Variables() {
		if flow.IsContext(v.Type()) {
			return true
		}
	}
	return false
}

// derivesFrom reports whether an argument is the variable itself, or derived from it in place.
func (g *growth) derivesFrom() bool {
	var from func(call *ast.CallExpr) bool
	from = func(call *ast.CallExpr) bool {
		for _, arg := range call.Args {
			switch arg := ast.Unparen(arg).(type) {
			case *ast.Ident:
				if g.pkg.Info.Uses[arg] == g.v {
					return true
				}
			case *ast.CallExpr:
				if flow.Implements(g.pkg.Info.TypeOf(arg)) && from(arg) {
					return true
				}
			}
		}
		return false
	}
	return from(g.call)
}

// repeats finds what makes the statement run many times: the innermost loop, or a literal that is called at any time, between it and
// the declaration of the variable.
func (f *finder) repeats(g *growth) {
	for n := f.census.Parent(g.file, g.as); n != nil; n = f.census.Parent(g.file, n) {
		if g.v.Pos() >= n.Pos() && g.v.Pos() < n.End() {
			return
		}
		switch n := n.(type) {
		case *ast.ForStmt:
			g.around, g.body = n, n.Body
		case *ast.RangeStmt:
			g.around, g.body = n, n.Body
		case *ast.FuncLit:
			if f.flow.RunOf(g.pkg, g.file, n) == flow.Anytime {
				g.around, g.body = n, n.Body
			}
		default:
			continue
		}
		if g.around != nil {
			return
		}
	}
}

// after reports whether the same turn has assigned to the variable before: it was reset, or that statement is the one to be
// reported.
func (f *finder) after(g *growth) bool {
	for _, s := range g.body.List {
		as, ok := s.(*ast.AssignStmt)
		if !ok || as == g.as || as.Pos() > g.as.Pos() {
			continue
		}
		for _, lhs := range as.Lhs {
			if id, ok := lhs.(*ast.Ident); ok && g.pkg.Info.Uses[id] == g.v {
				return true
			}
		}
	}
	return false
}

// meant reports whether the context is to grow: what it has become is looked at behind what runs many times, or by the
// condition of the loop.
func (f *finder) meant(g *growth) bool {
	if g.v.Kind() == types.ResultVar {
		return true
	}
	loop, _ := g.around.(*ast.ForStmt)
	for _, u := range f.census.Uses(g.v) {
		at := u.Ident.Pos()
		if u.File == g.file && (at > g.around.End() || loop != nil && at > loop.Pos() && at < loop.Body.Pos()) {
			return true
		}
	}
	return false
}

func (f *finder) report(g *growth) {
	what := "every turn of the loop"
	if _, ok := g.around.(*ast.FuncLit); ok {
		what = "every call of the function"
	}
	finding := &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("%s grows with %s: each look-up and each end goes through all that came before",
			g.v.Name(), what),
		File: g.file, Pos: g.as.Pos(), End: g.as.End(),
		Applicability: rules.Review,
		Blocker:       f.blocker(g),
		Fix: &rules.Fix{
			Title:         "declare " + g.v.Name() + " inside",
			Applicability: rules.Review,
			Intent:        &rules.ShadowContext{File: g.file, Assign: g.as},
		},
	}
	f.list = append(f.list, finding)
}

// blocker says why the variable cannot be declared where it is assigned to: what the statement gives is used outside its block, or
// by the next turn, or not at all; or something else is assigned as well.
func (f *finder) blocker(g *growth) *rules.Blocker {
	block := f.census.Parent(g.file, g.as)
	switch block.(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
	default:
		return g.blocked("condition", "the statement is part of another one; declare a variable in front of it")
	}
	for _, lhs := range g.as.Lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok {
			return &rules.Blocker{Reason: "other-variable", Message: types.ExprString(lhs) + " is assigned as well, and cannot be declared", File: g.file, Pos: lhs.Pos()}
		}
		if id.Name == "_" || g.pkg.Info.Uses[id] == g.v {
			continue
		}
		return &rules.Blocker{Reason: "other-variable", Message: id.Name + " is assigned as well; declare both inside", File: g.file, Pos: id.Pos()}
	}
	used, before, outside := false, false, false
	for _, u := range f.census.Uses(g.v) {
		at := u.Ident.Pos()
		switch {
		case u.File != g.file || at < g.body.Pos() || at >= g.body.End():
		case at < block.Pos() || at >= block.End():
			outside = true
		case at >= g.as.End():
			used = used || !f.assigned(u)
		case at < g.as.Pos():
			before = true
		}
	}
	switch {
	case outside:
		return g.blocked("condition", "the statement stands in a block of its own, and what it gives is used outside that; declare a variable in front of it")
	case before:
		return g.blocked("used-before", "what the last turn has made of "+g.v.Name()+" is used in front of the statement")
	case !used:
		return g.blocked("unused", "nothing behind the statement uses "+g.v.Name()+"; remove it, or pass it")
	}
	return f.elsewhere(g)
}

func (g *growth) blocked(reason, message string) *rules.Blocker {
	return &rules.Blocker{Reason: reason, Message: message, File: g.file, Pos: g.as.Pos()}
}

// assigned reports whether a mention only assigns.
func (f *finder) assigned(u census.Use) bool {
	parent, child := f.census.Outer(u.File, u.Ident)
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
