package requestescape

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "requestescape"

// Rule reports goroutines that work with the context of a request that has been answered.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Levels: []rules.Applicability{rules.Review}, Run: run}

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

// call judges the goroutine that a call starts.
func (f *finder) call(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	g := f.flow.Started(pkg, file, call)
	if g == nil || file.Test || f.flow.OnPurpose(file, g.Node().Pos()) {
		return
	}
	life := f.flow.Lifetime(g)
	if life.Kind != flow.Outlives || f.blocks(g) {
		return
	}
	e := &escape{finder: f, g: g}
	e.arguments()
	e.captured()
	if e.source == nil || e.waits() || len(e.used) == 0 {
		return
	}
	f.report(e, life)
}

// blocks reports whether the function goes on to wait for something when it has started the goroutine: how long it
// lives, and the request with it, cannot be told.
func (f *finder) blocks(g *flow.Goroutine) bool {
	body := f.flow.Enclosing(g)
	found := body == nil
	if found {
		return true
	}
	ast.Inspect(body, func(n ast.Node) bool {
		if n == nil || n == g.Node() {
			return false
		}
		switch n := n.(type) {
		case *ast.FuncLit:
			return f.flow.RunOf(g.Pkg, g.File, n) == flow.InPlace
		case *ast.SelectStmt:
			found = found || n.Pos() > g.Node().Pos()
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW && n.Pos() > g.Node().Pos()
		case *ast.ForStmt:
			found = found || n.End() > g.Node().Pos() && (n.Cond == nil || n.Post == nil && f.flow.WorksIn(g.Pkg, n.Cond))
		case *ast.RangeStmt:
			_, isChan := flow.Under(g.Pkg.Info.TypeOf(n.X)).(*types.Chan)
			found = found || isChan && n.End() > g.Node().Pos()
		case *ast.CallExpr:
			if sel, ok := n.Fun.(*ast.SelectorExpr); ok && sel.Sel.Name == "Wait" && n.Pos() > g.Node().Pos() {
				found = true
			}
		}
		return !found
	})
	return found
}

// An escape is a goroutine with the context of a request that it uses.
type escape struct {
	*finder
	g *flow.Goroutine
	// source is the request's context as it is in scope where the goroutine starts.
	source *flow.Source
	// places are the expressions that denote it in arguments, and by asking the request in the literal; shadow is set when the
	// literal captures a variable that holds it.
	places []*rules.ContextPlace
	shadow bool
	used   []flow.Fate
	// contexts are the variables of the goroutine that hold it.
	contexts []*types.Var
}

// arguments looks at what the goroutine's call is given.
func (e *escape) arguments() {
	if e.g.Stmt == nil {
		return
	}
	for _, arg := range e.g.Call.Args {
		src := e.request(arg)
		if src == nil || !e.take(src) {
			continue
		}
		if e.g.Lit == nil && e.flow.LooksOnly(e.g.Pkg, e.g.Call, arg) {
			continue // it does not mind an end
		}
		e.places = append(e.places, &rules.ContextPlace{Expr: arg})
		if e.g.Lit == nil {
			e.used = append(e.used, flow.Fate{Kind: flow.Used, Pos: e.g.Call.Pos(), Call: e.g.Call})
			continue
		}
		if v := e.parameterOf(arg); v != nil {
			e.contexts = append(e.contexts, v)
			e.uses(e.flow.FatesOf(e.g.Pkg, e.g.File, v))
		}
	}
}

// parameterOf returns the parameter of the literal that gets an argument.
func (e *escape) parameterOf(arg ast.Expr) *types.Var {
	sig, ok := e.g.Pkg.Info.TypeOf(e.g.Lit).(*types.Signature)
	i := slices.Index(e.g.Call.Args, arg)
	if !ok || i >= sig.Params().Len() {
		return nil
	}
	return sig.Params().At(i)
}

// captured looks at what the goroutine's literal uses of the function around it.
func (e *escape) captured() {
	if e.g.Lit == nil || len(e.places) > 0 {
		return
	}
	ast.Inspect(e.g.Lit.Body, func(n ast.Node) bool {
		x, ok := n.(ast.Expr)
		if !ok {
			return true
		}
		src := e.request(x)
		if src == nil || !e.take(src) {
			return true
		}
		e.uses(e.flow.Fates(e.g.Pkg, e.g.File, x))
		if src.Kind == flow.Local || src.Kind == flow.Parameter {
			e.shadow = true
			e.contexts = append(e.contexts, src.Var)
			return false
		}
		e.places = append(e.places, &rules.ContextPlace{Expr: x})
		return false
	})
}

// take notes the context; of several the first one counts.
func (e *escape) take(src *flow.Source) bool {
	if e.source == nil {
		e.source = src
	}
	return e.source.Text == src.Text
}

// uses notes the calls that work with the context.
func (e *escape) uses(fates []flow.Fate) {
	for _, fate := range fates {
		if fate.Kind == flow.Used && fate.Call != nil && !(fate.Fn != nil && fate.Fn.Pkg() != nil && fate.Fn.Pkg().Path() == "log/slog") {
			e.used = append(e.used, fate)
		}
	}
}

// request returns the source that an expression denotes when it is the context of a request: r.Context(), or a variable that
// holds it or what is derived from it.
func (e *escape) request(x ast.Expr) *flow.Source {
	if !flow.IsContext(e.g.Pkg.Info.TypeOf(x)) {
		return nil
	}
	text := types.ExprString(x)
	for _, s := range e.flow.All(e.g.File, e.g.Node().Pos()) {
		if s.Text != text || s.Var == nil || s.Unnamed != nil || !e.same(x, s) {
			continue
		}
		switch s.Kind {
		case flow.Request:
			return s
		case flow.Parameter:
			if e.flow.Served(e.g.Pkg, s.Var) && !e.reassigned(s.Var) {
				return s
			}
		case flow.Local:
			if e.flow.OfRequest(e.g.File, e.g.Pkg, s.Var) {
				return s
			}
		}
	}
	return nil
}

// reassigned reports whether a parameter gets another value: it may hold the values of the context without its end.
func (e *escape) reassigned(v *types.Var) bool {
	return slices.ContainsFunc(e.census.Uses(v), func(u census.Use) bool {
		as, ok := e.census.Parent(u.File, u.Ident).(*ast.AssignStmt)
		return ok && slices.Contains(as.Lhs, ast.Expr(u.Ident))
	})
}

// same reports whether an expression begins with the source's variable.
func (e *escape) same(x ast.Expr, s *flow.Source) bool {
	found := false
	ast.Inspect(x, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && e.g.Pkg.Info.Uses[id] == s.Var {
			found = true
		}
		return !found
	})
	return found
}

// waits reports whether the goroutine asks the context for its end, or goes on until then: it is there to see it.
func (e *escape) waits() bool {
	if e.g.Lit == nil {
		fn := census.Callee(e.g.Pkg.Info, e.g.Call)
		return fn != nil && (e.flow.AsksForEnd(fn) || e.flow.CallRunsUntilEnd(e.g.Pkg, e.g.Call))
	}
	found := e.flow.RunsUntilEnd(e.g.Pkg, e.g.File, e.g.Lit.Body)
	ast.Inspect(e.g.Lit.Body, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && (sel.Sel.Name == "Done" || sel.Sel.Name == "Err") && flow.Implements(e.g.Pkg.Info.TypeOf(sel.X)) {
			found = true
		}
		return !found
	})
	return found
}

func (f *finder) report(e *escape, life flow.Lifetime) {
	g := e.g
	at := g.Node()
	end := at.End()
	if g.Lit != nil && g.Stmt != nil {
		end = g.Lit.Body.Lbrace
	} else if g.Lit != nil {
		end = g.Call.Fun.End()
	}
	finding := &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("this goroutine works with %s, which ends when the request has been answered: %s is broken off then (%s)",
			e.source.Text, flow.Callee(e.used[0].Call), life.Evidence),
		File: g.File, Pos: at.Pos(), End: end,
		Applicability: rules.Review,
		Related:       []rules.Related{{File: g.File, Pos: e.used[0].Pos, Message: "used here"}},
		Fix: &rules.Fix{
			Title:         "give it the values of " + e.source.Text + " without its end",
			Applicability: rules.Review,
			Intent:        &rules.PassToGoroutine{Rule: name, Goroutine: g, Source: e.source, Lifetime: life, Places: e.places, Shadow: e.shadow},
		},
	}
	if f.flow.OwnEnd(g.Pkg, g.File, e.source) {
		finding.Blocker = &rules.Blocker{
			Reason:  "own-end",
			Message: e.source.Text + " has an end of its own, a deadline or a cancel function, which the goroutine would lose with that of the request; derive it from context.WithoutCancel of the request's context",
			File:    g.File, Pos: e.used[0].Pos,
		}
	}
	f.list = append(f.list, finding)
}
