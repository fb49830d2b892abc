package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// retypable reports whether every use of a constant, variable or parameter stays right when
// its declaration takes the key type, given what else is retyped.
func (kp *keyPlan) retypable(obj types.Object) bool {
	switch obj := obj.(type) {
	case *types.Const:
		return kp.usesAreKeys(obj) && kp.constSpecFits(obj)
	case *types.Var:
		if fn, i := kp.census.ParamOf(obj); fn != nil {
			return kp.usesAreKeys(obj) && kp.paramFits(obj, fn, i)
		}
		return kp.usesAreKeys(obj) && kp.varFits(obj)
	}
	return false
}

// usesAreKeys reports whether every mention of obj is its declaration, a point of the
// family, or an argument for a parameter that is retyped as well.
func (kp *keyPlan) usesAreKeys(obj types.Object) bool {
	uses := kp.census.Uses(obj)
	for _, u := range uses {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		e := kp.census.NameExpr(u.File, u.Ident)
		if kp.byExpr[e] == nil && !kp.isRetypedArg(u, e) {
			return false
		}
	}
	return len(uses) > 0
}

// isRetypedArg reports whether e is passed for a parameter that takes the key type.
func (kp *keyPlan) isRetypedArg(u census.Use, e ast.Expr) bool {
	parent, child := kp.census.Outer(u.File, e)
	call, ok := parent.(*ast.CallExpr)
	if !ok {
		return false
	}
	for i, a := range call.Args {
		if ast.Node(a) != child {
			continue
		}
		fn := census.Callee(u.Pkg.Info, call)
		if fn == nil || i >= fn.Signature().Params().Len() {
			return false
		}
		return kp.retyped[fn.Origin().Signature().Params().At(i).Pos()] != nil
	}
	return false
}

// A valueDecl is where a constant or variable is declared.
type valueDecl struct {
	file *program.File
	decl *ast.GenDecl // nil for :=
	spec *ast.ValueSpec
	// index is the place of spec in decl.
	index int
	// assign is set for v := x.
	assign *ast.AssignStmt
	name   *ast.Ident
	local  bool
}

// declOf finds the declaration of a constant or variable.
func (pl *planner) declOf(obj types.Object) *valueDecl {
	for _, u := range pl.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] == nil {
			continue
		}
		d := &valueDecl{file: u.File, name: u.Ident}
		switch p := pl.census.Parent(u.File, u.Ident).(type) {
		case *ast.ValueSpec:
			d.spec = p
			d.decl, _ = pl.census.Parent(u.File, p).(*ast.GenDecl)
			if d.decl == nil {
				return nil
			}
			for i, s := range d.decl.Specs {
				if s == ast.Spec(p) {
					d.index = i
				}
			}
			_, top := pl.census.Parent(u.File, d.decl).(*ast.File)
			d.local = !top
			return d
		case *ast.AssignStmt:
			d.assign, d.local = p, true
			return d
		}
	}
	return nil
}

// constSpecFits reports whether a constant's spec can take the type without touching
// others: a spec with several names, or one that later specs repeat, must be retyped as a whole.
func (kp *keyPlan) constSpecFits(obj *types.Const) bool {
	d := kp.declOf(obj)
	if d == nil || d.spec == nil || uneditable(d.file) != "" {
		return false
	}
	head, chain := repetition(d)
	if head.Type != nil && !basicTypeExpr(kp.pkgOf(d.file), head.Type) {
		return false
	}
	for _, spec := range chain {
		for _, name := range spec.Names {
			if name.Name != "_" && kp.retyped[name.Pos()] == nil {
				return false
			}
		}
	}
	return true
}

// repetition returns the spec whose values a constant has, and all specs that share them
// by implicit repetition.
func repetition(d *valueDecl) (head *ast.ValueSpec, chain []*ast.ValueSpec) {
	start := d.index
	for start > 0 && len(d.decl.Specs[start].(*ast.ValueSpec).Values) == 0 {
		start--
	}
	head = d.decl.Specs[start].(*ast.ValueSpec)
	chain = []*ast.ValueSpec{head}
	for _, s := range d.decl.Specs[start+1:] {
		spec := s.(*ast.ValueSpec)
		if len(spec.Values) > 0 {
			break
		}
		chain = append(chain, spec)
	}
	return head, chain
}

// basicTypeExpr reports whether a type expression means a built-in type.
func basicTypeExpr(pkg *program.Package, e ast.Expr) bool {
	t := pkg.Info.TypeOf(e)
	if t == nil {
		return false
	}
	_, ok := types.Unalias(t).(*types.Basic)
	return ok
}

// pkgOf returns a package, in some configuration, that compiles the file.
func (pl *planner) pkgOf(f *program.File) *program.Package {
	for _, cfg := range pl.prog.Configs {
		path := f.PkgPath
		if f.XTest {
			path += "_test"
		}
		p := cfg.Package(path)
		if p == nil {
			continue
		}
		for _, have := range p.Files {
			if have == f {
				return p
			}
		}
	}
	return nil
}

// varFits reports whether a variable has one declaration with one constant value and is never assigned.
func (kp *keyPlan) varFits(obj *types.Var) bool {
	d := kp.declOf(obj)
	if d == nil || uneditable(d.file) != "" || kp.packageLevel(obj) && kp.census.MentionedUnchecked(obj) {
		return false
	}
	pkg := kp.pkgOf(d.file)
	if d.assign != nil {
		return d.assign.Tok == token.DEFINE && len(d.assign.Lhs) == 1 && len(d.assign.Rhs) == 1 &&
			pkg.Info.Types[d.assign.Rhs[0]].Value != nil
	}
	return len(d.spec.Names) == 1 && len(d.spec.Values) == 1 && pkg.Info.Types[d.spec.Values[0]].Value != nil &&
		(d.spec.Type == nil || basicTypeExpr(pkg, d.spec.Type)) && untypedConst(pkg, d.spec.Values[0])
}

// paramFits reports whether a parameter can take the key type: nobody outside the program calls
// the function, every call is seen, and every argument is an untyped constant or retyped as well.
func (kp *keyPlan) paramFits(obj *types.Var, fn *types.Func, i int) bool {
	if fn.Exported() && (fn.Signature().Recv() != nil || fn.Pkg().Name() != "main" && !kp.prog.FileOf(fn.Pos()).Test) {
		return false // an exported function should not ask for a type that its callers cannot name
	}
	if fn.Signature().Recv() != nil && kp.census.InterfaceMethod(fn.Name()) {
		return false // an interface may ask for the method as it is
	}
	if kp.census.MentionedUnchecked(fn) {
		return false // a file that was not type-checked may call it
	}
	if kp.hasOtherType(fn) {
		return false
	}
	field, file := kp.paramField(obj)
	if field == nil || len(field.Names) != 1 || uneditable(file) != "" || !basicTypeExpr(kp.pkgOf(file), field.Type) {
		return false
	}
	args, open := kp.census.Args(fn, i)
	if open {
		return false
	}
	for _, a := range args {
		if a.Pkg.Info.Types[a.Expr].Value != nil {
			if c := census.NamedConst(a.Pkg, a.Expr); c != nil && kp.retyped[c.Pos()] != nil {
				continue
			}
			if untypedConst(a.Pkg, a.Expr) {
				continue
			}
			return false
		}
		v := namedVar(a.Pkg, ast.Unparen(a.Expr))
		if v == nil || kp.retyped[v.Pos()] == nil {
			return false
		}
	}
	return true
}

// hasOtherType reports whether a function is stored in a variable whose type is written down, or that
// is declared elsewhere: the type would have to follow the parameter's.
func (d *draft) hasOtherType(fn *types.Func) bool {
	for _, u := range d.census.Uses(fn) {
		parent, child := d.census.Outer(u.File, d.census.NameExpr(u.File, u.Ident))
		switch p := parent.(type) {
		case *ast.ValueSpec:
			if p.Type != nil && slices.ContainsFunc(p.Values, func(v ast.Expr) bool { return ast.Node(v) == child }) {
				return true
			}
		case *ast.AssignStmt:
			if p.Tok != token.DEFINE && slices.ContainsFunc(p.Rhs, func(v ast.Expr) bool { return ast.Node(v) == child }) {
				return true
			}
		}
	}
	return false
}

// paramField finds the parameter list entry of a parameter.
func (kp *keyPlan) paramField(obj types.Object) (*ast.Field, *program.File) {
	for _, u := range kp.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			if f, ok := kp.census.Parent(u.File, u.Ident).(*ast.Field); ok {
				return f, u.File
			}
		}
	}
	return nil, nil
}

// untypedConst reports whether a constant expression has no type of its own, so that it converts by itself.
func untypedConst(pkg *program.Package, e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.BasicLit:
		return true
	case *ast.Ident, *ast.SelectorExpr:
		c := census.NamedConst(pkg, e)
		if c == nil {
			return false
		}
		b, ok := c.Type().(*types.Basic)
		return ok && b.Info()&types.IsUntyped != 0
	case *ast.BinaryExpr:
		return untypedConst(pkg, e.X) && untypedConst(pkg, e.Y)
	case *ast.UnaryExpr:
		return untypedConst(pkg, e.X)
	}
	return false
}

// writeRetyped plans the edits of the declarations that take the key type.
func (kp *keyPlan) writeRetyped() error {
	done := map[ast.Node]bool{}
	for _, obj := range kp.retypedInOrder() {
		kt := kp.needType()
		if v, ok := obj.(*types.Var); ok {
			if field, file := kp.paramField(v); field != nil {
				kp.splice(file, field.Type.Pos(), field.Type.End(), kt.name())
				continue
			}
		}
		d := kp.declOf(obj)
		switch {
		case d.assign != nil:
			rhs := d.assign.Rhs[0]
			if kp.replaced[ast.Unparen(rhs)] {
				continue
			}
			kp.splice(d.file, rhs.Pos(), rhs.End(), kt.name(), Lit("("), Keep(kp.offset(d.file, rhs.Pos()), kp.offset(d.file, rhs.End())), Lit(")"))
		default:
			spec := d.spec
			if _, isConst := obj.(*types.Const); isConst {
				spec, _ = repetition(d)
			}
			if done[spec] {
				continue
			}
			done[spec] = true
			if spec.Type != nil {
				kp.splice(d.file, spec.Type.Pos(), spec.Type.End(), kt.name())
			} else {
				end := spec.Names[len(spec.Names)-1].End()
				kp.splice(d.file, end, end, Lit(" "), kt.name())
			}
			if err := kp.convertValues(d, spec); err != nil {
				return err
			}
		}
	}
	return nil
}

// convertValues wraps the values of a retyped spec that have a type of their own.
func (kp *keyPlan) convertValues(d *valueDecl, spec *ast.ValueSpec) error {
	pkg := kp.pkgOf(d.file)
	for _, v := range spec.Values {
		if !untypedConst(pkg, v) && !mentionsIota(pkg, v) {
			kp.splice(d.file, v.Pos(), v.End(), kp.needType().name(), Lit("("), Keep(kp.offset(d.file, v.Pos()), kp.offset(d.file, v.End())), Lit(")"))
		}
	}
	return nil
}

func mentionsIota(pkg *program.Package, e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && pkg.Info.Uses[id] == types.Universe.Lookup("iota") {
			found = true
		}
		return true
	})
	return found
}
