package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// dropAccessor removes a function that does nothing but store the value of a key nobody reads, with its calls.
func (p *dropPlan) dropAccessor(lk *census.Lookup, decl *ast.FuncDecl) error {
	if p.accessors[decl] {
		return nil
	}
	p.accessors[decl] = true
	f := lk.File
	stays := func(why string) error {
		return block("accessor", f, decl.Name.Pos(), "function %s does nothing but store the value, and %s; remove it with its calls", decl.Name.Name, why)
	}
	fn, ok := lk.Pkg.Info.Defs[decl.Name].(*types.Func)
	if !ok {
		return stays("cannot be told")
	}
	at := paramIndex(fn, lk, lk.Context)
	switch {
	case census.IsAPI(p.prog, fn) && !p.api:
		return stays("importers may call it")
	case decl.Recv != nil && (fn.Exported() || p.census.InterfaceMethod(fn.Name())):
		return stays("an interface may ask for it")
	case p.census.MentionedUnchecked(fn) || p.hasOtherType(fn):
		return stays("other code may call it")
	case at < 0 || !isContextType(fn.Signature().Params().At(at).Type()) || fn.Signature().Variadic():
		return stays("does not take the context alone")
	case effects(lk.Pkg, lk.Value) || effects(lk.Pkg, lk.Key):
		return stays("computing what it stores may have effects")
	case p.commentIn(f, p.offset(f, decl.Body.Lbrace), p.offset(f, decl.Body.Rbrace)):
		return block("comment", f, decl.Body.Pos(), "a comment inside function %s would be lost; move it", decl.Name.Name)
	}
	calls, err := p.callsOf(fn, at, stays)
	if err != nil {
		return err
	}
	p.note(lk)
	p.dropFunc(f, decl)
	for _, c := range calls {
		if err := p.dropCall(c); err != nil {
			return err
		}
	}
	return nil
}

// callsOf returns the calls of a function whose argument at the given place is the context; every mention has to be one.
func (p *dropPlan) callsOf(fn *types.Func, at int, stays func(string) error) ([]*storeCall, error) {
	var list []*storeCall
	for _, u := range p.census.Uses(fn) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		parent, child := p.census.Outer(u.File, p.census.NameExpr(u.File, u.Ident))
		switch inst := parent.(type) { // withValue[string](ctx, v)
		case *ast.IndexExpr:
			if ast.Node(inst.X) == child {
				parent, child = p.census.Outer(u.File, inst)
			}
		case *ast.IndexListExpr:
			parent, child = p.census.Outer(u.File, inst)
		}
		call, ok := parent.(*ast.CallExpr)
		if !ok || ast.Node(call.Fun) != child || at >= len(call.Args) || call.Ellipsis.IsValid() {
			return nil, stays("is used as a value" + p.at(u.File, u.Ident.Pos()))
		}
		if _, stmt := p.census.Parent(u.File, call).(*ast.ExprStmt); stmt {
			return nil, stays("what it returns is thrown away" + p.at(u.File, u.Ident.Pos()))
		}
		c := &storeCall{file: u.File, pkg: u.Pkg, call: call, context: call.Args[at]}
		if t := u.Pkg.Info.TypeOf(c.context); t == nil || !isContextType(t) {
			return nil, stays("turns another type into a context" + p.at(u.File, u.Ident.Pos()))
		}
		acting := 0
		for i, a := range call.Args {
			if i != at && (effects(u.Pkg, a) || p.keepAs[ast.Unparen(a)] != "") {
				c.value = ast.Unparen(a)
				acting++
			}
		}
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && u.Pkg.Info.Selections[sel] != nil && effects(u.Pkg, sel.X) {
			acting = 2
		}
		if acting > 1 {
			return nil, block("effects", u.File, call.Pos(), "computing several of the arguments may have effects; compute them on lines of their own")
		}
		list = append(list, c)
	}
	return list, nil
}

// at writes a place in the world.
func (p *dropPlan) at(f *program.File, pos token.Pos) string {
	return p.where(&census.Hazard{File: f, Pos: pos})
}

// onlyForRequest returns r.WithContext(ctx) and r where a statement defines ctx by a value attached to r.Context() and
// nothing else uses ctx: the request stays what it was.
func (p *dropPlan) onlyForRequest(c *storeCall, as *ast.AssignStmt) (*ast.CallExpr, ast.Expr) {
	if as.Tok != token.DEFINE || len(as.Lhs) != 1 {
		return nil, nil
	}
	id, ok := as.Lhs[0].(*ast.Ident)
	if !ok || c.pkg.Info.Defs[id] == nil {
		return nil, nil
	}
	asked, ok := ast.Unparen(c.context).(*ast.CallExpr)
	if !ok || len(asked.Args) != 0 {
		return nil, nil
	}
	from, ok := ast.Unparen(asked.Fun).(*ast.SelectorExpr)
	if !ok || from.Sel.Name != "Context" {
		return nil, nil
	}
	var use *census.Use
	for _, u := range p.census.Uses(c.pkg.Info.Defs[id]) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		if use != nil {
			return nil, nil
		}
		use = &u
	}
	if use == nil {
		return nil, nil
	}
	parent, child := p.census.Outer(c.file, use.Ident)
	call, ok := parent.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 || ast.Node(call.Args[0]) != child {
		return nil, nil
	}
	fn := census.Callee(c.pkg.Info, call)
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	if fn == nil || fn.FullName() != "(*net/http.Request).WithContext" || !ok || !sameName(c.pkg, sel.X, from.X) || p.reassigned(c.pkg.Info.ObjectOf(ast.Unparen(sel.X).(*ast.Ident))) {
		return nil, nil
	}
	if _, stmt := p.census.Parent(c.file, call).(*ast.ExprStmt); stmt {
		return nil, nil
	}
	return call, sel.X
}

// dropStorers removes functions that take a key and have lost their last call.
func (p *dropPlan) dropStorers() {
	for _, lk := range p.storers {
		decl := p.onlyStores(lk)
		if decl == nil || p.accessors[decl] || uneditable(lk.File) != "" {
			continue
		}
		fn, ok := lk.Pkg.Info.Defs[decl.Name].(*types.Func)
		if !ok || fn.Exported() || decl.Recv != nil || p.census.MentionedUnchecked(fn) {
			continue
		}
		used := false
		for _, u := range p.census.Uses(fn) {
			used = used || u.Pkg.Info.Defs[u.Ident] == nil && !p.goes(u.File, u.Ident.Pos())
		}
		if !used {
			p.accessors[decl] = true
			p.dropFunc(lk.File, decl)
		}
	}
}

// dropFunc removes a function with its documentation.
func (p *dropPlan) dropFunc(f *program.File, decl *ast.FuncDecl) {
	from := decl.Pos()
	if decl.Doc != nil {
		from = decl.Doc.Pos()
	}
	p.unit.Edits = append(p.unit.Edits, &RemoveFunc{File: f, Decl: decl})
	p.lost = append(p.lost, lostRange{f, from, decl.End(), nil})
}
