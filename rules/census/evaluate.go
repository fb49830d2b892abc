package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An evaluation is what an expression may be: constants of built-in type, and, with open set, anything.
// Neither means a key of another type.
type evaluation struct {
	values []constant.Value
	open   bool
}

var cannotTell = evaluation{open: true}

// maxDepth bounds the constants that refer to constants.
const maxDepth = 20

// eval evaluates a key expression by its syntax.
func (s *untypedScan) eval(f *program.File, e ast.Expr, depth int) evaluation {
	if depth > maxDepth {
		return cannotTell
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.BasicLit:
		if v := constant.MakeFromLiteral(e.Value, e.Kind, 0); v.Kind() != constant.Unknown {
			return evaluation{values: []constant.Value{v}}
		}
	case *ast.BinaryExpr:
		return s.binary(f, e, depth)
	case *ast.Ident:
		return s.ident(f, e, depth)
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		if path := s.ex.importNames(f)[identName(x)]; ok && path != "" {
			return s.object(path, e.Sel.Name)
		}
	case *ast.CallExpr:
		if len(e.Args) == 1 {
			return s.conversion(f, e, depth)
		}
	case *ast.CompositeLit:
		return evaluation{} // a struct or array
	case *ast.UnaryExpr:
		if _, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok && e.Op == token.AND {
			return evaluation{}
		}
	}
	return cannotTell
}

func identName(id *ast.Ident) string {
	if id == nil {
		return ""
	}
	return id.Name
}

func (s *untypedScan) binary(f *program.File, e *ast.BinaryExpr, depth int) evaluation {
	x, y := s.eval(f, e.X, depth+1), s.eval(f, e.Y, depth+1)
	if e.Op != token.ADD || x.open || y.open || len(x.values) == 0 || len(y.values) == 0 {
		return cannotTell
	}
	var ev evaluation
	for _, a := range x.values {
		for _, b := range y.values {
			if a.Kind() != constant.String || b.Kind() != constant.String {
				return cannotTell
			}
			ev.values = append(ev.values, constant.BinaryOp(a, token.ADD, b))
		}
	}
	return ev
}

// ident evaluates a name: a constant of these files, or an object of the type-checked part of the package.
func (s *untypedScan) ident(f *program.File, id *ast.Ident, depth int) evaluation {
	if id.Name == "true" || id.Name == "false" {
		return evaluation{values: []constant.Value{constant.MakeBool(id.Name == "true")}}
	}
	decls := s.decls[mentionedName{f.PkgDir, id.Name}]
	if len(decls) == 0 {
		if path := s.ex.importNames(f)["."]; path != "" {
			if ev := s.object(path, id.Name); !ev.open {
				return ev
			}
		}
		return s.object(f.PkgPath, id.Name)
	}
	var all evaluation
	for _, d := range decls {
		var ev evaluation
		switch {
		case d.typ != nil && !s.anyType && !s.builtin(d.file, d.typ, depth+1): // a key of another type
		case d.value == nil || d.other:
			ev = cannotTell
		default:
			ev = s.eval(d.file, d.value, depth+1)
		}
		all.values = append(all.values, ev.values...)
		all.open = all.open || ev.open
	}
	return all
}

// object evaluates a package-level name of a type-checked package, in every configuration.
func (s *untypedScan) object(path, name string) evaluation {
	var all evaluation
	known := false
	for _, ix := range s.b.census.indexes {
		p := ix.cfg.Package(path)
		if p == nil || p.Types == nil {
			continue
		}
		switch obj := p.Types.Scope().Lookup(name).(type) {
		case *types.Const:
			known = true
			if basicOf(obj.Type()) != nil || s.anyType {
				all.values = append(all.values, obj.Val())
			}
		case *types.Var:
			known = true
			if !carrierType(obj.Type()) && basicOf(obj.Type()) == nil {
				break // a pointer or a struct
			}
			in := ix.inflow(obj, "")
			all.open = all.open || len(in.unknown) > 0
			for _, r := range in.refs {
				all.values = append(all.values, s.b.constantsOf(ix, r)...)
			}
		}
	}
	if !known {
		return cannotTell
	}
	return all
}

// conversion evaluates T(x): x when T is a built-in or interface type or an alias of one.
func (s *untypedScan) conversion(f *program.File, call *ast.CallExpr, depth int) evaluation {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		if fun.Name == "new" {
			return evaluation{} // a pointer
		}
		if s.isType(f, fun) {
			if !s.anyType && !s.builtin(f, fun, depth+1) {
				return evaluation{}
			}
			return s.eval(f, call.Args[0], depth+1)
		}
	case *ast.SelectorExpr:
		if s.isType(f, fun) {
			if !s.anyType && !s.builtin(f, fun, depth+1) {
				return evaluation{}
			}
			return s.eval(f, call.Args[0], depth+1)
		}
	case *ast.InterfaceType:
		return s.eval(f, call.Args[0], depth+1)
	}
	return cannotTell
}

// isType reports whether a name is known to be a type's.
func (s *untypedScan) isType(f *program.File, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		for _, d := range s.decls[mentionedName{f.PkgDir, e.Name}] {
			if d.named || d.typ != nil && d.value == nil && !d.other {
				return true
			}
		}
		if s.typeName(f.PkgPath, e.Name) != nil {
			return true
		}
		_, ok := types.Universe.Lookup(e.Name).(*types.TypeName)
		return ok
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && s.typeName(s.ex.importNames(f)[x.Name], e.Sel.Name) != nil
	}
	return false
}

func (s *untypedScan) typeName(path, name string) *types.TypeName {
	for _, ix := range s.b.census.indexes {
		if p := ix.cfg.Package(path); p != nil && p.Types != nil {
			if tn, ok := p.Types.Scope().Lookup(name).(*types.TypeName); ok {
				return tn
			}
		}
	}
	return nil
}

// builtin reports whether a type expression means, or may mean, a built-in or interface type.
func (s *untypedScan) builtin(f *program.File, e ast.Expr, depth int) bool {
	if depth > maxDepth {
		return true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		for _, d := range s.decls[mentionedName{f.PkgDir, e.Name}] {
			if d.named {
				return false
			}
			if d.typ != nil && d.value == nil {
				return s.builtin(d.file, d.typ, depth+1)
			}
		}
		if tn := s.typeName(f.PkgPath, e.Name); tn != nil {
			return carrierType(tn.Type()) || basicOf(tn.Type()) != nil
		}
		return true
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if tn := s.typeName(s.ex.importNames(f)[x.Name], e.Sel.Name); tn != nil {
				return carrierType(tn.Type()) || basicOf(tn.Type()) != nil
			}
		}
		return true
	case *ast.InterfaceType:
		return true
	}
	return false
}

// constantsOf returns the constants an expression may be, as far as it can be followed.
func (b *builder) constantsOf(ix *index, r ref) []constant.Value {
	var vals []constant.Value
	seen := map[refSeen]bool{}
	var walk func(r ref)
	walk = func(r ref) {
		if seen[r.seen()] {
			return
		}
		seen[r.seen()] = true
		if tv := r.pkg.Info.Types[r.expr]; r.want == "" && tv.Value != nil {
			vals = append(vals, tv.Value)
			return
		}
		for _, next := range ix.step(r).refs {
			walk(next)
		}
	}
	walk(r)
	return vals
}
