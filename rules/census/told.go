package census

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// told finds the key that a call hands to a function of which users say that it stores or looks one up. What the function does
// cannot be read, so it counts as code outside the world that does: a key of built-in type that reaches it cannot change, and
// has the other half that the world may lack.
func (b *builder) told(pkg *program.Package, f *program.File, call *ast.CallExpr) {
	told := b.census.Program.Hints.Forwarders
	if len(told) == 0 {
		return
	}
	fn := Callee(pkg.Info, call)
	if fn == nil {
		return
	}
	for _, t := range told {
		if !program.Named([]string{t.Func}, fn) {
			continue
		}
		at := t.Key
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && methodExpr(pkg.Info, sel) {
			at++ // T.Set(t, key, value)
		}
		if at >= len(call.Args) {
			continue
		}
		lk := &Lookup{Role: Reader, Call: call, Context: call.Args[at], Key: call.Args[at], File: f, Pkg: b.elsewhere(pkg, fn)}
		if t.Writes {
			lk.Role = Writer
		}
		b.lookup(lk)
	}
}

// elsewhere returns what a package is to the code of a function that cannot be read: a package outside the world.
func (b *builder) elsewhere(pkg *program.Package, fn *types.Func) *program.Package {
	out := &program.Package{Path: fn.Pkg().Path(), Name: pkg.Name, Dir: pkg.Dir, Config: pkg.Config, DepModule: fn.Pkg().Path(), Files: pkg.Files, Types: pkg.Types, Info: pkg.Info, Bodies: true}
	if b.toldOf == nil {
		b.toldOf = map[*program.Package]*types.Func{}
	}
	b.toldOf[out] = fn
	return out
}
