package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An import runs code: the init functions and initialisers of every package that it brings into a program
// for the first time. newInit finds the first such code of the world that is more than making
// values, nil when there is none. Packages outside the world are taken for harmless unless a
// package of the world imports them for nothing but their effect.
func (pl *planner) newInit(graph *program.ImportGraph, from *program.File, to string) *initCode {
	for _, path := range graph.NewlyLinked(from, to) {
		code, known := pl.inits[path]
		if !known {
			code = pl.initOf(path)
			pl.inits[path] = code
		}
		if code != nil {
			return code
		}
	}
	return nil
}

// An initCode is code that runs when a program starts because it contains a package.
type initCode struct {
	pkgPath string
	file    *program.File
	pos     token.Pos
	what    string
}

func (pl *planner) initOf(path string) *initCode {
	for _, cfg := range pl.prog.Configs {
		p := cfg.Package(path)
		if p == nil || !p.World || p.Info == nil {
			continue
		}
		for _, f := range p.Files {
			if f.AST == nil || f.Test {
				continue
			}
			if code := pl.initIn(p, f); code != nil {
				code.pkgPath, code.file = path, f
				return code
			}
		}
	}
	return nil
}

// initIn looks at one file: init functions, imports for their effect, and initialisers that call code.
func (pl *planner) initIn(p *program.Package, f *program.File) *initCode {
	for _, spec := range f.AST.Imports {
		if spec.Name != nil && spec.Name.Name == "_" && spec.Path.Value != `"embed"` && spec.Path.Value != `"unsafe"` {
			return &initCode{pos: spec.Pos(), what: "imports " + spec.Path.Value + " for its effect"}
		}
	}
	for _, decl := range f.AST.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" && d.Body != nil && len(d.Body.List) > 0 {
				return &initCode{pos: d.Pos(), what: "has an init function"}
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				for _, v := range spec.(*ast.ValueSpec).Values {
					if call := pl.effect(p, v); call != nil {
						return &initCode{pos: call.Pos(), what: "calls " + types.ExprString(call.Fun) + " at package level"}
					}
				}
			}
		}
	}
	return nil
}

// effect returns the first call in an initialiser that may do more than make a value.
func (pl *planner) effect(p *program.Package, e ast.Expr) *ast.CallExpr {
	var found *ast.CallExpr
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false // not run; a call of one on the spot is found as the call
		case *ast.CallExpr:
			if found == nil && !pl.makesValue(p, n) {
				found = n
			}
		}
		return found == nil
	})
	return found
}

// makesValue reports whether a call is a conversion, a built-in function other than one for output and
// panics, or a function of the standard library whose package cannot reach the operating system;
// fmt's, which can, count when they return what they format.
func (pl *planner) makesValue(p *program.Package, call *ast.CallExpr) bool {
	if tv, ok := p.Info.Types[call.Fun]; ok && tv.IsType() {
		return true
	}
	var obj types.Object
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		obj = p.Info.Uses[fun]
	case *ast.SelectorExpr:
		obj = p.Info.Uses[fun.Sel]
	}
	switch obj := obj.(type) {
	case *types.Builtin:
		switch obj.Name() {
		case "panic", "print", "println", "close":
			return false
		}
		return true
	case *types.Func:
		if obj.Pkg() == nil {
			return true
		}
		q := pl.prog.Configs[0].Package(obj.Pkg().Path())
		if q == nil || q.World || q.DepModule != "" {
			return false
		}
		if obj.Pkg().Path() == "fmt" {
			results := obj.Signature().Results()
			return results.Len() == 1 && !types.Identical(results.At(0).Type(), types.Typ[types.Int])
		}
		return !q.ImportsTransitively("os")
	}
	return false
}
