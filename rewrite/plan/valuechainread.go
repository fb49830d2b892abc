package plan

import (
	"cmp"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A joinRead is a look-up of one of the values with what becomes of it.
type joinRead struct {
	*census.Site
	field *joinField
	// assert is the assertion on what is found; nil for a read without one.
	assert *ast.TypeAssertExpr
	// pair is set for v, ok := read; stmt is the statement and lhs its left side then.
	pair bool
	stmt ast.Node
	lhs  []ast.Expr
	// isNil is set where the value is only compared with nil.
	isNil bool
	// byGetter is set where a function that returns the value as the context did takes the place of the look-up.
	byGetter bool
}

// readAt looks at the surroundings of a look-up.
func (jp *joinPlan) readAt(f *joinField, s *census.Site) *joinRead {
	r := &joinRead{Site: s, field: f}
	parent, child := jp.census.Outer(s.File, s.Lookup.Call)
	switch p := parent.(type) {
	case *ast.TypeAssertExpr:
		if p.Type == nil {
			break
		}
		r.assert = p
		if r.pair = isCommaOK(s.Pkg.Info.Types[p]); r.pair {
			r.stmt, _ = jp.census.Outer(s.File, p)
			switch st := r.stmt.(type) {
			case *ast.AssignStmt:
				r.lhs = st.Lhs
			case *ast.ValueSpec:
				for _, n := range st.Names {
					r.lhs = append(r.lhs, n)
				}
			}
		}
	case *ast.BinaryExpr:
		other := p.X
		if ast.Node(p.X) == child {
			other = p.Y
		}
		r.isNil = (p.Op == token.EQL || p.Op == token.NEQ) && s.Pkg.Info.Types[other].IsNil()
	}
	return r
}

// asks reports whether a read tells absence from a zero value.
func (r *joinRead) asks() bool { return !r.pair || !isBlankExpr(r.lhs[1]) }

func isBlankExpr(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// judgeRead decides how a read becomes one of the field.
func (jp *joinPlan) judgeRead(r *joinRead) {
	f := r.field
	switch {
	case r.assert == nil:
	case !sameTypeText(r.Pkg.Info.TypeOf(r.assert.Type), f.typ), r.pair && len(r.lhs) != 2:
		r.byGetter = true
	case !r.pair:
		r.byGetter = !f.always || f.hidden() // it panics when there is no value
	case jp.inBlock(r):
		r.byGetter = !jp.ownLines([]*joinRead{r})
	default:
		r.byGetter = !jp.renamable(r) || f.hidden() && !isBlankExpr(r.lhs[1]) && !jp.conditions(r)
	}
	if !f.always && !f.hidden() && (r.byGetter || r.asks()) {
		f.flag = "has"
	}
}

// renamable reports whether a statement defines the two variables of a read, and nothing else assigns to them.
func (jp *joinPlan) renamable(r *joinRead) bool {
	as, ok := r.stmt.(*ast.AssignStmt)
	if !ok || as.Tok != token.DEFINE {
		return false
	}
	for _, lhs := range r.lhs {
		id, ok := lhs.(*ast.Ident)
		if !ok {
			return false
		}
		if id.Name == "_" {
			continue
		}
		if r.Pkg.Info.Defs[id] == nil {
			return false
		}
		for _, use := range jp.usesOfLocal(r.Pkg.Info.Defs[id]) {
			switch p := jp.census.Parent(r.File, use).(type) {
			case *ast.AssignStmt:
				if containsExprNode(p.Lhs, use) {
					return false
				}
			case *ast.IncDecStmt, *ast.RangeStmt:
				return false
			case *ast.UnaryExpr:
				if p.Op == token.AND {
					return false
				}
			}
		}
	}
	return true
}

// direct reports whether a site looks the struct up by itself; the others call an accessor.
func (jp *joinPlan) direct(s *census.Site) bool {
	if jp.opts.Accessors == "always" {
		return jp.isAccessor(s)
	}
	return !jp.foreign(s) || jp.opts.Accessors == "never"
}

// isAccessor reports whether a site cannot call an accessor: its context has too few methods.
func (jp *joinPlan) isAccessor(s *census.Site) bool {
	_, ok := jp.contextText(s.Lookup)
	return !ok && !jp.foreign(s)
}

// writeReads plans what reads the values: what several statements of one block read of one context is looked up once.
func (jp *joinPlan) writeReads() error {
	done := map[*joinRead]bool{}
	slices.SortFunc(jp.reads, func(a, b *joinRead) int {
		x, y := jp.prog.IDOf(a.Lookup.Call.Rparen), jp.prog.IDOf(b.Lookup.Call.Rparen)
		return cmp.Or(cmp.Compare(x.File, y.File), cmp.Compare(x.Offset, y.Offset))
	})
	for _, r := range jp.reads {
		jp.lostKey(r.Site)
	}
	for _, r := range jp.reads {
		if done[r] {
			continue
		}
		var err error
		switch {
		case r.assert == nil || r.byGetter:
			err = jp.readAny(r)
		case !r.pair:
			err = jp.readPanicking(r)
		case jp.inBlock(r):
			group := jp.readGroup(r)
			for _, g := range group {
				done[g] = true
			}
			err = jp.readGroupAt(group)
		default:
			err = jp.readInHeader(r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readAny writes a read without an assertion.
func (jp *joinPlan) readAny(r *joinRead) error {
	lk := r.Lookup
	if r.assert == nil && r.isNil && r.field.always && !r.field.hidden() && jp.direct(r.Site) {
		return jp.replaceCode(r.File, lk.Key.Pos(), lk.Key.End(), jp.keyText())
	}
	return jp.callReader(r, lk.Call, jp.getter(r.field), nil)
}

// callReader makes an expression a call of a function that takes the context.
func (jp *joinPlan) callReader(r *joinRead, whole ast.Expr, name string, behind Text) error {
	ctx, ok := jp.contextText(r.Lookup)
	if !ok {
		return block("context", r.File, r.Lookup.Context.Pos(), "the value is looked up in something that is no context.Context")
	}
	f := r.File
	if jp.commentIn(f, jp.offset(f, whole.Pos()), jp.offset(f, r.Lookup.Context.Pos())) || jp.commentIn(f, jp.offset(f, r.Lookup.Context.End()), jp.offset(f, whole.End())) {
		return block("comment", f, whole.Pos(), "a comment inside the look-up would be lost; move it")
	}
	text := append(Text{Name(jp.home.path, jp.home.name, name), Lit("(")}, ctx...)
	text = append(append(text, Lit(")")), behind...)
	jp.spliceText(f, whole.Pos(), whole.End(), text)
	return nil
}

// lookUp writes the look-up of the struct where an assertion on one value stands.
func (jp *joinPlan) lookUp(r *joinRead, kind AccessorKind, behind Text) error {
	if !jp.direct(r.Site) {
		return jp.callReader(r, r.assert, jp.accessor(kind), behind)
	}
	if err := jp.replaceCode(r.File, r.Lookup.Key.Pos(), r.Lookup.Key.End(), jp.keyText()); err != nil {
		return err
	}
	if err := jp.replaceCode(r.File, r.assert.Type.Pos(), r.assert.Type.End(), Text{Name(jp.home.path, jp.home.name, jp.name)}); err != nil {
		return err
	}
	if behind != nil {
		jp.spliceText(r.File, r.assert.End(), r.assert.End(), behind)
	}
	return nil
}

// readPanicking writes a read that panics when there is no value.
func (jp *joinPlan) readPanicking(r *joinRead) error {
	return jp.lookUp(r, Must, Text{Lit("." + r.field.name)})
}

// presence writes whether the field is set, in a struct held by v with found as the result of its look-up.
func (jp *joinPlan) presence(f *joinField, v, found string) string {
	switch {
	case f.hidden():
		return v + "." + f.name + " != nil"
	case f.always:
		return found
	}
	return v + "." + f.flag
}

// structTells reports whether the look-up's own second result says whether the field is set.
func (f *joinField) structTells() bool { return f.always && !f.hidden() }

// inBlock reports whether a two-valued read is a statement of a block.
func (jp *joinPlan) inBlock(r *joinRead) bool {
	switch st := r.stmt.(type) {
	case *ast.AssignStmt:
		return program.Statements(jp.census.Parent(r.File, st)) != nil
	case *ast.ValueSpec:
		decl, _ := jp.census.Parent(r.File, st).(*ast.GenDecl)
		stmt, ok := jp.census.Parent(r.File, decl).(*ast.DeclStmt)
		return ok && len(decl.Specs) == 1 && st.Type == nil && program.Statements(jp.census.Parent(r.File, stmt)) != nil
	}
	return false
}

// statement returns the node in the block that a read in a block stands in.
func (jp *joinPlan) statement(r *joinRead) ast.Node { return jp.stmtAround(r.File, r.stmt) }

// readGroup returns a read with those beside it in the block that find the same context.
func (jp *joinPlan) readGroup(r *joinRead) []*joinRead {
	ctx := contextVar(r.Pkg, r.Lookup.Context)
	if ctx == nil {
		return []*joinRead{r}
	}
	text := jp.source(r.File, r.Lookup.Context)
	block := jp.census.Parent(r.File, jp.statement(r))
	group := slices.DeleteFunc(slices.Clone(jp.reads), func(o *joinRead) bool {
		return o.File != r.File || !o.pair || o.byGetter || !jp.inBlock(o) || contextVar(o.Pkg, o.Lookup.Context) != ctx || jp.source(o.File, o.Lookup.Context) != text || jp.census.Parent(o.File, jp.statement(o)) != block
	})
	slices.SortFunc(group, func(a, b *joinRead) int { return int(a.stmt.Pos() - b.stmt.Pos()) })
	at := slices.Index(group, r)
	from, to := at, at+1
	for from > 0 && jp.undisturbed(group[from-1], group[from]) {
		from--
	}
	for to < len(group) && jp.undisturbed(group[to-1], group[to]) {
		to++
	}
	if group = group[from:to]; len(group) > 1 && (jp.changes(r.File, ctx, group) || !jp.ownLines(group)) {
		return []*joinRead{r}
	}
	return group
}

// contextVar returns the variable that is a context, or that is asked for one as in r.Context(); nil for other expressions.
func contextVar(pkg *program.Package, e ast.Expr) *types.Var {
	e = ast.Unparen(e)
	if call, ok := e.(*ast.CallExpr); ok && len(call.Args) == 0 && quietCall(pkg, call) {
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
			e = sel.X
		}
	}
	return nameOf(pkg, e)
}

// undisturbed reports whether nothing runs between two reads of a block that could change what is found: statements without
// effects, and such as leave.
func (jp *joinPlan) undisturbed(a, b *joinRead) bool {
	from, to := jp.statement(a), jp.statement(b)
	for _, s := range program.Statements(jp.census.Parent(a.File, from)) {
		if s.Pos() <= from.Pos() || s.Pos() >= to.Pos() {
			continue
		}
		if i, ok := s.(*ast.IfStmt); ok && i.Init == nil && i.Else == nil && !effects(a.Pkg, i.Cond) && leaves(i.Body) {
			continue
		}
		if !quiet(a.Pkg, s) {
			return false
		}
	}
	return true
}

// quiet reports whether a statement calls nothing that may have effects, and receives nothing.
func quiet(pkg *program.Package, s ast.Stmt) bool {
	still := true
	ast.Inspect(s, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GoStmt, *ast.DeferStmt, *ast.SendStmt, *ast.SelectStmt, *ast.LabeledStmt, *ast.BranchStmt:
			still = false
		case *ast.RangeStmt:
			still = false // it may receive, or call
		case *ast.CallExpr:
			still = still && (quietCall(pkg, n) || isLookUp(pkg, n))
		case *ast.UnaryExpr:
			still = still && n.Op != token.ARROW
		}
		return still
	})
	return still
}

// isLookUp reports whether a call is one of a context's Value.
func isLookUp(pkg *program.Package, call *ast.CallExpr) bool {
	sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr)
	return ok && sel.Sel.Name == "Value" && isContextType(pkg.Info.TypeOf(sel.X))
}

// leaves reports whether a block ends with a return.
func leaves(b *ast.BlockStmt) bool {
	if len(b.List) == 0 {
		return false
	}
	_, ok := b.List[len(b.List)-1].(*ast.ReturnStmt)
	return ok
}

// changes reports whether a context may be another at some of the reads.
func (jp *joinPlan) changes(f *program.File, ctx *types.Var, group []*joinRead) bool {
	from, to := group[0].stmt.Pos(), group[len(group)-1].stmt.End()
	for _, u := range jp.census.Uses(ctx) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			continue
		}
		switch p := jp.census.Parent(f, u.Ident).(type) {
		case *ast.AssignStmt:
			if containsExprNode(p.Lhs, u.Ident) && (from <= p.Pos() && p.Pos() < to || jp.captures(f, u.Ident, group[0].stmt)) {
				return true
			}
		case *ast.UnaryExpr:
			if p.Op == token.AND {
				return true
			}
		}
	}
	return ctx.Parent() == ctx.Pkg().Scope() || ctx.IsField()
}

// ownLines reports whether every statement begins its line.
func (jp *joinPlan) ownLines(group []*joinRead) bool {
	return !slices.ContainsFunc(group, func(r *joinRead) bool {
		s := jp.statement(r)
		return len(jp.lineBefore(r.File, s.Pos())) != len(jp.indentAt(r.File, s.Pos())) || jp.commentIn(r.File, jp.offset(r.File, s.Pos()), jp.offset(r.File, s.End()))
	})
}

// readGroupAt writes the statements of a group: the first looks the struct up.
func (jp *joinPlan) readGroupAt(group []*joinRead) error {
	first := group[0]
	if len(group) == 1 {
		return jp.readAlone(first)
	}
	v := jp.localName(first.File, jp.statement(first), jp.local, "values")
	found := "_"
	if slices.ContainsFunc(group, func(r *joinRead) bool { return r.asks() && r.field.structTells() }) {
		found = jp.localName(first.File, jp.statement(first), "found", "attached")
	}
	for _, r := range group {
		s := jp.statement(r)
		text := jp.fieldStatement(r, v, found)
		if r == first {
			head, err := jp.headText(r, v, found)
			if err != nil {
				return err
			}
			text = append(append(head, Lit("\n"+jp.indentAt(r.File, s.Pos()))), text...)
		}
		jp.drop.lost = append(jp.drop.lost, lostRange{r.File, s.Pos(), s.End(), nil})
		if err := jp.replaceCode(r.File, s.Pos(), s.End(), text); err != nil {
			return err
		}
	}
	return nil
}

// headText is the statement that looks the struct up.
func (jp *joinPlan) headText(r *joinRead, v, found string) (Text, error) {
	text := Text{Lit(v + ", " + found + " := ")}
	if jp.direct(r.Site) {
		text = append(text, Lit(jp.source(r.File, r.Lookup.Context)+".Value("))
		text = append(append(text, jp.keyText()...), Lit(").("), Name(jp.home.path, jp.home.name, jp.name), Lit(")"))
		return text, nil
	}
	ctx, ok := jp.contextText(r.Lookup)
	if !ok {
		return nil, block("context", r.File, r.Lookup.Context.Pos(), "the value is looked up in something that is no context.Context")
	}
	text = append(append(text, Name(jp.home.path, jp.home.name, jp.accessor(From)), Lit("(")), ctx...)
	return append(text, Lit(")")), nil
}

// fieldStatement writes a statement that takes a value, and whether it is set, from the struct.
func (jp *joinPlan) fieldStatement(r *joinRead, v, found string) Text {
	var left, right string
	add := func(lhs ast.Expr, rhs string) {
		if isBlankExpr(lhs) {
			return
		}
		if left != "" {
			left, right = left+", ", right+", "
		}
		left, right = left+jp.source(r.File, lhs), right+rhs
	}
	add(r.lhs[0], v+"."+r.field.name)
	add(r.lhs[1], jp.presence(r.field, v, found))
	if left == "" {
		left, right = "_", v
		return Text{Lit(left + " = " + right)}
	}
	return Text{Lit(jp.declaring(r) + left + jp.assignment(r) + right)}
}

// declaring is what a statement of r's begins with, assignment what stands in its middle.
func (jp *joinPlan) declaring(r *joinRead) string {
	if _, ok := r.stmt.(*ast.ValueSpec); ok {
		return "var "
	}
	return ""
}

func (jp *joinPlan) assignment(r *joinRead) string {
	as, ok := r.stmt.(*ast.AssignStmt)
	if !ok || as.Tok == token.ASSIGN {
		return " = "
	}
	for _, lhs := range as.Lhs {
		if id, ok := lhs.(*ast.Ident); ok && r.Pkg.Info.Defs[id] != nil {
			return " := "
		}
	}
	return " = "
}

// readAlone writes a statement that is the only one of its block to read the context.
func (jp *joinPlan) readAlone(r *joinRead) error {
	as, plain := r.stmt.(*ast.AssignStmt)
	noValue, noOK := isBlankExpr(r.lhs[0]), isBlankExpr(r.lhs[1])
	if noValue && (noOK || r.field.structTells()) {
		return jp.lookUp(r, From, nil) // _, ok := read
	}
	f := r.File
	s := jp.statement(r)
	v := ""
	keepOK := plain && as.Tok == token.DEFINE && (noOK || r.field.structTells())
	if keepOK {
		if done, err := jp.readOnce(r); done || err != nil {
			return err
		}
	}
	v = jp.localName(f, s, jp.local, "values")
	if keepOK {
		return jp.readWithOK(r, v)
	}
	found := "_"
	if !noOK && r.field.structTells() {
		found = jp.localName(f, s, "found", "attached")
	}
	head, err := jp.headText(r, v, found)
	if err != nil {
		return err
	}
	jp.drop.lost = append(jp.drop.lost, lostRange{f, s.Pos(), s.End(), nil})
	text := append(head, Lit("\n"+jp.indentAt(f, s.Pos())))
	return jp.replaceCode(f, s.Pos(), s.End(), append(text, jp.fieldStatement(r, v, found)...))
}

// readWithOK writes v, ok := read as a look-up of the struct with the same second result, and v := values.field below.
func (jp *joinPlan) readWithOK(r *joinRead, v string) error {
	f := r.File
	s := jp.statement(r)
	jp.splice(f, r.lhs[0].Pos(), r.lhs[0].End(), Lit(v))
	if err := jp.lookUp(r, From, nil); err != nil {
		return err
	}
	tok := " = "
	if id := r.lhs[0].(*ast.Ident); r.Pkg.Info.Defs[id] != nil {
		tok = " := "
	}
	jp.spliceText(f, s.End(), s.End(), Text{Lit("\n" + jp.indentAt(f, s.Pos()) + jp.source(f, r.lhs[0]) + tok + v + "." + r.field.name)})
	return nil
}

// readOnce writes v, ok := read with the one use of v made one of the struct's field.
func (jp *joinPlan) readOnce(r *joinRead) (done bool, err error) {
	id, ok := r.lhs[0].(*ast.Ident)
	if !ok || r.Pkg.Info.Defs[id] == nil || !jp.renamable(r) {
		return false, nil
	}
	uses := jp.usesOfLocal(r.Pkg.Info.Defs[id])
	if len(uses) != 1 || jp.census.Parent(r.File, jp.stmtAround(r.File, uses[0])) != jp.census.Parent(r.File, jp.statement(r)) {
		return false, nil
	}
	return true, jp.readInHeader(r)
}

// usesOfLocal returns the mentions of a local variable apart from its declaration.
func (jp *joinPlan) usesOfLocal(obj types.Object) []*ast.Ident {
	var list []*ast.Ident
	for _, u := range jp.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] == nil {
			list = append(list, u.Ident)
		}
	}
	return list
}

// readInHeader writes a read whose two variables are uses of the struct from then on: if v, ok := read; ok { use(v) }.
func (jp *joinPlan) readInHeader(r *joinRead) error {
	noValue := isBlankExpr(r.lhs[0])
	if noValue && (isBlankExpr(r.lhs[1]) || r.field.structTells()) {
		return jp.lookUp(r, From, nil)
	}
	v := jp.localName(r.File, r.stmt, jp.local, "values")
	if !noValue {
		jp.rename(r, r.lhs[0], v+"."+r.field.name)
	}
	switch {
	case r.field.structTells() || isBlankExpr(r.lhs[1]):
		jp.splice(r.File, r.lhs[0].Pos(), r.lhs[0].End(), Lit(v))
	case r.field.hidden():
		jp.compareWithNil(r, v)
		jp.splice(r.File, r.lhs[0].Pos(), r.lhs[1].End(), Lit(v+", _"))
	default:
		jp.rename(r, r.lhs[1], v+"."+r.field.flag)
		jp.splice(r.File, r.lhs[0].Pos(), r.lhs[1].End(), Lit(v+", _"))
	}
	return jp.lookUp(r, From, nil)
}

// rename replaces the uses of a variable by an expression.
func (jp *joinPlan) rename(r *joinRead, lhs ast.Expr, text string) {
	for _, use := range jp.usesOfLocal(r.Pkg.Info.Defs[lhs.(*ast.Ident)]) {
		jp.splice(r.File, use.Pos(), use.End(), Lit(text))
	}
}

// accessor returns the name of a function that stores, or looks up, the struct.
func (jp *joinPlan) accessor(kind AccessorKind) string {
	if jp.accessors[kind] == "" {
		names := accessorNames(baseName(jp.name), kind)
		if !jp.exported {
			for i, n := range names {
				names[i] = lowerFirst(n)
			}
		}
		jp.accessors[kind] = jp.names.free(jp.home.dir, jp.homePlaces(), names...)
	}
	return jp.accessors[kind]
}

// setter returns the name of a function that stores one value beside the others.
func (jp *joinPlan) setter(f *joinField) string {
	if f.setter == "" {
		f.setter = jp.function(f, "With%s", "With%sValue")
	}
	return f.setter
}

// getter returns the name of a function that looks one value up as an interface value.
func (jp *joinPlan) getter(f *joinField) string {
	if f.getter == "" {
		f.getter = jp.function(f, "%sValue", "%sOf")
	}
	return f.getter
}

func (jp *joinPlan) function(f *joinField, formats ...string) string {
	var names []string
	for _, format := range formats {
		name := fmt.Sprintf(format, baseName(jp.stemOf(f.key)))
		if !slices.ContainsFunc(f.key.Sites, jp.foreign) {
			name = lowerFirst(name)
		}
		names = append(names, name)
	}
	return jp.names.free(jp.home.dir, jp.homePlaces(), names...)
}
