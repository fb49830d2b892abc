package program

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"path"
	"strconv"
	"strings"
)

// A Startup is code that runs when a program starts because it contains a package.
type Startup struct {
	// PkgPath is the package's import path.
	PkgPath string
	// File and Pos are the place; File is nil outside the world.
	File *File
	Pos  token.Pos
	// What says what runs: "has an init function".
	What string
}

// Startup returns the first code of a package, in any configuration, that runs when a program starts and does more than
// make values; nil when there is none. Of the standard library only what calls other packages counts: registrations.
func (p *Program) Startup(path string) *Startup {
	for _, cfg := range p.Configs {
		q := cfg.Package(path)
		switch {
		case q == nil:
		case !q.World:
			if what := q.foreignStartup(p.loader.tree); what != "" {
				return &Startup{PkgPath: path, What: what}
			}
		case q.Info != nil:
			for _, f := range q.Files {
				if f.AST == nil || f.Test {
					continue
				}
				if s := p.startupIn(q, f); s != nil {
					s.PkgPath, s.File = path, f
					return s
				}
			}
		}
	}
	return nil
}

// startupIn looks at one file: init functions, imports for their effect, and initialisers that call code.
func (p *Program) startupIn(q *Package, f *File) *Startup {
	for _, spec := range f.AST.Imports {
		if spec.Name != nil && spec.Name.Name == "_" && spec.Path.Value != `"embed"` && spec.Path.Value != `"unsafe"` {
			return &Startup{Pos: spec.Pos(), What: "imports " + spec.Path.Value + " for its effect"}
		}
	}
	for _, decl := range f.AST.Decls {
		switch d := decl.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" && d.Body != nil && len(d.Body.List) > 0 {
				return &Startup{Pos: d.Pos(), What: "has an init function"}
			}
		case *ast.GenDecl:
			if d.Tok != token.VAR {
				continue
			}
			for _, spec := range d.Specs {
				for _, v := range spec.(*ast.ValueSpec).Values {
					if n := p.effect(q, v); n != nil {
						return &Startup{Pos: n.Pos(), What: "runs " + types.ExprString(n) + " at package level"}
					}
				}
			}
		}
	}
	return nil
}

// effect returns the first part of an initialiser that may do more than make a value: a call of code, or
// an operation that can panic.
func (p *Program) effect(q *Package, e ast.Expr) ast.Expr {
	var found ast.Expr
	ast.Inspect(e, func(n ast.Node) bool {
		if lit, ok := n.(*ast.FuncLit); ok && lit != nil {
			return false // not run; a call of one on the spot is found as the call
		}
		if x, ok := n.(ast.Expr); ok && found == nil && p.acts(q, x) {
			found = x
		}
		return found == nil
	})
	return found
}

// acts reports whether an expression by itself, its parts apart, may do more than make a value.
func (p *Program) acts(q *Package, e ast.Expr) bool {
	tv := q.Info.Types[e]
	if tv.IsType() || tv.Value != nil {
		return false
	}
	switch e := e.(type) {
	case *ast.CallExpr:
		return !p.makesValue(q, e)
	case *ast.IndexExpr:
		t := q.Info.TypeOf(e.X)
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
func (p *Program) makesValue(q *Package, call *ast.CallExpr) bool {
	if tv, ok := q.Info.Types[call.Fun]; ok && tv.IsType() {
		return !toArray(tv.Type)
	}
	for _, a := range call.Args {
		if u, ok := ast.Unparen(a).(*ast.UnaryExpr); ok && u.Op == token.AND {
			if _, lit := ast.Unparen(u.X).(*ast.CompositeLit); !lit {
				return false
			}
		}
		if t := q.Info.TypeOf(a); t == nil || isFunc(t) {
			return false
		}
	}
	var obj types.Object
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		obj = q.Info.Uses[fun]
	case *ast.SelectorExpr:
		obj = q.Info.Uses[fun.Sel]
		if _, fresh := ast.Unparen(fun.X).(*ast.CallExpr); q.Info.Selections[fun] != nil && !fresh {
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
		of := p.Configs[0].Package(obj.Pkg().Path())
		if of == nil || of.World || of.DepModule != "" {
			return false
		}
		if obj.Pkg().Path() == "fmt" {
			results := obj.Signature().Results()
			return results.Len() == 1 && !types.Identical(results.At(0).Type(), types.Typ[types.Int])
		}
		return !of.ImportsTransitively("os")
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

// foreignStartup says what a package outside the world does when a program starts. Its syntax, which need not have been
// kept, is read again.
func (q *Package) foreignStartup(t tree) string {
	for _, f := range q.Files {
		src, err := t.read(f.Name)
		if err != nil {
			continue
		}
		std := q.DepModule == ""
		if std && !bytes.Contains(src, []byte("\nfunc init()")) {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name, src, parser.SkipObjectResolution)
		switch {
		case err != nil:
			return "cannot be read"
		case std && registers(file), !std && starts(file):
			return "runs code when it is part of a program"
		}
	}
	return ""
}

// starts reports whether a file has an init function, an import for its effect, or an initialiser with a call.
func starts(file *ast.File) bool {
	for _, spec := range file.Imports {
		if spec.Name != nil && spec.Name.Name == "_" && spec.Path.Value != `"embed"` && spec.Path.Value != `"unsafe"` {
			return true
		}
	}
	for _, d := range file.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if d.Recv == nil && d.Name.Name == "init" {
				return true
			}
		case *ast.GenDecl:
			if d.Tok == token.VAR && calls(d) {
				return true
			}
		}
	}
	return false
}

// calls reports whether a declaration calls something outside of function literals.
func calls(d *ast.GenDecl) bool {
	found := false
	ast.Inspect(d, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			found = true
		}
		return !found
	})
	return found
}

// registers reports whether a file of the standard library has an init function that calls another package, as image
// formats and debug handlers do to register themselves.
func registers(file *ast.File) bool {
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
