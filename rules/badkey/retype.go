package badkey

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// retype returns the fix that makes a key type of the program which holds texts in slices, type key []byte, a string
// type, or why that is for a person to do. Both are empty for types that are none of that kind.
func (r *reporter) retype(k *census.Key) (*rules.Fix, string) {
	tn := r.declared(k.GoType)
	if tn == nil || !ofText(k.GoType) {
		return nil, ""
	}
	if r.census.MentionedUnchecked(tn) {
		return nil, "a file that was not type-checked mentions " + tn.Name() + ": make it a comparable type"
	}
	in := &rules.RetypeText{Type: tn}
	for _, s := range k.Sites {
		if s.Pkg.World {
			in.Sites = append(in.Sites, s)
		}
	}
	for _, u := range r.census.TypeUses(tn) {
		if !r.onlyKey(u) {
			return nil, tn.Name() + " serves for more than keys of constant text: make it a comparable type"
		}
	}
	return &rules.Fix{Title: "make " + tn.Name() + " a string type", Applicability: rules.Review, Intent: in}, ""
}

// declared returns the name of a type that the world declares at package level, without methods; nil for others.
func (r *reporter) declared(t types.Type) *types.TypeName {
	named, ok := types.Unalias(t).(*types.Named)
	if !ok || named.NumMethods() > 0 || named.TypeArgs().Len() > 0 || named.Obj().Pkg() == nil || named.Obj().Parent() != named.Obj().Pkg().Scope() {
		return nil
	}
	if f := r.census.Program.FileOf(named.Obj().Pos()); f == nil || !f.World {
		return nil
	}
	return named.Obj()
}

// onlyKey reports whether a mention of the type makes a key of a constant text, or declares a variable or parameter that is
// looked up and nothing else.
func (r *reporter) onlyKey(u census.Use) bool {
	parent, child := r.census.Outer(u.File, r.census.NameExpr(u.File, u.Ident))
	switch p := parent.(type) {
	case *ast.CallExpr:
		return ast.Node(p.Fun) == child && textOf(u.Pkg, p) != "" && r.becomesKey(u, p)
	case *ast.ValueSpec:
		return ast.Node(p.Type) == child && r.lookedUp(u, p.Names)
	case *ast.Field:
		list, _ := r.census.Parent(u.File, p).(*ast.FieldList)
		fn, ok := r.census.Parent(u.File, list).(*ast.FuncType)
		return ok && fn.Params == list && r.lookedUp(u, p.Names)
	}
	return false
}

// becomesKey reports whether an expression of the type is looked up, handed to a parameter of the type, or kept in
// a variable that is looked up and nothing else.
func (r *reporter) becomesKey(u census.Use, e ast.Expr) bool {
	if r.census.NamesKey(e) {
		return true
	}
	parent, child := r.census.Outer(u.File, e)
	switch p := parent.(type) {
	case *ast.ValueSpec:
		return len(p.Names) == len(p.Values) && r.lookedUp(u, p.Names)
	case *ast.AssignStmt:
		var names []*ast.Ident
		for _, lhs := range p.Lhs {
			id, ok := lhs.(*ast.Ident)
			if !ok {
				return false
			}
			names = append(names, id)
		}
		return len(p.Lhs) == len(p.Rhs) && r.lookedUp(u, names)
	case *ast.CallExpr:
		return handedAs(u.Pkg, p, child, u.Pkg.Info.TypeOf(e))
	}
	return false
}

// handedAs reports whether an argument goes to a parameter of the given type, or is converted to a string.
func handedAs(pkg *program.Package, call *ast.CallExpr, arg ast.Node, t types.Type) bool {
	if tv := pkg.Info.Types[call.Fun]; tv.IsType() {
		return types.Identical(tv.Type, types.Typ[types.String])
	}
	sig, ok := pkg.Info.TypeOf(call.Fun).(*types.Signature)
	if !ok {
		return false
	}
	for i, a := range call.Args {
		if ast.Node(a) == arg && i < sig.Params().Len() {
			return !(sig.Variadic() && i == sig.Params().Len()-1) && types.Identical(sig.Params().At(i).Type(), t)
		}
	}
	return false
}

// lookedUp reports whether variables become keys wherever they are mentioned, apart from their declaration.
func (r *reporter) lookedUp(u census.Use, names []*ast.Ident) bool {
	for _, name := range names {
		v, ok := u.Pkg.Info.ObjectOf(name).(*types.Var)
		if !ok {
			return name.Name == "_"
		}
		for _, use := range r.census.Uses(v) {
			if use.Pkg.Info.Defs[use.Ident] != nil {
				continue
			}
			if e := r.census.NameExpr(use.File, use.Ident); !r.census.IsKeyArgument(use) && !r.assigned(use) && !r.argument(use, e) {
				return false
			}
		}
	}
	return true
}

// assigned reports whether a mention is the left side of an assignment: what is assigned is looked at where it is made.
func (r *reporter) assigned(u census.Use) bool {
	as, ok := r.census.Parent(u.File, u.Ident).(*ast.AssignStmt)
	return ok && as.Tok == token.ASSIGN && slices.Contains(as.Lhs, ast.Expr(u.Ident))
}

// argument reports whether a variable is handed to a parameter of its type, or converted to a string.
func (r *reporter) argument(u census.Use, e ast.Expr) bool {
	parent, child := r.census.Outer(u.File, e)
	call, ok := parent.(*ast.CallExpr)
	return ok && handedAs(u.Pkg, call, child, u.Pkg.Info.TypeOf(e))
}
