package census

import (
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Place is where code keeps a context: a variable, a field, what a method hands out, or a request that has it.
type Place struct {
	// Root is the variable that Path begins with.
	Root *types.Var
	Path string
	// Request is set when the place holds a *http.Request, whose context is meant.
	Request bool
}

// A Keeping is a statement that puts the context which a writer makes into a place: ctx = context.WithValue(...),
// r = r.WithContext(context.WithValue(...)), c.SetUserContext(context.WithValue(...)).
type Keeping struct {
	Place
	Stmt ast.Stmt
	// Again is set when the writer extends the context of that very place, and a request is a copy of the one there.
	Again bool
	// At is the expression that names the place, From the request that is copied, nil for none.
	At, From ast.Expr
}

// Shared reports whether others than the function may look at a place.
func (p Place) Shared() bool { return strings.Contains(p.Path, ".") }

// Keeping returns the statement that keeps what a writer makes, nil for none.
func (c *Census) Keeping(s *Site) *Keeping {
	if s.Lookup.Call == nil {
		return nil
	}
	var e ast.Expr = s.Lookup.Call
	k := &Keeping{}
	parent, child := c.Outer(s.File, e)
	if call, ok := parent.(*ast.CallExpr); ok {
		if from := requestMethod(s.Pkg, call, "WithContext"); from != nil && ast.Node(call.Args[0]) == child {
			k.Request, k.From = true, from
			e = call
			parent, child = c.Outer(s.File, e)
		}
	}
	switch p := parent.(type) {
	case *ast.AssignStmt:
		if len(p.Lhs) != 1 || len(p.Rhs) != 1 {
			return nil
		}
		k.Stmt, k.At = p, p.Lhs[0]
		k.Root, k.Path = pathOf(s.Pkg, k.At)
	case *ast.CallExpr:
		stmt, ok := c.Parent(s.File, p).(*ast.ExprStmt)
		sel, isSel := ast.Unparen(p.Fun).(*ast.SelectorExpr)
		if !ok || !isSel || len(p.Args) != 1 || ast.Node(p.Fun) == child {
			return nil
		}
		getter := getterOf(s.Pkg, sel)
		if getter == "" {
			return nil
		}
		k.Stmt, k.At = stmt, sel.X
		if k.Root, k.Path = pathOf(s.Pkg, sel.X); k.Root != nil {
			k.Path += "." + getter + "()"
		}
	}
	if k.Root == nil {
		return nil
	}
	k.Again = TakenFrom(s) == k.Place
	if k.Again && k.From != nil {
		root, path := pathOf(s.Pkg, k.From)
		k.Again = root == k.Root && path == k.Path
	}
	return k
}

// TakenFrom returns the place from which a writer takes the context that it extends, the zero Place for none.
func TakenFrom(s *Site) Place {
	if call, ok := ast.Unparen(s.Lookup.Context).(*ast.CallExpr); ok {
		if from := requestMethod(s.Pkg, call, "Context"); from != nil {
			root, path := pathOf(s.Pkg, from)
			return Place{root, path, root != nil}
		}
	}
	root, path := pathOf(s.Pkg, s.Lookup.Context)
	return Place{Root: root, Path: path}
}

// requestMethod returns the request on which a method of *http.Request is called, nil for other calls.
func requestMethod(pkg *program.Package, call *ast.CallExpr, name string) ast.Expr {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if fn := Callee(pkg.Info, call); !ok || fn == nil || fn.FullName() != "(*net/http.Request)."+name {
		return nil
	}
	return sel.X
}

// pathOf writes an expression made of a variable, fields and methods without parameters, and returns the variable; nil for others.
func pathOf(pkg *program.Package, e ast.Expr) (*types.Var, string) {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		if v, ok := pkg.Info.ObjectOf(e).(*types.Var); ok {
			return v, e.Name
		}
	case *ast.SelectorExpr:
		if s := pkg.Info.Selections[e]; s != nil && s.Kind() == types.FieldVal {
			if root, path := pathOf(pkg, e.X); root != nil {
				return root, path + "." + e.Sel.Name
			}
		}
	case *ast.CallExpr:
		sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr)
		if s := pkg.Info.Selections[sel]; ok && len(e.Args) == 0 && s != nil && s.Kind() == types.MethodVal {
			if root, path := pathOf(pkg, sel.X); root != nil {
				return root, path + "." + sel.Sel.Name + "()"
			}
		}
	}
	return nil, ""
}

// getterOf returns the method that hands out what another one, SetX, takes; "" for none.
func getterOf(pkg *program.Package, set *ast.SelectorExpr) string {
	name, ok := strings.CutPrefix(set.Sel.Name, "Set")
	s := pkg.Info.Selections[set]
	if !ok || s == nil || s.Kind() != types.MethodVal {
		return ""
	}
	obj, _, _ := types.LookupFieldOrMethod(s.Recv(), true, pkg.Types, name)
	get, ok := obj.(*types.Func)
	if !ok {
		return ""
	}
	in, out := s.Obj().(*types.Func).Signature().Params(), get.Signature().Results()
	if in.Len() != 1 || out.Len() != 1 || get.Signature().Params().Len() > 0 || !types.Identical(in.At(0).Type(), out.At(0).Type()) {
		return ""
	}
	return name
}

// lastKept returns the call whose context a place holds where a writer takes it from there: the last of its block that
// is put there, nil when something else may have changed the place since.
func (c *Census) lastKept(s *Site, keepers map[ast.Stmt]*Keeping, calls map[ast.Stmt]*ast.CallExpr) *ast.CallExpr {
	from := TakenFrom(s)
	stmt := c.statementOf(s)
	if from.Root == nil || stmt == nil {
		return nil
	}
	list := program.Statements(c.Parent(s.File, stmt))
	at := slices.IndexFunc(list, func(st ast.Stmt) bool { return ast.Node(st) == stmt })
	for at--; at >= 0; at-- {
		if k := keepers[list[at]]; k != nil && k.Place == from {
			return calls[list[at]]
		}
		if changesPlace(s.Pkg, list[at], from) {
			return nil
		}
	}
	return nil
}

// changesPlace reports whether a statement assigns to a place or to what it is part of.
func changesPlace(pkg *program.Package, stmt ast.Stmt, p Place) bool {
	changes := false
	note := func(e ast.Expr, more string) {
		if star, ok := ast.Unparen(e).(*ast.StarExpr); ok {
			e = star.X
		}
		root, path := pathOf(pkg, e)
		changes = changes || root == p.Root && (path+more == p.Path || strings.HasPrefix(p.Path, path+more+"."))
	}
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				note(lhs, "")
			}
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if e != nil {
					note(e, "")
				}
			}
		case *ast.CallExpr:
			if sel, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
				if getter := getterOf(pkg, sel); getter != "" {
					note(sel.X, "."+getter+"()")
				}
			}
		}
		return !changes
	})
	return changes
}
