package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strconv"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// An adopted variable is a local one that is declared under the parameter's name, where that would not compile any more.
type adopted struct {
	define *ast.AssignStmt
	// drop is set when the statement does nothing but give the parameter another name.
	drop bool
}

// chooseNames names every parameter that is used.
func (sp *sigPlan) chooseNames() {
	for _, p := range sp.order {
		if len(p.uses) > 0 || p.twin != "" {
			sp.chooseName(p)
		}
	}
}

func (sp *sigPlan) chooseName(p *newParam) {
	for i := 1; ; i++ {
		names := sp.candidates(i)
		if i == 1 && p.target != nil && p.target.Name != "" {
			names = append([]string{p.target.Name}, names...)
		}
		for _, name := range names {
			if locals, ok := sp.fits(p, name); ok {
				p.name, p.locals = name, locals
				return
			}
		}
	}
}

// candidates are the names tried for the parameter, in the i-th round.
func (sp *sigPlan) candidates(i int) []string {
	base := sp.in.Param.Name
	tries := append([]string{base}, withEndings(base, "Value")...)
	if sp.isContext() {
		tries = []string{base, "parent", "callerCtx"}
	}
	if i > 1 {
		for j := range tries {
			tries[j] += strconv.Itoa(i)
		}
	}
	return tries
}

// shownName is the name of the parameter in a function type without a body.
func (sp *sigPlan) shownName(f *callgraph.Func) string {
	taken := map[string]bool{}
	for _, list := range []*ast.FieldList{f.Type.Params, f.Type.Results} {
		if list == nil {
			continue
		}
		for _, field := range list.List {
			for _, id := range field.Names {
				taken[id.Name] = true
			}
		}
	}
	for i := 1; ; i++ {
		for _, name := range sp.candidates(i) {
			if !taken[name] {
				return name
			}
		}
	}
}

// packagesOf returns the packages that contain a file, one for each configuration.
func (sp *sigPlan) packagesOf(f *program.File) []*program.Package {
	var list []*program.Package
	for _, cfg := range sp.prog.Configs {
		for _, path := range []string{f.PkgPath, f.PkgPath + "_test"} {
			if p := cfg.Package(path); p != nil && p.Info != nil && slices.Contains(p.Files, f) {
				list = append(list, p)
			}
		}
	}
	return list
}

// fits reports whether a parameter can have a name: no other parameter has it, nothing in the body means something from
// outside by it, and nothing else has it where the parameter is used. The local variables of that name in the function's
// own scope which can become the parameter are returned.
func (sp *sigPlan) fits(p *newParam, name string) ([]*adopted, bool) {
	if !token.IsIdentifier(name) || types.Universe.Lookup(name) != nil {
		return nil, false
	}
	body := p.f.Body()
	if body == nil {
		return nil, true
	}
	var locals []*adopted
	for i, pkg := range sp.packagesOf(p.f.File) {
		found, ok := sp.fitsIn(pkg, p, name, body)
		if !ok {
			return nil, false
		}
		if i == 0 {
			locals = found
		}
	}
	return locals, true
}

func (sp *sigPlan) fitsIn(pkg *program.Package, p *newParam, name string, body *ast.BlockStmt) ([]*adopted, bool) {
	scope := pkg.Info.Scopes[p.f.Type]
	if scope == nil {
		return nil, false
	}
	var locals []*adopted
	if obj := scope.Lookup(name); obj != nil {
		if obj.Pos() < body.Pos() {
			return nil, false // another parameter
		}
		if !slices.Contains(p.replaced, obj.Pos()) {
			define := sp.adoptable(pkg, p, obj, body)
			if define == nil {
				return nil, false
			}
			locals = append(locals, define...)
		}
	}
	ok := true
	ast.Inspect(body, func(n ast.Node) bool {
		id, isIdent := n.(*ast.Ident)
		if !isIdent || id.Name != name || !ok {
			return ok
		}
		obj := pkg.Info.Uses[id]
		if slices.ContainsFunc(p.gone, func(e ast.Expr) bool { return within(e, id) }) {
			return true
		}
		if obj != nil && !isMember(obj) && (obj.Pos() < body.Pos() || obj.Pos() >= body.End()) {
			ok = false // it means something else, declared outside
		}
		return ok
	})
	if p.f.Decl != nil && p.f.Decl.Recv != nil && len(p.f.Decl.Recv.List) == 1 {
		for _, id := range p.f.Decl.Recv.List[0].Names {
			ok = ok && id.Name != name
		}
	}
	for _, use := range p.uses {
		if !ok {
			break
		}
		at := scope.Innermost(use)
		if at == nil {
			at = scope
		}
		_, obj := at.LookupParent(name, use)
		if obj != nil && obj.Pos() >= body.Pos() && obj.Pos() < body.End() && obj.Parent() != scope && !sp.holds(pkg, p, obj) {
			ok = false
		}
	}
	return locals, ok
}

// holds reports whether a local variable will hold the parameter, or a context that has only more values: where the variable has
// its name, that is the context to use.
func (sp *sigPlan) holds(pkg *program.Package, p *newParam, obj types.Object) bool {
	if slices.Contains(p.replaced, obj.Pos()) {
		return true
	}
	v, ok := obj.(*types.Var)
	if !ok || !sp.isContext() || !flow.IsContext(v.Type()) {
		return false
	}
	path := flow.Path(p.f.File, v.Pos())
	if len(path) < 2 {
		return false
	}
	as, ok := path[1].(*ast.AssignStmt)
	return ok && as.Tok == token.DEFINE && len(as.Lhs) == 1 && len(as.Rhs) == 1 && sp.carries(pkg, p, as.Rhs[0]) && !sp.assigned(v, as.Lhs[0].(*ast.Ident))
}

// carries reports whether an expression will be the parameter, or the parameter with more values. What another function makes of it
// may end earlier.
func (sp *sigPlan) carries(pkg *program.Package, p *newParam, e ast.Expr) bool {
	e = ast.Unparen(e)
	if p.target != nil && slices.Contains(p.target.Uses, e) {
		return true
	}
	switch e := e.(type) {
	case *ast.Ident:
		return pkg.Info.Uses[e] != nil && sp.holds(pkg, p, pkg.Info.Uses[e])
	case *ast.CallExpr:
		fn := census.Callee(pkg.Info, e)
		return fn != nil && census.IsWithValue(fn) && len(e.Args) > 0 && sp.carries(pkg, p, e.Args[0])
	}
	return false
}

// adoptable returns the definitions of a variable in the function's own scope that clash with a parameter of its name, nil
// when the variable cannot become the parameter.
func (sp *sigPlan) adoptable(pkg *program.Package, p *newParam, obj types.Object, body *ast.BlockStmt) []*adopted {
	want := sp.in.Param.Type
	if sp.in.Only {
		return nil // the calls pass on what the function was given
	}
	v, ok := obj.(*types.Var)
	if !ok || want == nil && !flow.IsContext(v.Type()) || want != nil && !types.Identical(want, v.Type()) {
		return nil
	}
	for _, s := range body.List {
		as, ok := s.(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE || as.Pos() > v.Pos() || v.Pos() >= as.End() {
			continue
		}
		others := 0
		for _, l := range as.Lhs {
			if id, ok := l.(*ast.Ident); ok && id.Name != "_" && pkg.Info.Defs[id] != nil && pkg.Info.Defs[id] != obj {
				others++
			}
		}
		if others > 0 {
			return []*adopted{}
		}
		return []*adopted{{as, sp.replacesAll(p, as)}}
	}
	return nil
}

// replacesAll reports whether a definition has nothing but an expression that the parameter replaces.
func (sp *sigPlan) replacesAll(p *newParam, as *ast.AssignStmt) bool {
	return len(as.Lhs) == 1 && len(as.Rhs) == 1 && p.target != nil && slices.Contains(p.target.Uses, ast.Unparen(as.Rhs[0]))
}

// shadowed returns the definitions in inner scopes that would only give the parameter its own name again, and
// whose variable nothing assigns to.
func (sp *sigPlan) shadowed(p *newParam) []*ast.AssignStmt {
	if p.target == nil {
		return nil
	}
	var list []*ast.AssignStmt
	for _, e := range p.target.Uses {
		as, ok := sp.census.Parent(p.f.File, e).(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE || len(as.Lhs) != 1 {
			continue
		}
		id, ok := as.Lhs[0].(*ast.Ident)
		if !ok || id.Name != p.name {
			continue
		}
		v, ok := p.f.Pkg.Info.Defs[id].(*types.Var)
		if ok && flow.IsContext(v.Type()) && !sp.assigned(v, id) {
			list = append(list, as)
		}
	}
	return list
}

// assigned reports whether a variable gets another value after its definition.
func (sp *sigPlan) assigned(v *types.Var, def *ast.Ident) bool {
	for _, u := range sp.census.Uses(v) {
		if u.Ident == def {
			continue
		}
		switch n := sp.census.Parent(u.File, u.Ident).(type) {
		case *ast.AssignStmt:
			for _, l := range n.Lhs {
				if l == ast.Expr(u.Ident) {
					return true
				}
			}
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				return true
			}
		}
	}
	return false
}
