package plan

import (
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// writeRows plans what stores the values.
func (jp *joinPlan) writeRows() error {
	for _, row := range jp.rows {
		write := jp.writeRow
		if len(row.links) == 1 {
			write = jp.writeSingle
		}
		if err := write(row); err != nil {
			return err
		}
	}
	return jp.dropInlined()
}

// dropInlined removes the functions that nothing calls any more.
func (jp *joinPlan) dropInlined() error {
	for _, s := range jp.places() {
		a := jp.inlined[s.Lookup.Call]
		if a == nil {
			continue
		}
		if jp.commentIn(s.File, jp.offset(s.File, a.Decl.Pos()), jp.offset(s.File, a.Decl.End())) {
			return block("comment", s.File, a.Decl.Pos(), "a comment inside %s would be lost; move it", a.Func.Name())
		}
		jp.lostKey(s)
		jp.drop.dropFunc(s.File, a.Decl)
		jp.gone[a.Decl] = true
		jp.rewritten[a.Decl] = true
	}
	return nil
}

// writeRow makes one call of a row, in the place of its last link.
func (jp *joinPlan) writeRow(row *joinRow) error {
	at := row.last()
	if jp.opensVariable(row) {
		at = row.steps[0]
	}
	if err := jp.moveValues(row); err != nil {
		return err
	}
	parent := ""
	for _, st := range row.steps {
		var err error
		switch {
		case st == at || !st.joins:
			err = jp.takeParent(st, parent)
			parent = ""
		case st.nested:
			if err = jp.takeParent(st, parent); err == nil {
				err = jp.unnest(st)
			}
			parent = ""
		case at == row.steps[0] || st.again && parent == "":
			err = jp.dropStep(st)
		default:
			parent, err = jp.dropDefinition(row, st, parent)
		}
		if err != nil {
			return err
		}
	}
	return jp.store(at, jp.literal(at, row))
}

// takeParent gives a link that stays the context of one that goes.
func (jp *joinPlan) takeParent(st *joinStep, parent string) error {
	if parent == "" {
		return nil
	}
	return jp.replaceCode(st.File, st.Lookup.Context.Pos(), st.Lookup.Context.End(), Text{Lit(parent)})
}

// opensVariable reports whether a row is a definition and nothing but assignments to the same variable below, so that the definition is
// the place for all.
func (jp *joinPlan) opensVariable(row *joinRow) bool {
	first, last := row.steps[0], row.last()
	if first.keeping == nil || first.again || len(jp.between(row)) > 0 {
		return false
	}
	k := jp.census.Keeping(last.Site)
	if k == nil || !k.Again || k.Place != first.keeping.Place {
		return false
	}
	if as, ok := k.Stmt.(*ast.AssignStmt); ok && as.Tok != token.ASSIGN {
		return false
	}
	for i, st := range row.steps {
		if !st.joins || i > 0 && i < len(row.steps)-1 && (!st.again || st.keeping.Place != first.keeping.Place) || !jp.movable(row, i, false) {
			return false
		}
	}
	last.keeping = k
	return true
}

// nameOf returns the variable that an expression names, nil for none.
func nameOf(pkg *program.Package, e ast.Expr) *types.Var {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return nil
	}
	v, _ := pkg.Info.ObjectOf(id).(*types.Var)
	return v
}

// unnest puts a link's context operand in its place.
func (jp *joinPlan) unnest(st *joinStep) error {
	if err := jp.drop.replace(st.File, st.Lookup.Call, st.Lookup.Context); err != nil {
		return err
	}
	jp.drop.note(st.Lookup)
	jp.keepValue(st)
	return nil
}

// keepValue notes that the value of a link that goes is computed elsewhere.
func (jp *joinPlan) keepValue(st *joinStep) {
	jp.drop.kept = append(jp.drop.kept, lostRange{st.File, st.Lookup.Value.Pos(), st.Lookup.Value.End(), nil})
}

// dropStep removes the statement of a link whose variable keeps its value, or makes it one that keeps the stored value.
func (jp *joinPlan) dropStep(st *joinStep) error {
	jp.drop.note(st.Lookup)
	if st.hoisted != "" {
		return jp.hoist(st, nil)
	}
	stmt := st.keeping.Stmt
	if err := jp.drop.lose(st.File, stmt, nil); err != nil {
		return err
	}
	if c := jp.commentBehind(st.File, stmt.End()); c != nil && !lineDirective(c.Text) {
		return block("comment", st.File, c.Pos(), "a comment here would be lost; move it")
	}
	jp.keepValue(st)
	return jp.drop.dropLines(st.File, stmt, leadJoins)
}

// hoist makes a link's statement one that keeps the stored value, with a statement in front of it.
func (jp *joinPlan) hoist(st *joinStep, front Text) error {
	f, value := st.File, st.Lookup.Value
	stmt := st.keeping.Stmt
	if err := jp.drop.lose(f, stmt, value); err != nil {
		return err
	}
	jp.spliceText(f, stmt.Pos(), stmt.End(), append(front, Lit(st.hoisted+" := "), jp.keep(f, value)))
	return nil
}

// commentBehind returns the comment that follows on the same line.
func (d *draft) commentBehind(f *program.File, pos token.Pos) *ast.Comment {
	line := d.prog.Fset.PositionFor(pos, false).Line
	for _, g := range f.AST.Comments {
		if g.Pos() >= pos && d.prog.Fset.PositionFor(g.Pos(), false).Line == line {
			return g.List[0]
		}
	}
	return nil
}

// dropDefinition removes a link that gives its result to a variable of its own. It returns what takes the variable's place in the
// next link, "" when the variable stays.
func (jp *joinPlan) dropDefinition(row *joinRow, st *joinStep, parent string) (string, error) {
	lk := st.Lookup
	if st.assign == nil {
		return "", block("chain", st.File, st.keeping.Stmt.Pos(), "%s gets the context of something else here; begin with its own", st.keeping.Path)
	}
	from, given := Lit(parent), parent
	if parent == "" {
		parent, from = jp.source(st.File, lk.Context), jp.keep(st.File, lk.Context)
	}
	uses := 0
	for _, u := range jp.census.Uses(st.v) {
		if u.Pkg.Info.Defs[u.Ident] == nil {
			uses++
		}
	}
	if st.assign.Tok == token.DEFINE && uses == 1 && jp.keeps(row, st, lk.Context) && jp.sameNames(st, lk.Context, row.last()) {
		return parent, jp.dropStep(st)
	}
	if nameOf(st.Pkg, lk.Context) != nil && st.assign.Lhs[0].(*ast.Ident).Name == parent {
		return "", block("scope", st.File, st.assign.Pos(), "%s := %[1]s would be left; attach the values in one place", parent)
	}
	jp.drop.note(lk)
	if st.hoisted != "" {
		return "", jp.hoist(st, Text{Lit(types.ExprString(st.assign.Lhs[0]) + " " + st.assign.Tok.String() + " "), from, Lit("\n" + jp.indentAt(st.File, st.assign.Pos()))})
	}
	if err := jp.takeParent(st, given); err != nil {
		return "", err
	}
	return "", jp.unnest(st)
}

func (d *draft) source(f *program.File, e ast.Node) string {
	return string(f.Src[d.offset(f, e.Pos()):d.offset(f, e.End())])
}

// indentAt returns what the line of a position begins with.
func (d *draft) indentAt(f *program.File, pos token.Pos) string {
	at := d.offset(f, pos)
	start := strings.LastIndexByte(string(f.Src[:at]), '\n') + 1
	line := string(f.Src[start:at])
	return line[:len(line)-len(strings.TrimLeft(line, " \t"))]
}

// moveValues decides for each value whether it can be computed where the struct is made; the others are kept in variables.
func (jp *joinPlan) moveValues(row *joinRow) error {
	apart := len(jp.between(row)) > 0
	for i, st := range row.steps {
		if !st.joins || i == len(row.steps)-1 {
			continue
		}
		f := jp.byKey[st.Key]
		switch {
		case jp.movable(row, i, apart), st.nested && jp.movesWithin(row, i):
			st.moved = Text{Lit(jp.source(st.File, st.Lookup.Value))}
		case st.nested:
			return block("order", st.File, st.Lookup.Value.Pos(), "the value would be computed after others that it may depend on; compute it on a line of its own")
		default:
			st.hoisted = jp.localName(st.File, st.stmt, lowerFirst(f.name), "attached"+baseName(f.name), "attached")
			st.moved = Text{Lit(st.hoisted)}
		}
	}
	return nil
}

// movesWithin reports whether the value of a nested call can be computed with the last one of its expression.
func (jp *joinPlan) movesWithin(row *joinRow, i int) bool {
	return row.steps[i].stmt == row.last().stmt && !jp.crosses(row, i) &&
		!slices.ContainsFunc(row.steps, func(o *joinStep) bool { return !jp.ordered(row, o, o.Lookup.Value) })
}

// crosses reports whether a value has effects and would be computed after that of another key which it comes before.
func (jp *joinPlan) crosses(row *joinRow, i int) bool {
	return effects(row.steps[i].Pkg, row.steps[i].Lookup.Value) && slices.ContainsFunc(row.steps[i:], func(o *joinStep) bool {
		return !o.joins && !jp.keeps(row, o, o.Lookup.Value)
	})
}

// movable reports whether computing a link's value where its row ends gives the same and does the same. apart is set when other
// statements stand between the links.
func (jp *joinPlan) movable(row *joinRow, i int, apart bool) bool {
	st := row.steps[i]
	if !jp.sameNames(st, st.Lookup.Value, row.last()) {
		return false
	}
	if jp.keeps(row, st, st.Lookup.Value) {
		return true
	}
	if apart || jp.crosses(row, i) {
		return false
	}
	if effects(st.Pkg, st.Lookup.Value) {
		others := 0
		for _, o := range row.steps {
			if !jp.ordered(row, o, o.Lookup.Value) {
				others++
			}
		}
		return jp.simple(row.last()) && (others == 0 || others == 1 && jp.onlyOne(row, st))
	}
	return !slices.ContainsFunc(row.steps, func(o *joinStep) bool { return effects(o.Pkg, o.Lookup.Value) })
}

// sameNames reports whether the names in an expression mean the same at another link: no declaration in between hides them.
func (jp *joinPlan) sameNames(st *joinStep, e ast.Expr, at *joinStep) bool {
	same := true
	ast.Inspect(e, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			obj := st.Pkg.Info.Uses[id]
			if obj == nil || isMember(obj) || obj.Parent() == nil || obj.Pos() >= e.Pos() && obj.Pos() < e.End() {
				return true
			}
			if pn, ok := obj.(*types.PkgName); ok && pn.Imported() != nil {
				_, there := lookup(place{at.Pkg, at.Lookup.Call.Pos()}, id.Name).(*types.PkgName)
				same = same && there
				return true
			}
			if seen := lookup(place{at.Pkg, at.Lookup.Call.Pos()}, id.Name); seen != nil && seen.Pkg() == obj.Pkg() {
				same = same && seen.Pos() == obj.Pos()
			}
		}
		return same
	})
	return same
}

// ordered reports whether an expression is made of calls, whose order the language keeps, and of what has the same value anywhere in a row.
func (jp *joinPlan) ordered(row *joinRow, st *joinStep, e ast.Expr) bool {
	e = ast.Unparen(e)
	if jp.keeps(row, st, e) {
		return true
	}
	call, ok := e.(*ast.CallExpr)
	if !ok || st.Pkg.Info.Types[call.Fun].IsType() || st.Pkg.Info.Types[call.Fun].IsBuiltin() {
		return false
	}
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		if _, ok := st.Pkg.Info.Uses[fun].(*types.Func); !ok {
			return false
		}
	case *ast.SelectorExpr:
		if _, ok := st.Pkg.Info.Uses[fun.Sel].(*types.Func); !ok {
			return false
		}
		if st.Pkg.Info.Selections[fun] != nil && !jp.ordered(row, st, fun.X) {
			return false
		}
	default:
		return false
	}
	return !slices.ContainsFunc(call.Args, func(a ast.Expr) bool { return !jp.ordered(row, st, a) })
}

// onlyOne reports whether all values of a row but one are the same anywhere.
func (jp *joinPlan) onlyOne(row *joinRow, st *joinStep) bool {
	return !slices.ContainsFunc(row.steps, func(o *joinStep) bool { return o != st && !jp.keeps(row, o, o.Lookup.Value) })
}

// simple reports whether a link's statement does nothing but keep or return its result.
func (jp *joinPlan) simple(st *joinStep) bool {
	parent, _ := jp.census.Outer(st.File, st.Lookup.Call)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		return len(p.Lhs) == 1 && nameOf(st.Pkg, p.Lhs[0]) != nil
	case *ast.ReturnStmt:
		return len(p.Results) == 1
	}
	return false
}

// keeps reports whether an expression has the same value anywhere in a row: a constant, a variable that nothing assigns to on the way.
func (jp *joinPlan) keeps(row *joinRow, st *joinStep, e ast.Expr) bool {
	if tv := st.Pkg.Info.Types[e]; tv.Value != nil || tv.IsNil() {
		return true
	}
	v := nameOf(st.Pkg, e)
	if v == nil || v.Parent() == nil || v.Parent() == v.Pkg().Scope() {
		return false
	}
	if _, array := v.Type().Underlying().(*types.Array); array {
		return false
	}
	kept, known := row.kept[v]
	if !known {
		if row.kept == nil {
			row.kept = map[*types.Var]bool{}
		}
		kept = jp.unassigned(row, v)
		row.kept[v] = kept
	}
	return kept
}

// unassigned reports whether nothing assigns to a variable in a row.
func (jp *joinPlan) unassigned(row *joinRow, v *types.Var) bool {
	from, to := row.steps[0].Lookup.Call.Pos(), row.last().Lookup.Call.End()
	for _, u := range jp.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		switch parent := jp.census.Parent(u.File, u.Ident).(type) {
		case *ast.UnaryExpr:
			if parent.Op == token.AND {
				return false
			}
		case *ast.AssignStmt:
			if containsExprNode(parent.Lhs, u.Ident) && (from <= u.Ident.Pos() && u.Ident.Pos() < to || jp.captures(u.File, u.Ident, row.steps[0].stmt)) {
				return false
			}
		case *ast.RangeStmt:
			if parent.Key == ast.Expr(u.Ident) || parent.Value == ast.Expr(u.Ident) {
				return false
			}
		case *ast.IncDecStmt:
			if from <= u.Ident.Pos() && u.Ident.Pos() < to || jp.captures(u.File, u.Ident, row.steps[0].stmt) {
				return false
			}
		case *ast.SelectorExpr:
			if jp.addressed(u.Pkg, parent) {
				return false
			}
		}
	}
	return true
}

// addressed reports whether a selector takes the address of its operand: a method of the pointer, called on a variable.
func (jp *joinPlan) addressed(pkg *program.Package, sel *ast.SelectorExpr) bool {
	s := pkg.Info.Selections[sel]
	if s == nil {
		return false
	}
	if fn, ok := s.Obj().(*types.Func); ok {
		_, ptrRecv := types.Unalias(fn.Signature().Recv().Type()).(*types.Pointer)
		_, isPtr := s.Recv().Underlying().(*types.Pointer)
		return ptrRecv && !isPtr
	}
	_, isStruct := s.Recv().Underlying().(*types.Struct)
	return isStruct // a field may be assigned to
}

func containsExprNode(list []ast.Expr, n ast.Node) bool {
	return slices.ContainsFunc(list, func(e ast.Expr) bool { return ast.Node(ast.Unparen(e)) == n })
}

// literal writes the struct with the values of a row, in the order in which they were stored.
func (jp *joinPlan) literal(at *joinStep, row *joinRow) Text {
	var items []Text
	size, lines := 0, false
	for _, st := range row.steps {
		f := jp.byKey[st.Key]
		if f == nil {
			continue
		}
		src := jp.source(st.File, st.Lookup.Value)
		value := st.moved
		switch {
		case st == at:
			value = Text{jp.keep(st.File, st.Lookup.Value)}
		case value == nil:
			value = Text{Lit(src)}
		}
		items = append(items, append(Text{Lit(f.name + ": ")}, value...))
		size += len(f.name) + len(src) + 4
		lines = lines || strings.Contains(src, "\n")
		if f.flag != "" {
			items = append(items, Text{Lit(f.flag + ": true")})
			size += len(f.flag) + 8
		}
	}
	text := Text{Name(jp.home.path, jp.home.name, jp.name), Lit("{")}
	sep, end := "", "}"
	if size > 60 || lines {
		indent := "\n" + jp.indentAt(at.File, at.Lookup.Call.Pos())
		for _, it := range items {
			text = append(text, Lit(indent+"\t"))
			text = append(append(text, it...), Lit(","))
		}
		return append(text, Lit(indent+end))
	}
	for _, it := range items {
		text = append(append(text, Lit(sep)), it...)
		sep = ", "
	}
	return append(text, Lit(end))
}

// store makes a call of WithValue store the struct.
func (jp *joinPlan) store(st *joinStep, value Text) error {
	lk, f := st.Lookup, st.File
	if st.Via != nil {
		return jp.storeInstead(st, value)
	}
	jp.lostKey(st.Site)
	if jp.direct(st.Site) {
		if err := jp.replaceCode(f, lk.Key.Pos(), lk.Key.End(), jp.keyText()); err != nil {
			return err
		}
		jp.spliceText(f, lk.Value.Pos(), lk.Value.End(), value)
		return nil
	}
	return jp.callWriter(st, jp.accessor(With), value)
}

// storeInstead makes a call of a function that stores one value one that stores the struct.
func (jp *joinPlan) storeInstead(st *joinStep, value Text) error {
	lk, f := st.Lookup, st.File
	at := lk.Call.Pos()
	for _, e := range lk.Call.Args {
		if jp.commentIn(f, jp.offset(f, at), jp.offset(f, e.Pos())) {
			return block("comment", f, at, "a comment here would be lost; move it")
		}
		at = e.End()
	}
	jp.lostKey(st.Site)
	text := Text{Name("context", "context", "WithValue"), Lit("("), jp.keep(f, lk.Context), Lit(", ")}
	if jp.direct(st.Site) {
		text = append(append(text, jp.keyText()...), Lit(", "))
	} else {
		text = Text{Name(jp.home.path, jp.home.name, jp.accessor(With)), Lit("("), jp.keep(f, lk.Context), Lit(", ")}
	}
	jp.spliceText(f, lk.Call.Pos(), lk.Call.End(), append(append(text, value...), Lit(")")))
	return nil
}

// callWriter makes a call of WithValue one of a function that takes the context and a value.
func (jp *joinPlan) callWriter(st *joinStep, name string, value Text) error {
	lk, f := st.Lookup, st.File
	if jp.commentIn(f, jp.offset(f, lk.Key.Pos()), jp.offset(f, lk.Value.Pos())) {
		return block("comment", f, lk.Key.Pos(), "a comment beside the key would be lost; move it")
	}
	text := Text{Name(jp.home.path, jp.home.name, name), Keep(jp.offset(f, lk.Call.Lparen), jp.offset(f, lk.Key.Pos()))}
	text = append(text, value...)
	jp.spliceText(f, lk.Call.Pos(), lk.Call.End(), append(text, Keep(jp.offset(f, lk.Value.End()), jp.offset(f, lk.Call.End()))))
	return nil
}

// lostKey notes that a site no longer names its key.
func (jp *joinPlan) lostKey(s *census.Site) {
	jp.drop.lost = append(jp.drop.lost, lostRange{s.File, s.Expr.Pos(), s.Expr.End(), nil})
	ast.Inspect(s.Expr, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok {
			jp.drop.names = append(jp.drop.names, census.Use{Ident: id, File: s.File, Pkg: s.Pkg})
		}
		return true
	})
}

// keyText names the key.
func (jp *joinPlan) keyText() Text {
	text := Text{Name(jp.home.path, jp.home.name, jp.key)}
	if jp.keyType == "" {
		text = append(text, Lit("{}"))
	}
	return text
}

// writeSingle makes a writer of one value store it beside those that the context carries.
func (jp *joinPlan) writeSingle(row *joinRow) error {
	st := row.steps[0]
	if row.fresh {
		return jp.store(st, jp.literal(st, row))
	}
	if jp.direct(st.Site) {
		if done, err := jp.setInPlace(st); done || err != nil {
			return err
		}
	}
	jp.lostKey(st.Site)
	return jp.callWriter(st, jp.setter(jp.byKey[st.Key]), Text{jp.keep(st.File, st.Lookup.Value)})
}

// setInPlace makes return context.WithValue(ctx, key, v) three statements that set the field in a copy of what ctx carries.
func (jp *joinPlan) setInPlace(st *joinStep) (done bool, err error) {
	lk, f := st.Lookup, st.File
	parent, _ := jp.census.Outer(f, lk.Call)
	ret, ok := parent.(*ast.ReturnStmt)
	if !ok || len(ret.Results) != 1 || program.Statements(jp.census.Parent(f, ret)) == nil || nameOf(st.Pkg, lk.Context) == nil ||
		effects(st.Pkg, lk.Value) {
		return false, nil
	}
	fd := jp.byKey[st.Key]
	from, to, indent, end := ret.Pos(), ret.End(), "\n"+jp.indentAt(f, ret.Pos()), ""
	if strings.TrimSpace(jp.lineBefore(f, ret.Pos())) != "" {
		body, ok := jp.census.Parent(f, ret).(*ast.BlockStmt)
		if !ok || len(body.List) != 1 || strings.Contains(jp.source(f, body), "\n") {
			return false, nil
		}
		decl, ok := jp.census.Parent(f, body).(*ast.FuncDecl)
		if !ok {
			return false, nil
		}
		from, to, indent, end = decl.Type.End(), body.End(), indent+"\t", indent+"}" // a function in one line
		if next := jp.functionBehind(f, decl); next != nil {
			end += "\n"
		}
		jp.rewritten[decl] = true
	}
	v := jp.localName(f, ret, jp.local, "values")
	ctx := jp.source(f, lk.Context)
	text := Text{Lit(v + ", _ := " + ctx + ".Value(")}
	if end != "" {
		text = append(Text{Lit(" {" + indent)}, text...)
	}
	text = append(append(text, jp.keyText()...), Lit(").("), Name(jp.home.path, jp.home.name, jp.name), Lit(")"+indent+v+"."+fd.name))
	if fd.flag != "" {
		text = append(text, Lit(", "+v+"."+fd.flag+" = "), jp.keep(f, lk.Value), Lit(", true"))
	} else {
		text = append(text, Lit(" = "), jp.keep(f, lk.Value))
	}
	if jp.commentIn(f, jp.offset(f, from), jp.offset(f, to)) {
		return false, block("comment", f, ret.Pos(), "a comment here would be lost; move it")
	}
	jp.lostKey(st.Site)
	text = append(text, Lit(indent+"return "+jp.source(f, lk.Call.Fun)+"("+ctx+", "))
	text = append(append(text, jp.keyText()...), Lit(", "+v+")"+end))
	jp.spliceText(f, from, to, text)
	return true, nil
}

// lineBefore returns what stands before a position on its line.
func (d *draft) lineBefore(f *program.File, pos token.Pos) string {
	at := d.offset(f, pos)
	return string(f.Src[strings.LastIndexByte(string(f.Src[:at]), '\n')+1 : at])
}
