package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A readEdit is what becomes of one read.
type readEdit struct {
	*rules.ValueRead
	// stmt is the assignment that does nothing but read, list the statements around it; nil for other reads.
	stmt *ast.AssignStmt
	list []ast.Stmt
	// local is the variable that it defines, usesOf where that is used; free is set when nothing else is ever assigned to it.
	local  *types.Var
	usesOf []token.Pos
	free   bool
	// second is the variable of the second result, nil for none.
	second types.Object
	// guard asks for it.
	guard *ast.IfStmt
}

// readStatement returns the assignment or if statement... that a read is the only value of; nil for others.
func (vp *valuePlan) readStatement(r *rules.ValueRead) ast.Stmt {
	parent, child := vp.census.Outer(r.File, r.Expr)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Rhs) != 1 || ast.Node(as.Rhs[0]) != child || as.Tok != token.DEFINE && as.Tok != token.ASSIGN {
		return nil
	}
	return as
}

// readEdits looks at the form of every read.
func (vp *valuePlan) readEdits() []*readEdit {
	var list []*readEdit
	for _, r := range vp.in.Reads {
		e := &readEdit{ValueRead: r}
		list = append(list, e)
		as, ok := vp.readStatement(r).(*ast.AssignStmt)
		if !ok {
			continue
		}
		e.stmt = as
		parent := vp.census.Parent(r.File, as)
		switch p := parent.(type) {
		case *ast.BlockStmt:
			e.list = p.List
		case *ast.CaseClause:
			e.list = p.Body
		case *ast.CommClause:
			e.list = p.Body
		case *ast.IfStmt:
			if ast.Stmt(as) == p.Init {
				e.guard = p
			}
		}
		if i := slices.Index(e.list, ast.Stmt(as)); i >= 0 && i+1 < len(e.list) && e.guard == nil {
			if s, ok := e.list[i+1].(*ast.IfStmt); ok && s.Init == nil {
				e.guard = s
			}
		}
		vp.variables(e)
	}
	return list
}

// variables looks at what the assignment of a read defines.
func (vp *valuePlan) variables(e *readEdit) {
	if id, ok := e.stmt.Lhs[0].(*ast.Ident); ok && id.Name != "_" && e.stmt.Tok == token.DEFINE {
		if v, ok := e.Pkg.Info.Defs[id].(*types.Var); ok {
			e.local = v
			e.free = !vp.changes(v) && types.Identical(v.Type(), vp.in.Type)
			for _, u := range vp.census.Uses(v) {
				if u.Pkg.Info.Defs[u.Ident] == nil {
					e.usesOf = append(e.usesOf, u.Ident.Pos())
				}
			}
		}
	}
	if len(e.stmt.Lhs) == 2 {
		if id, ok := e.stmt.Lhs[1].(*ast.Ident); ok && id.Name != "_" {
			e.second = e.Pkg.Info.ObjectOf(id)
		}
	}
}

// writeRead puts the value in the place of a read.
func (vp *valuePlan) writeRead(e *readEdit) error {
	name := vp.nameFor(e.Func, e.From)
	if name == "" {
		return block("unclear", e.File, e.Expr.Pos(), "nothing gives the value here")
	}
	vp.noteAll(e.File, e.Pkg, e.Expr)
	if e.Second == "" {
		return vp.writeSingle(e, name)
	}
	return vp.writePair(e, name)
}

// writeSingle replaces a read that gives the value alone.
func (vp *valuePlan) writeSingle(e *readEdit, name string) error {
	if e.stmt != nil && e.list != nil && e.local != nil && e.free && e.local.Name() == name {
		if err := vp.lose(e.File, e.stmt, nil); err != nil {
			return err
		}
		if vp.alone(e.File, e.stmt) {
			return block("empty", e.File, e.stmt.Pos(), "nothing else stands in the block around it; remove both by hand")
		}
		return vp.dropLines(e.File, e.stmt, leadGoes)
	}
	if err := vp.lose(e.File, e.Expr, nil); err != nil {
		return err
	}
	vp.splice(e.File, e.Expr.Pos(), e.Expr.End(), Lit(name))
	return nil
}

// writePair replaces a read with a second result, and settles the condition that asks for that.
func (vp *valuePlan) writePair(e *readEdit, name string) error {
	form := func(why string) error {
		return block("form", e.File, e.Expr.Pos(), "whether the value is there is asked here, and %s", why)
	}
	if e.stmt == nil {
		return form("the answer goes elsewhere")
	}
	if e.second == nil {
		return vp.writeFirst(e, name)
	}
	if e.guard == nil {
		return form("not by an if statement directly behind it")
	}
	rest, yes, known := vp.simplify(e, e.guard.Cond)
	var settled ast.Node = e.guard.Cond // where the answer is asked
	if known && !yes {
		settled = e.guard // which goes as a whole
	}
	heir := vp.heir(e)
	for _, u := range vp.census.Uses(e.second) {
		if u.Pkg.Info.Defs[u.Ident] != nil || u.Ident == e.stmt.Lhs[1] || within(settled, u.Ident) {
			continue
		}
		if as, ok := vp.census.Parent(u.File, u.Ident).(*ast.AssignStmt); ok && assigns(as, u.Ident) && as.Tok == token.DEFINE {
			continue // another read's
		}
		if heir != nil && assigns(heir, u.Ident) || vp.laterDefined(e, u.Ident) {
			continue
		}
		return form("the answer is used again")
	}
	if heir != nil {
		vp.splice(e.File, heir.TokPos, heir.TokPos+1, Lit(":="))
	}
	switch {
	case !known && rest == nil:
		return form("together with something else")
	case known && !yes:
		return vp.dropGuard(e, name)
	case known:
		return form("what follows would have to move out of its block")
	}
	return vp.keepRest(e, name, rest)
}

// heir returns the statement that has to declare the second result's variable when the read does not do so any more: the next
// one that mentions it, an assignment in the same list whose other variables are of the same scope.
func (vp *valuePlan) heir(e *readEdit) *ast.AssignStmt {
	if e.list == nil || e.stmt.Tok != token.DEFINE || e.Pkg.Info.Defs[e.stmt.Lhs[1].(*ast.Ident)] == nil {
		return nil
	}
	for _, s := range e.list[slices.Index(e.list, ast.Stmt(e.stmt))+1:] {
		if s == ast.Stmt(e.guard) || !mentions(e.Pkg.Info, s, e.second) {
			continue
		}
		as, ok := s.(*ast.AssignStmt)
		if !ok || as.Tok != token.ASSIGN || slices.ContainsFunc(as.Rhs, func(x ast.Expr) bool { return mentions(e.Pkg.Info, x, e.second) }) {
			return nil
		}
		for _, l := range as.Lhs {
			id, ok := l.(*ast.Ident)
			if !ok || id.Name != "_" && e.Pkg.Info.ObjectOf(id).Parent() != e.second.Parent() {
				return nil
			}
		}
		return as
	}
	return nil
}

// laterDefined reports whether a mention of the second result's variable comes after another assignment to it, which a list of
// statements runs through.
func (vp *valuePlan) laterDefined(e *readEdit, id *ast.Ident) bool {
	i := slices.Index(e.list, ast.Stmt(e.stmt))
	if i < 0 {
		return false
	}
	for _, s := range e.list[i+1:] {
		as, ok := s.(*ast.AssignStmt)
		if ok && as.End() <= id.Pos() && slices.ContainsFunc(as.Lhs, func(l ast.Expr) bool {
			lid, ok := l.(*ast.Ident)
			return ok && e.Pkg.Info.ObjectOf(lid) == e.second
		}) {
			return true
		}
	}
	return id.Pos() < e.stmt.Pos()
}

func within(root, n ast.Node) bool { return root.Pos() <= n.Pos() && n.End() <= root.End() }

// simplify works out a condition when the value is there: what is known of it, or what remains.
func (vp *valuePlan) simplify(e *readEdit, cond ast.Expr) (rest ast.Expr, yes, known bool) {
	cond = ast.Unparen(cond)
	info := e.Pkg.Info
	isSecond := func(x ast.Expr) bool {
		id, ok := ast.Unparen(x).(*ast.Ident)
		return ok && info.Uses[id] == e.second
	}
	switch c := cond.(type) {
	case *ast.Ident:
		if isSecond(c) && e.Second == "true" {
			return nil, true, true
		}
	case *ast.UnaryExpr:
		if c.Op == token.NOT {
			if _, yes, known = vp.simplify(e, c.X); known {
				return nil, !yes, true
			}
		}
	case *ast.BinaryExpr:
		if (c.Op == token.EQL || c.Op == token.NEQ) && isSecond(c.X) && info.Types[c.Y].IsNil() && e.Second == "nil" {
			return nil, c.Op == token.EQL, true
		}
		if c.Op != token.LAND && c.Op != token.LOR {
			break
		}
		restX, yesX, knownX := vp.simplify(e, c.X)
		restY, yesY, knownY := vp.simplify(e, c.Y)
		stops := c.Op == token.LOR // the value that decides
		switch {
		case knownX && yesX == stops || knownY && yesY == stops:
			return nil, stops, true
		case knownX:
			return restY, yesY, knownY
		case knownY:
			return restX, yesX, knownX
		}
	}
	if mentions(info, cond, e.second) {
		return nil, false, false
	}
	return cond, false, false
}

func mentions(info *types.Info, root ast.Node, obj types.Object) bool {
	found := false
	ast.Inspect(root, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && info.ObjectOf(id) == obj {
			found = true
		}
		return !found
	})
	return found
}

// first is what remains of the assignment of a read with a second result: "" when its variable is the parameter itself.
func (vp *valuePlan) first(e *readEdit, name string) string {
	if e.local != nil && e.free && e.local.Name() == name {
		return ""
	}
	id, ok := e.stmt.Lhs[0].(*ast.Ident)
	if ok && id.Name == "_" {
		return ""
	}
	tok := " = "
	if e.local != nil {
		tok = " := "
	}
	return string(e.File.Src[vp.offset(e.File, e.stmt.Lhs[0].Pos()):vp.offset(e.File, e.stmt.Lhs[0].End())]) + tok + name
}

// writeFirst replaces an assignment whose second result nobody asks for.
func (vp *valuePlan) writeFirst(e *readEdit, name string) error {
	if err := vp.lose(e.File, e.stmt, nil); err != nil {
		return err
	}
	text := vp.first(e, name)
	switch {
	case text != "":
		vp.splice(e.File, e.stmt.Pos(), e.stmt.End(), Lit(text))
		return nil
	case e.list == nil:
		return block("form", e.File, e.stmt.Pos(), "the read stands at the head of a statement; give it a line of its own")
	case vp.alone(e.File, e.stmt):
		return block("empty", e.File, e.stmt.Pos(), "nothing else stands in the block around it; remove both by hand")
	}
	return vp.dropLines(e.File, e.stmt, leadGoes)
}

// dropGuard removes what handles the absence of the value.
func (vp *valuePlan) dropGuard(e *readEdit, name string) error {
	f := e.File
	if e.guard.Else != nil {
		return block("form", f, e.guard.Pos(), "what follows when the value is there stands in an else branch; move it out")
	}
	if vp.commentIn(f, vp.offset(f, e.guard.Pos()), vp.offset(f, e.guard.End())) {
		return block("comment", f, e.guard.Pos(), "a comment inside would be lost; move it")
	}
	vp.noteAll(f, e.Pkg, e.guard)
	if err := vp.lose(f, e.guard, nil); err != nil {
		return err
	}
	if e.list == nil { // if u, ok := read; !ok { ... }
		return vp.dropStmt(f, e.guard)
	}
	if err := vp.lose(f, e.stmt, nil); err != nil {
		return err
	}
	text := vp.first(e, name)
	if text == "" {
		return vp.dropStmt(f, lines{e.stmt.Pos(), e.guard.End()})
	}
	vp.splice(f, e.stmt.Pos(), e.guard.End(), Lit(text))
	return nil
}

// dropStmt removes statements with their lines.
func (vp *valuePlan) dropStmt(f *program.File, n ast.Node) error {
	return vp.dropLines(f, n, leadGoes)
}

// keepRest leaves the part of the condition that asks for something else.
func (vp *valuePlan) keepRest(e *readEdit, name string, rest ast.Expr) error {
	f := e.File
	if err := vp.lose(f, e.stmt, nil); err != nil {
		return err
	}
	text := vp.first(e, name)
	keep := Keep(vp.offset(f, rest.Pos()), vp.offset(f, rest.End()))
	if e.list == nil { // if v, ok := read; ok && v { ... }
		if id, ok := ast.Unparen(rest).(*ast.Ident); ok && e.local != nil && len(e.usesOf) == 1 && e.Pkg.Info.Uses[id] == types.Object(e.local) {
			vp.splice(f, e.stmt.Pos(), e.guard.Cond.End(), Lit(name))
			return nil
		}
		if text != "" {
			text += "; "
		}
		vp.splice(f, e.stmt.Pos(), e.guard.Cond.End(), Lit(text), keep)
		return nil
	}
	vp.splice(f, e.guard.Cond.Pos(), e.guard.Cond.End(), keep)
	if text != "" {
		vp.splice(f, e.stmt.Pos(), e.stmt.End(), Lit(text))
		return nil
	}
	return vp.dropStmt(f, e.stmt)
}
