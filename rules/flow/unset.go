package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A making is a place that makes a value of a struct type: a literal, or nothing but zeros.
type making struct {
	pkg  *program.Package
	file *program.File
	at   ast.Node
	lit  *ast.CompositeLit // nil where all is zero
}

// holdsNil reports whether a value that is a context by what it embeds is made somewhere without that: each of its methods panics.
func (f *Flow) holdsNil(s *Source) bool {
	return slices.ContainsFunc(embedded(s.Var.Type()), func(fd *types.Var) bool {
		values, _ := f.fieldValues(fd)
		return f.leftUnset(fd) || slices.ContainsFunc(values, func(e census.Expr) bool { return e.Pkg.Info.Types[ast.Unparen(e.Expr)].IsNil() })
	})
}

// embedded returns the fields by which a struct is a context, outermost first; none for other types, and where no field can be nil.
func embedded(t types.Type) []*types.Var {
	named, ok := types.Unalias(deref(t)).(*types.Named)
	if !ok || types.IsInterface(named) || !Implements(t) {
		return nil
	}
	_, index, _ := types.LookupFieldOrMethod(named, true, named.Obj().Pkg(), "Done")
	var path []*types.Var
	may := false
	at := types.Type(named)
	for _, i := range index[:max(len(index)-1, 0)] {
		st, ok := Under(deref(at)).(*types.Struct)
		if !ok {
			return nil
		}
		fd := st.Field(i)
		path, at = append(path, fd.Origin()), fd.Type()
		may = may || nilable(at)
	}
	if !may {
		return nil
	}
	return path
}

// fieldValues returns what literals store in a field; unset is set when some leave it out.
func (f *Flow) fieldValues(fd *types.Var) (values []census.Expr, unset bool) {
	for _, m := range f.makings(fd) {
		if value := m.value(fd); value != nil {
			values = append(values, census.Expr{Expr: value, File: m.file, Pkg: m.pkg})
		} else {
			unset = true
		}
	}
	return values, unset
}

// leftUnset reports whether a value is made without a field, and the function which makes it does not store there either.
func (f *Flow) leftUnset(fd *types.Var) bool {
	return slices.ContainsFunc(f.makings(fd), func(m making) bool {
		return m.value(fd) == nil && !f.storedIn(m, fd)
	})
}

// storedIn reports whether the declaration around the place where a value is made stores something in a field.
func (f *Flow) storedIn(m making, fd *types.Var) bool {
	var decl ast.Node = m.at
	for n := m.at; n != nil; n = f.census.Parent(m.file, n) {
		if _, ok := n.(ast.Decl); ok {
			decl = n
		}
	}
	return slices.ContainsFunc(f.storesIn(fd), func(u census.Use) bool {
		return u.File == m.file && decl.Pos() <= u.Ident.Pos() && u.Ident.Pos() < decl.End()
	})
}

// assignedAnywhere reports whether a statement stores something in a field, or takes its address.
func (f *Flow) assignedAnywhere(fd *types.Var) bool { return len(f.storesIn(fd)) > 0 }

func (f *Flow) storesIn(fd *types.Var) []census.Use {
	return slices.DeleteFunc(f.census.Uses(fd), func(u census.Use) bool {
		parent, child := f.census.Outer(u.File, f.census.NameExpr(u.File, u.Ident))
		switch p := parent.(type) {
		case *ast.AssignStmt:
			return !slices.ContainsFunc(p.Lhs, func(lhs ast.Expr) bool { return ast.Node(lhs) == child })
		case *ast.UnaryExpr:
			return p.Op != token.AND
		}
		return true
	})
}

// value returns what is stored in a field, nil for nothing.
func (m making) value(fd *types.Var) ast.Expr {
	if m.lit == nil || len(m.lit.Elts) == 0 {
		return nil
	}
	for _, e := range m.lit.Elts {
		kv, ok := e.(*ast.KeyValueExpr)
		if !ok {
			break
		}
		if id, ok := kv.Key.(*ast.Ident); ok && m.pkg.Info.Uses[id] != nil && m.pkg.Info.Uses[id].Pos() == fd.Pos() {
			return kv.Value
		}
	}
	st, ok := program.Underlying(m.pkg.Info, m.lit).(*types.Struct)
	if _, keyed := m.lit.Elts[0].(*ast.KeyValueExpr); !ok || keyed {
		return nil
	}
	for i := range min(st.NumFields(), len(m.lit.Elts)) {
		if st.Field(i).Pos() == fd.Pos() {
			return m.lit.Elts[i]
		}
	}
	return nil
}

// makings returns the places that make a value of the struct type with a field.
func (f *Flow) makings(fd *types.Var) []making {
	f.makesRead.Do(f.readMakings)
	return f.made[fd.Pos()]
}

// readMakings finds the places that make values of struct types with fields for contexts, by the positions of these fields: they are
// the same in all build configurations.
func (f *Flow) readMakings() {
	f.made = map[token.Pos][]making{}
	fields := map[token.Pos][]*types.Var{}
	add := func(pkg *program.Package, file *program.File, at ast.Node, t types.Type, lit *ast.CompositeLit) {
		for _, fd := range contextFields(fields, t) {
			f.made[fd.Pos()] = append(f.made[fd.Pos()], making{pkg, file, at, lit})
		}
	}
	for _, file := range f.prog.Files {
		pkg := f.Package(file)
		if pkg == nil || file.AST == nil {
			continue
		}
		ast.Inspect(file.AST, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				if t := pkg.Info.TypeOf(n); t != nil && !f.onlyKey(pkg, file, n) {
					add(pkg, file, n, t, n)
				}
			case *ast.CallExpr:
				if id, ok := ast.Unparen(n.Fun).(*ast.Ident); ok && pkg.Info.Uses[id] == types.Universe.Lookup("new") && len(n.Args) == 1 {
					add(pkg, file, n, pkg.Info.TypeOf(n.Args[0]), nil)
				}
			case *ast.ValueSpec:
				if len(n.Values) == 0 && n.Type != nil {
					add(pkg, file, n, pkg.Info.TypeOf(n.Type), nil)
				}
			}
			return true
		})
	}
}

// onlyKey reports whether a literal is compared, or goes where anything goes, as a key of a value does: nobody asks it for a context.
func (f *Flow) onlyKey(pkg *program.Package, file *program.File, lit *ast.CompositeLit) bool {
	parent, child := f.census.Outer(file, lit)
	switch p := parent.(type) {
	case *ast.BinaryExpr:
		return true
	case *ast.CallExpr:
		sig, ok := program.Underlying(pkg.Info, p.Fun).(*types.Signature)
		i := slices.IndexFunc(p.Args, func(a ast.Expr) bool { return ast.Node(a) == child })
		if !ok || i < 0 || i >= sig.Params().Len() {
			return false
		}
		param, ok := sig.Params().At(i).Type().Underlying().(*types.Interface)
		return ok && param.Empty()
	}
	return false
}

// contextFields returns the fields of a struct type of the world that are contexts, or embedded and bring one; known holds the answers so
// far, by where the types are declared.
func contextFields(known map[token.Pos][]*types.Var, t types.Type) []*types.Var {
	named, ok := types.Unalias(deref(t)).(*types.Named)
	if !ok {
		return nil
	}
	pos := named.Obj().Pos()
	list, ok := known[pos]
	if ok {
		return list
	}
	if st, ok := named.Underlying().(*types.Struct); ok {
		for fd := range st.Fields() {
			if IsContext(fd.Type()) || nilable(fd.Type()) && asked(fd.Type()) != "" || fd.Embedded() && Implements(fd.Type()) {
				list = append(list, fd.Origin())
			}
		}
	}
	known[pos] = list
	return list
}
