package plan

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An import runs code: the init functions and initialisers of every package that it brings into a program
// for the first time. newInit finds the first such code of the world that is more than making
// values, nil when there is none. Packages outside the world, which know nothing of the program, are taken for
// harmless in tests; no command is made to contain a new one.
func (pl *planner) newInit(graph *program.ImportGraph, from *program.File, to string) *initCode {
	for _, path := range graph.NewlyLinked(from, to) {
		code, known := pl.inits[path]
		if !known {
			code = pl.initOf(path)
			pl.inits[path] = code
		}
		if code == nil && !from.Test {
			code = pl.newInCommand(from.PkgPath, path)
		}
		if code != nil {
			return code
		}
	}
	return nil
}

// newInCommand tells of a dependency that a command of the world with package from does not contain so far.
func (pl *planner) newInCommand(from, to string) *initCode {
	for _, cfg := range pl.prog.Configs {
		if p := cfg.Package(to); p == nil || p.World || p.DepModule == "" && !registers(p) {
			continue
		}
		for _, p := range cfg.Packages {
			if p.World && p.Name == "main" && !p.XTest && (p.Path == from || pl.imports(p, from)) && !pl.imports(p, to) {
				return &initCode{pkgPath: to, what: "is new to command " + p.Path}
			}
		}
	}
	return nil
}

// registers reports whether a package of the standard library, whose syntax is not kept, has an init function
// that calls another package, as image formats and debug handlers do to register themselves.
func registers(p *program.Package) bool {
	for _, f := range p.Files {
		src, err := os.ReadFile(f.Name)
		if err != nil || !bytes.Contains(src, []byte("\nfunc init()")) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name, src, parser.SkipObjectResolution)
		if err != nil {
			return true
		}
		imports := map[string]bool{}
		for _, spec := range file.Imports {
			imported, err := strconv.Unquote(spec.Path.Value)
			if err == nil && spec.Name == nil && !strings.HasPrefix(imported, "internal/") {
				imports[path.Base(imported)] = true
			}
		}
		for _, d := range file.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" && callsInto(fn, imports) {
				return true
			}
		}
	}
	return false
}

// callsInto reports whether a function calls a function of one of the packages.
func callsInto(fn *ast.FuncDecl, imports map[string]bool) bool {
	found := false
	ast.Inspect(fn, func(n ast.Node) bool {
		if call, ok := n.(*ast.CallExpr); ok {
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				if x, ok := sel.X.(*ast.Ident); ok && imports[x.Name] {
					found = true
				}
			}
		}
		return !found
	})
	return found
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
					if n := pl.effect(p, v); n != nil {
						return &initCode{pos: n.Pos(), what: "runs " + types.ExprString(n) + " at package level"}
					}
				}
			}
		}
	}
	return nil
}

// effect returns the first part of an initialiser that may do more than make a value: a call of code, or
// an operation that can panic.
func (pl *planner) effect(p *program.Package, e ast.Expr) ast.Expr {
	var found ast.Expr
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok && lit != nil {
			return false // not run; a call of one on the spot is found as the call
		}
		if x, ok := n.(ast.Expr); ok && found == nil && pl.acts(p, x) {
			found = x
		}
		return found == nil
	})
	return found
}

// acts reports whether an expression by itself, its parts apart, may do more than make a value.
func (pl *planner) acts(p *program.Package, e ast.Expr) bool {
	tv := p.Info.Types[e]
	if tv.IsType() || tv.Value != nil {
		return false
	}
	switch e := e.(type) {
	case *ast.CallExpr:
		return !pl.makesValue(p, e)
	case *ast.IndexExpr:
		t := p.Info.TypeOf(e.X)
		if t == nil {
			return true
		}
		switch t.Underlying().(type) {
		case *types.Map, *types.Signature:
			return false
		}
		return true
	case *ast.SliceExpr, *ast.StarExpr:
		return true
	case *ast.TypeAssertExpr:
		return true
	case *ast.UnaryExpr:
		return e.Op == token.ARROW
	case *ast.BinaryExpr:
		return e.Op == token.QUO || e.Op == token.REM || e.Op == token.SHL || e.Op == token.SHR
	}
	return false
}

// makesValue reports whether a call is a conversion, a built-in function other than one for output and
// panics, or a function of the standard library whose package cannot reach the operating system;
// fmt's, which can, count when they return what they format. It must not get code to call, or a
// variable to change.
func (pl *planner) makesValue(p *program.Package, call *ast.CallExpr) bool {
	if tv, ok := p.Info.Types[call.Fun]; ok && tv.IsType() {
		return !toArray(tv.Type)
	}
	for _, a := range call.Args {
		if u, ok := ast.Unparen(a).(*ast.UnaryExpr); ok && u.Op == token.AND {
			if _, lit := ast.Unparen(u.X).(*ast.CompositeLit); !lit {
				return false
			}
		}
		if t := p.Info.TypeOf(a); t == nil || isFunc(t) {
			return false
		}
	}
	var obj types.Object
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		obj = p.Info.Uses[fun]
	case *ast.SelectorExpr:
		obj = p.Info.Uses[fun.Sel]
		if _, fresh := ast.Unparen(fun.X).(*ast.CallExpr); p.Info.Selections[fun] != nil && !fresh {
			return false // a method of a variable
		}
	}
	switch obj := obj.(type) {
	case *types.Builtin:
		switch obj.Name() {
		case "panic", "print", "println", "close", "delete", "copy", "clear":
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

func isFunc(t types.Type) bool {
	_, ok := t.Underlying().(*types.Signature)
	return ok
}

// toArray reports whether a conversion to t may panic: one from a slice to an array or a pointer to one.
func toArray(t types.Type) bool {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	_, ok := t.Underlying().(*types.Array)
	return ok
}
