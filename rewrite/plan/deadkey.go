package plan

import (
	"go/ast"
	"go/token"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A dropPlan is the plan to remove what stores a value under one key.
type dropPlan struct {
	*draft
	// lost are the ranges whose code goes.
	lost []lostRange
	// kept are ranges within them that go elsewhere.
	kept []lostRange
	// names are what the lost key expressions and values mention.
	names []census.Use
	// accessors are the functions that go as a whole.
	accessors map[*ast.FuncDecl]bool
	// storers are look-ups in functions that take the key and have lost a call.
	storers []*census.Lookup
	// keepAs are the variables that stored values go to, by the expressions; moved are those that go elsewhere as they are.
	keepAs map[ast.Expr]string
	moved  map[ast.Expr]bool
	// stay are the places of types that get a new use.
	stay map[token.Pos]bool
	// aliases are definitions that are settled at the end; noAliases is set when none of a context for another shall be left.
	aliases   []*alias
	noAliases bool
	// api is set when functions that importers may call are no matter.
	api bool
}

// A lostRange is code that goes, but for what is kept of it.
type lostRange struct {
	file     *program.File
	from, to token.Pos
	keep     ast.Expr // nil for nothing
}

func (r lostRange) holds(pos token.Pos) bool {
	return r.from <= pos && pos < r.to && (r.keep == nil || pos < r.keep.Pos() || pos >= r.keep.End())
}

// A storeCall is a call that stores a value and is to go; its context takes its place.
type storeCall struct {
	file    *program.File
	pkg     *program.Package
	call    *ast.CallExpr
	context ast.Expr
	// value is the argument whose computation stays when it may have effects.
	value ast.Expr
}

// dropWrites removes all writers of keys that nothing reads.
func (d *draft) dropWrites(in *rules.DropWrites) error {
	p := &dropPlan{draft: d, accessors: map[*ast.FuncDecl]bool{}}
	for _, k := range in.Keys {
		if h := d.census.Half(k); h != nil && k.Basic != nil && len(d.review) < maxNotes {
			d.review = append(d.review, "what stores "+k.Spelled()+" goes; "+h.Message+d.where(h))
		}
		done := map[ast.Node]bool{}
		for _, s := range k.Sites {
			if done[s.Expr] {
				continue
			}
			done[s.Expr] = true
			if err := p.dropSite(s); err != nil {
				return err
			}
		}
	}
	if err := p.unusedLocals(); err != nil {
		return err
	}
	p.dropStorers()
	p.dropDecls()
	return nil
}

// splitDrops takes intents to remove several keys apart where one of the keys has to stay: each goes by itself then.
func (pl *planner) splitDrops(order []rules.Intent, byIntent map[rules.Intent][]*rules.Finding) []rules.Intent {
	var out []rules.Intent
	for _, intent := range order {
		in, ok := intent.(*rules.DropWrites)
		if !ok || len(in.Keys) == 1 || pl.allDrop(in, byIntent[intent]) {
			out = append(out, intent)
			continue
		}
		single := map[string]*rules.Fix{}
		for _, k := range in.Keys {
			one := &rules.DropWrites{Keys: []*census.Key{k}}
			single[k.UnitName()] = &rules.Fix{Title: "remove what stores " + k.Spelled(), Applicability: rules.Review, Intent: one}
			out = append(out, one)
		}
		for _, k := range in.Keys {
			fix := single[k.UnitName()]
			for _, f := range byIntent[intent] {
				if f.KeyID == k.UnitName() {
					f.Fix = fix
					byIntent[fix.Intent] = append(byIntent[fix.Intent], f)
				}
			}
		}
	}
	return out
}

// allDrop reports whether each of the keys can be removed, as far as planning tells.
func (pl *planner) allDrop(in *rules.DropWrites, findings []*rules.Finding) bool {
	for _, f := range findings {
		if f.Status == rules.Suppressed {
			return false
		}
	}
	for _, k := range in.Keys {
		d := pl.draft(&Unit{})
		if d.dropWrites(&rules.DropWrites{Keys: []*census.Key{k}}) != nil || d.checkFiles() != nil {
			return false
		}
	}
	return true
}

// dropSite removes one call of context.WithValue, or of a function that does nothing but store what it is handed.
func (p *dropPlan) dropSite(s *census.Site) error {
	lk := s.Lookup
	if v, ok := namedVar(s.Pkg, s.Expr).(*types.Var); ok && lk.Call != nil && ast.Unparen(lk.Key) == s.Expr {
		if done, err := p.dropHanded(s, v); done || err != nil {
			return err
		}
	}
	if lk.Call != nil && ast.Unparen(lk.Key) != s.Expr {
		if f := p.forwardedAt(s); f != nil && f.value != nil && f.ctxArg != nil {
			p.storers = append(p.storers, lk)
			return p.dropCall(&storeCall{s.File, s.Pkg, f.call, f.ctxArg, f.value})
		}
	}
	if lk.Call == nil || ast.Unparen(lk.Key) != s.Expr {
		return block("forwarder", s.File, s.Expr.Pos(), "the value is stored through a function that takes the key; remove the call by hand")
	}
	if decl := p.onlyStores(lk); decl != nil {
		return p.dropAccessor(lk, decl)
	}
	if effects(lk.Pkg, lk.Key) {
		return block("effects", lk.File, lk.Key.Pos(), "computing the key may have effects")
	}
	return p.dropCall(&storeCall{lk.File, lk.Pkg, lk.Call, lk.Context, lk.Value})
}

// dropHanded removes the calls that hand the key to a function which stores under other keys as well; done is false where
// the variable carries this key alone.
func (p *dropPlan) dropHanded(s *census.Site, v *types.Var) (done bool, err error) {
	byHand := block("forwarder", s.File, s.Expr.Pos(), "the value is stored through a function that takes the key; remove the call by hand")
	fn, i := p.census.ParamOf(v)
	if fn == nil {
		if p.census.Shared(s) {
			return true, byHand
		}
		return false, nil
	}
	args, open := p.census.Args(fn, i)
	if open {
		return true, byHand
	}
	if !p.census.Shared(s) {
		return false, nil
	}
	for _, a := range args {
		value := a.Pkg.Info.Types[a.Expr].Value
		if value == nil || s.Key.Value == "" {
			return true, byHand
		}
		if value.ExactString() != s.Key.Value {
			continue
		}
		f := p.forwardedAt(&census.Site{Role: s.Role, Key: s.Key, Lookup: s.Lookup, Expr: ast.Unparen(a.Expr), File: a.File, Pkg: a.Pkg})
		if f == nil || f.value == nil || f.ctxArg == nil {
			return true, byHand
		}
		if err := p.dropCall(&storeCall{a.File, a.Pkg, f.call, f.ctxArg, f.value}); err != nil {
			return true, err
		}
	}
	p.storers = append(p.storers, s.Lookup)
	return true, nil
}

// dropCall puts a call's context in its place.
func (p *dropPlan) dropCall(c *storeCall) error {
	f := c.file
	p.noteCall(f, c.pkg, c.call)
	whole, parent := p.widen(c)
	keepCtx := whole.stays
	valueStays := c.value != nil && !p.moved[ast.Unparen(c.value)] && (p.keepAs[c.value] != "" || effects(c.pkg, c.value))
	stmt, inBlock := p.statement(f, whole.expr)
	if as, ok := parent.(*ast.AssignStmt); ok && inBlock && as == stmt && whole.expr == ast.Expr(c.call) {
		if call, request := p.onlyForRequest(c, as); call != nil {
			if err := p.replace(f, call, request); err != nil {
				return err
			}
			return p.dropStatement(c, as, valueStays)
		}
	}
	if as, ok := parent.(*ast.AssignStmt); ok && inBlock && as == stmt && p.withoutEffect(c.pkg, as, keepCtx) {
		return p.dropStatement(c, as, valueStays)
	}
	if as, ok := parent.(*ast.AssignStmt); ok && len(as.Lhs) == 1 && (as.Tok == token.DEFINE && sameText(as.Lhs[0], keepCtx) || as.Tok == token.ASSIGN && samePlace(c.pkg, as.Lhs[0], keepCtx)) {
		return block("scope", f, as.Pos(), "%s %s %[1]s would be left; remove it by hand", types.ExprString(keepCtx), as.Tok)
	}
	p.noteOriginal(c, whole)
	if valueStays {
		if !inBlock || p.othersAct(c.pkg, stmt, c) {
			return block("effects", f, c.value.Pos(), "the stored value is computed in the middle of a statement, and computing it may have effects; compute it on a line of its own")
		}
	}
	if as := aliasOf(parent, c); p.noAliases && as != nil && inBlock && ast.Stmt(as) == stmt && !p.typedByContext(c, parent) {
		p.aliases = append(p.aliases, &alias{c, as, keepCtx, valueStays})
		return nil
	}
	if valueStays {
		if err := p.insertBefore(f, stmt, c.value); err != nil {
			return err
		}
	}
	if whole.expr == ast.Expr(c.call) && p.typedByContext(c, parent) {
		if err := p.lose(f, whole.expr, keepCtx); err != nil {
			return err
		}
		p.splice(f, whole.expr.Pos(), whole.expr.End(), Name("context", "context", "Context"), Lit("("), Keep(p.offset(f, keepCtx.Pos()), p.offset(f, keepCtx.End())), Lit(")"))
		return nil
	}
	return p.replace(f, whole.expr, keepCtx)
}

// typedByContext reports whether a statement defines a variable that would get the type of the context in the place of a call,
// that of a framework, and is assigned other contexts later.
func (p *dropPlan) typedByContext(c *storeCall, parent ast.Node) bool {
	if t := c.pkg.Info.TypeOf(c.context); t == nil || flow.IsContext(t) {
		return false
	}
	var id *ast.Ident
	switch s := parent.(type) {
	case *ast.AssignStmt:
		if s.Tok == token.DEFINE && len(s.Lhs) == 1 {
			id, _ = s.Lhs[0].(*ast.Ident)
		}
	case *ast.ValueSpec:
		if s.Type == nil && len(s.Names) == 1 {
			id = s.Names[0]
		}
	}
	if id == nil || c.pkg.Info.Defs[id] == nil {
		return false
	}
	return p.reassigned(c.pkg.Info.Defs[id])
}

// note remembers the names that the lost key and value mention.
func (p *dropPlan) note(lk *census.Lookup) { p.noteCall(lk.File, lk.Pkg, lk.Call) }

func (p *dropPlan) noteCall(f *program.File, pkg *program.Package, call *ast.CallExpr) {
	ast.Inspect(call, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			p.names = append(p.names, census.Use{Ident: id, File: f, Pkg: pkg})
		}
		return true
	})
}

// onlyStores returns the function whose body is nothing but return context.WithValue(...), nil for other places.
func (p *dropPlan) onlyStores(lk *census.Lookup) *ast.FuncDecl {
	ret, _ := p.census.Outer(lk.File, lk.Call)
	if _, ok := ret.(*ast.ReturnStmt); !ok {
		return nil
	}
	body := p.census.Parent(lk.File, ret)
	decl, ok := p.census.Parent(lk.File, body).(*ast.FuncDecl)
	if !ok || len(decl.Body.List) != 1 {
		return nil
	}
	return decl
}

// A whole is the expression to be replaced and the part of it that takes its place.
type wholeExpr struct{ expr, stays ast.Expr }

// widen returns the call of WithValue and its parent context or, where it is the argument in
// r.WithContext(context.WithValue(r.Context(), k, v)), that call and r.
func (p *dropPlan) widen(c *storeCall) (wholeExpr, ast.Node) {
	whole := wholeExpr{c.call, c.context}
	parent, child := p.census.Outer(c.file, c.call)
	outer, ok := parent.(*ast.CallExpr)
	if !ok || len(outer.Args) != 1 || ast.Node(outer.Args[0]) != child {
		return whole, parent
	}
	fn := census.Callee(c.pkg.Info, outer)
	if fn == nil || fn.FullName() != "(*net/http.Request).WithContext" {
		return whole, parent
	}
	sel, ok := ast.Unparen(outer.Fun).(*ast.SelectorExpr)
	if !ok {
		return whole, parent
	}
	asked, ok := ast.Unparen(c.context).(*ast.CallExpr)
	if !ok || len(asked.Args) != 0 {
		return whole, parent
	}
	from, ok := ast.Unparen(asked.Fun).(*ast.SelectorExpr)
	if !ok || from.Sel.Name != "Context" || !sameName(c.pkg, sel.X, from.X) {
		return whole, parent
	}
	parent, _ = p.census.Outer(c.file, outer)
	return wholeExpr{outer, sel.X}, parent
}

// sameName reports whether two expressions name the same variable.
func sameName(pkg *program.Package, a, b ast.Expr) bool {
	x, ok := ast.Unparen(a).(*ast.Ident)
	y, yOK := ast.Unparen(b).(*ast.Ident)
	if !ok || !yOK {
		return false
	}
	v, isVar := pkg.Info.ObjectOf(x).(*types.Var)
	return isVar && v == pkg.Info.ObjectOf(y)
}

// samePlace reports whether two expressions name the same variable, or the same field by way of variables and fields.
func samePlace(pkg *program.Package, a, b ast.Expr) bool {
	x, ok := ast.Unparen(a).(*ast.SelectorExpr)
	y, yOK := ast.Unparen(b).(*ast.SelectorExpr)
	if !ok || !yOK {
		return sameName(pkg, a, b)
	}
	v, isVar := pkg.Info.Uses[x.Sel].(*types.Var)
	return isVar && v == pkg.Info.Uses[y.Sel] && (!v.IsField() || samePlace(pkg, x.X, y.X))
}

// noteOriginal tells a reviewer what is handed on itself now and was behind another value: a request that was a copy, a
// context of a type with more methods than contexts have.
func (p *dropPlan) noteOriginal(c *storeCall, whole wholeExpr) {
	note := ""
	if whole.expr != ast.Expr(c.call) {
		note = types.ExprString(whole.stays) + " itself is handed on, not a copy: what is changed in it is seen by others"
	} else if t := c.pkg.Info.TypeOf(c.context); t != nil && !flow.IsContext(t) {
		note = census.WithArticle(census.TypeText(t)) + " itself is handed on: code that asks a context for other methods finds them now"
	}
	if note != "" {
		p.review = append(p.review, note+p.where(&census.Hazard{File: c.file, Pos: c.call.Pos()}))
	}
}

// sameText reports whether two expressions are the same identifier by name.
func sameText(a, b ast.Expr) bool {
	x, ok := a.(*ast.Ident)
	y, yOK := ast.Unparen(b).(*ast.Ident)
	return ok && yOK && x.Name == y.Name
}

// statement returns the statement around an expression; inBlock is set when it stands in a list of
// statements and runs once where it stands.
func (p *dropPlan) statement(f *program.File, e ast.Expr) (stmt ast.Stmt, inBlock bool) {
	var n ast.Node = e
	for {
		up := p.census.Parent(f, n)
		if up == nil {
			return nil, false
		}
		if s, ok := n.(ast.Stmt); ok {
			switch up.(type) {
			case *ast.BlockStmt, *ast.CaseClause:
			case *ast.CommClause:
				if up.(*ast.CommClause).Comm == s {
					return s, false
				}
			default:
				return s, false
			}
			switch s.(type) {
			case *ast.AssignStmt, *ast.ReturnStmt, *ast.ExprStmt, *ast.DeclStmt:
				return s, true
			}
			return s, false
		}
		if _, ok := n.(*ast.FuncLit); ok {
			return nil, false
		}
		n = up
	}
}

// withoutEffect reports whether an assignment would only store in a variable what it holds.
func (p *dropPlan) withoutEffect(pkg *program.Package, as *ast.AssignStmt, value ast.Expr) bool {
	if len(as.Lhs) != 1 {
		return false
	}
	if as.Tok == token.ASSIGN {
		return samePlace(pkg, as.Lhs[0], value)
	}
	lhs, ok := as.Lhs[0].(*ast.Ident)
	rhs, isIdent := ast.Unparen(value).(*ast.Ident)
	if !ok || !isIdent || lhs.Name != rhs.Name || as.Tok != token.DEFINE {
		return false
	}
	for _, obj := range []types.Object{pkg.Info.Defs[lhs], pkg.Info.Uses[rhs]} {
		if obj == nil || p.reassigned(obj) {
			return false // the two variables have a life of their own
		}
	}
	return true
}

// reassigned reports whether a variable gets another value after its declaration, or its address is taken.
func (p *dropPlan) reassigned(obj types.Object) bool {
	for _, u := range p.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] != nil || p.goes(u.File, u.Ident.Pos()) {
			continue
		}
		switch parent, child := p.census.Outer(u.File, u.Ident); parent := parent.(type) {
		case *ast.AssignStmt:
			for _, lhs := range parent.Lhs {
				if ast.Node(lhs) == child {
					return true
				}
			}
		case *ast.UnaryExpr:
			if parent.Op == token.AND {
				return true
			}
		case *ast.RangeStmt:
			if parent.Key == child || parent.Value == child {
				return true
			}
		}
	}
	return false
}

// othersAct reports whether a statement has effects besides those of the call and of what the call is handed to.
func (p *dropPlan) othersAct(pkg *program.Package, stmt ast.Stmt, c *storeCall) bool {
	call := c.call
	acts := false
	ast.Inspect(stmt, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.CallExpr:
			if n == call {
				return false
			}
			around := n.Pos() <= call.Pos() && call.End() <= n.End() // it runs after its arguments
			acts = acts || !around && !quietCall(pkg, n)
		case *ast.UnaryExpr:
			acts = acts || n.Op == token.ARROW
		case *ast.BinaryExpr:
			acts = acts || n.Op == token.LAND || n.Op == token.LOR
		}
		return true
	})
	return acts || effects(pkg, c.context)
}
