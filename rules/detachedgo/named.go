package detachedgo

import (
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// named reports a goroutine that is waited for and runs a function which takes no context and makes one from nothing. The
// function needs a parameter first.
func (f *finder) named(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	g := f.flow.Started(pkg, file, call)
	if g == nil || g.Lit != nil || file.Test || f.flow.OnPurpose(file, g.Node().Pos()) {
		return
	}
	fn := census.Callee(pkg.Info, call)
	if fn == nil || takesContext(fn.Signature()) {
		return
	}
	birth := f.born[fn]
	if birth == nil {
		return
	}
	src := f.source(g)
	life := f.flow.Lifetime(g)
	if src == nil || life.Kind != flow.Joined {
		return
	}
	f.list = append(f.list, &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("%s starts from nothing, and takes no context, although %s: it cannot be cancelled by the caller, who waits for it (%s); give it a parameter for the context",
			flow.Callee(call), src.InScope(), life.Evidence),
		File: file, Pos: call.Fun.Pos(), End: call.Fun.End(),
		Applicability: rules.Manual,
		Status:        rules.NoFix,
		Related: []rules.Related{
			{File: birth.File, Pos: birth.Call.Pos(), Message: "made here"},
			{File: file, Pos: life.Pos, Message: "waited for here"},
		},
	})
}

// noteBirth remembers, for a declared function without a context, the first one that it makes and works with itself.
func (f *finder) noteBirth(b *flow.Birth) {
	if f.flow.OnPurpose(b.File, b.Call.Pos()) || f.flow.Memoizes(b.Pkg, b.File, b.Call.Pos()) || len(f.flow.All(b.File, b.Call.Pos())) > 0 {
		return
	}
	var decl *ast.FuncDecl
	for n := f.census.Parent(b.File, b.Call); n != nil; n = f.census.Parent(b.File, n) {
		switch n := n.(type) {
		case *ast.FuncLit, *ast.GoStmt, *ast.DeferStmt:
			return
		case *ast.FuncDecl:
			decl = n
		}
	}
	if decl == nil {
		return
	}
	fn, ok := b.Pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok || f.born[fn] != nil || len(f.users(b)) == 0 {
		return
	}
	f.born[fn] = b
}

// takesContext reports whether a function gets a context, or what carries one.
func takesContext(sig *types.Signature) bool {
	for p := range sig.Params().Variables() {
		if flow.Implements(p.Type()) || flow.Carries(p.Type()) {
			return true
		}
	}
	return false
}
