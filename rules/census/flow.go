package census

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"reflect"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A ref is an expression whose value is followed backwards to where it comes from.
type ref struct {
	expr ast.Expr
	file *program.File
	pkg  *program.Package
	// want selects a part of the value: "" the value itself, "e" an element, "k" a map key;
	// letters nest from the outside in.
	want string
	// arg is set when the step to this ref passed a call argument or took one of several
	// sources: the place to report is then this expression.
	arg bool
	// only is set on the way back from a method called through an interface: the value counts only
	// if it has this type, the receiver's. It is known where want has the length depth.
	only  types.Type
	depth int
}

// typ returns the type of the expression; in `v, ok := x` that of v.
func (r ref) typ() types.Type {
	t := r.pkg.Info.TypeOf(r.expr)
	if pair, ok := t.(*types.Tuple); ok && pair.Len() == 2 {
		switch ast.Unparen(r.expr).(type) {
		case *ast.IndexExpr, *ast.TypeAssertExpr, *ast.UnaryExpr:
			return pair.At(0).Type()
		}
	}
	return t
}

// An Unknown is a place where a value comes from that cannot be followed.
type Unknown struct {
	File *program.File
	Pos  token.Pos
	Why  string
	// asks are the methods that the static types on the way to the look-up ask of the key, by their Ids.
	asks []string
}

// sources is one step backwards: the expressions a value may come from, and
// the places where it may come from elsewhere.
type sources struct {
	refs    []ref
	unknown []Unknown
	// zero is set when the value may be its type's zero value, nothing having been stored.
	zero bool
	// zeroType is set when the value may be the zero value of a type argument, struct{}{} for one.
	zeroType bool
}

func (s *sources) add(r ref) { s.refs = append(s.refs, r) }
func (s *sources) merge(o sources) {
	s.refs = append(s.refs, o.refs...)
	s.unknown = append(s.unknown, o.unknown...)
	s.zero = s.zero || o.zero
	s.zeroType = s.zeroType || o.zeroType
}
func (s *sources) lose(f *program.File, pos token.Pos, format string, args ...any) {
	s.unknown = append(s.unknown, Unknown{File: f, Pos: pos, Why: fmt.Sprintf(format, args...)})
}

// step returns where the value (or the part of it that r wants) comes from.
func (ix *index) step(r ref) sources {
	s := ix.stepAll(r)
	kept := s.refs[:0]
	for _, next := range s.refs {
		if next.only == nil {
			next.only, next.depth = r.only, r.depth
		}
		switch {
		case next.reaches():
			kept = append(kept, next)
		case embeds(next.typ(), next.only):
			s.lose(next.file, next.expr.Pos(), "is the receiver of a promoted method")
		}
	}
	s.refs = kept
	return s
}

// embeds reports whether a struct type embeds another type, directly or not.
func embeds(t, inner types.Type) bool {
	st, ok := deref(t).Underlying().(*types.Struct)
	if !ok {
		return false
	}
	for f := range st.Fields() {
		if f.Embedded() && (types.Identical(deref(f.Type()), deref(inner)) || types.IsInterface(f.Type()) || embeds(f.Type(), inner)) {
			return true
		}
	}
	return false
}

// reaches reports whether a value can be the receiver that is looked for, and ends the search when its
// type is known to be right.
func (r *ref) reaches() bool {
	if r.only == nil || len(r.want) != r.depth {
		return true
	}
	t := r.typ()
	if t == nil || carrierType(t) {
		return true
	}
	if !types.Identical(deref(t), deref(r.only)) {
		named, ok := types.Unalias(deref(r.only)).(*types.Named)
		return ok && named.TypeParams().Len() > 0 // instantiations are not told apart
	}
	r.only = nil
	return true
}

func (ix *index) stepAll(r ref) sources {
	var s sources
	switch e := r.expr.(type) {
	case *ast.ParenExpr:
		r.expr = e.X
		s.add(r)
	case *ast.Ident:
		ix.stepObject(r, r.pkg.Info.Uses[e], &s)
	case *ast.SelectorExpr:
		ix.stepObject(r, r.pkg.Info.Uses[e.Sel], &s)
	case *ast.CallExpr:
		ix.stepCall(r, e, &s)
	case *ast.CompositeLit:
		ix.stepComposite(r, e, &s)
	case *ast.IndexExpr:
		if isText(r.pkg.Info.TypeOf(e.X)) {
			s.lose(r.file, e.Pos(), "is computed at run time")
			break
		}
		r.expr, r.want = e.X, "e"+r.want
		s.add(r)
	case *ast.SliceExpr:
		if r.want == "" || isText(r.pkg.Info.TypeOf(e.X)) {
			s.lose(r.file, e.Pos(), "is computed at run time")
			break
		}
		r.expr = e.X
		s.add(r)
	case *ast.UnaryExpr:
		if e.Op == token.AND && r.want != "" {
			r.expr = e.X
			s.add(r)
			break
		}
		s.lose(r.file, e.Pos(), "is computed at run time")
	case *ast.BinaryExpr:
		s.lose(r.file, e.Pos(), "is computed at run time")
	case *ast.TypeAssertExpr:
		s.lose(r.file, e.Pos(), "comes out of a type assertion")
	default:
		s.lose(r.file, r.expr.Pos(), "comes from an expression that cannot be followed")
	}
	return s
}

// isText reports whether t is a string type, whose bytes and parts are no elements to follow.
func isText(t types.Type) bool {
	if t == nil {
		return true
	}
	b, ok := t.Underlying().(*types.Basic)
	return ok && b.Info()&types.IsString != 0
}

func (ix *index) stepObject(r ref, obj types.Object, s *sources) {
	if _, ok := obj.(*types.Nil); ok {
		return // no key, and no elements
	}
	v, ok := obj.(*types.Var)
	if !ok {
		s.lose(r.file, r.expr.Pos(), "comes from %s, which is not a variable", types.ExprString(r.expr))
		return
	}
	s.merge(ix.inflow(v, r.want))
}

// stepCall follows conversions, append and the results of functions whose body is at hand.
func (ix *index) stepCall(r ref, call *ast.CallExpr, s *sources) {
	info := r.pkg.Info
	if tv, ok := info.Types[call.Fun]; ok && tv.IsType() { // a conversion
		if len(call.Args) != 1 {
			return
		}
		if r.want == "" && recomputed(info.TypeOf(call), info.TypeOf(call.Args[0])) {
			s.lose(r.file, call.Pos(), "is computed at run time")
			return
		}
		r.expr = call.Args[0]
		s.add(r)
		return
	}
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok {
		if b, ok := info.Uses[id].(*types.Builtin); ok {
			ix.stepBuiltin(r, call, b.Name(), s)
			return
		}
	}
	fn := Callee(info, call)
	if fn == nil {
		s.lose(r.file, call.Pos(), "is the result of a call that cannot be followed")
		return
	}
	s.merge(ix.results(fn, 0, r))
}

// recomputed reports whether a conversion makes another value: of numbers to another kind, which may not
// hold them, and from bytes, which may have changed since they were text.
func recomputed(to, from types.Type) bool {
	if to == nil || from == nil || carrierType(to) || carrierType(from) {
		return false
	}
	x, ok := to.Underlying().(*types.Basic)
	if !ok {
		return false
	}
	y, ok := from.Underlying().(*types.Basic)
	return !ok || x.Kind() != y.Kind() && y.Info()&types.IsUntyped == 0
}

func (ix *index) stepBuiltin(r ref, call *ast.CallExpr, name string, s *sources) {
	switch {
	case name == "append" && strings.HasPrefix(r.want, "e"):
		r0 := r
		r0.expr = call.Args[0]
		s.add(r0)
		for i, a := range call.Args[1:] {
			ri := r
			ri.expr = a
			if !call.Ellipsis.IsValid() || i < len(call.Args)-2 {
				ri.want = r.want[1:]
				ri.arg = true
			}
			s.add(ri)
		}
	case name == "make" || name == "new":
	default:
		s.lose(r.file, call.Pos(), "is computed at run time")
	}
}

func (ix *index) stepComposite(r ref, lit *ast.CompositeLit, s *sources) {
	if r.want == "" {
		s.lose(r.file, lit.Pos(), "is built at run time")
		return
	}
	for _, elt := range lit.Elts {
		ri := r
		ri.want, ri.arg = r.want[1:], true
		kv, keyed := elt.(*ast.KeyValueExpr)
		switch {
		case keyed && r.want[0] == 'k':
			ri.expr = kv.Key
		case keyed:
			ri.expr = kv.Value
		default:
			ri.expr = elt
		}
		s.add(ri)
	}
}

// results returns the expressions a function returns at index i.
func (ix *index) results(fn *types.Func, i int, r ref) sources {
	var s sources
	fn = ix.repFunc(fn)
	for _, u := range ix.usesOf(fn) {
		decl, ok := ix.parent(u.file, u.node).(*ast.FuncDecl)
		if !ok || decl.Name != u.node || decl.Body == nil || unread(u.pkg, decl) {
			continue
		}
		named := false
		if rv := fn.Signature().Results().At(i); rv.Name() != "" && rv.Name() != "_" {
			named = true
			if !ix.active[rv] { // a function may assign its own result to it
				ix.active[rv] = true
				s.zero = true
				s.merge(ix.inflow(rv, r.want)) // assigned, perhaps by a deferred function
				delete(ix.active, rv)
			}
		}
		ix.returned(decl.Type, decl.Body, i, r.want, named, u, &s)
		return s
	}
	s.lose(r.file, r.expr.Pos(), "is the result of %s", fn.FullName())
	return s
}

func (ix *index) returned(ft *ast.FuncType, body *ast.BlockStmt, i int, want string, named bool, u use, s *sources) {
	ast.Inspect(body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.ReturnStmt:
			switch {
			case i < len(n.Results) && len(n.Results) == resultCount(ft):
				s.add(ref{expr: n.Results[i], file: u.file, pkg: u.pkg, want: want, arg: true})
			case len(n.Results) == 0 && named: // the variable counts
			default:
				s.lose(u.file, n.Pos(), "is a result that cannot be followed")
			}
		}
		return true
	})
}

func resultCount(ft *ast.FuncType) int {
	if ft.Results == nil {
		return 0
	}
	return ft.Results.NumFields()
}

// inflow returns everything that is ever stored in a variable, parameter or field
// (or in the wanted part of it), within the packages whose bodies are at hand.
func (ix *index) inflow(v *types.Var, want string) sources {
	var s sources
	v = ix.repVar(v)
	for _, u := range ix.usesOf(v) {
		id := u.node.(*ast.Ident)
		ix.inflowAt(v, want, ix.nameExpr(u.file, id), id, u, &s)
	}
	s.zero = s.zero || v.IsField()
	if v.IsField() {
		if _, ok := v.Type().(*types.TypeParam); ok && want == "" {
			s.zeroType = true
		}
		ix.inflowUnkeyed(v, want, &s)
		if place, ok := ix.fields[v]; ok && ix.converted[place.first] {
			s.lose(ix.prog.FileOf(v.Pos()), v.Pos(), "comes from field %s of a struct that is converted from another type", v.Name())
		}
		if ix.decodable(v) {
			s.lose(ix.prog.FileOf(v.Pos()), v.Pos(), "comes from field %s, which decoding may fill", v.Name())
		}
	}
	if v.Pkg() != nil && v.Parent() == v.Pkg().Scope() && ix.linked[mentionedName{v.Pkg().Path(), v.Name()}] {
		s.lose(ix.prog.FileOf(v.Pos()), v.Pos(), "comes from code that a directive links to %s", v.Name())
	}
	if pkg := ix.partial(v); pkg != nil && ix.assignedUnread(pkg, v.Name()) {
		s.unknown = append(s.unknown, Unknown{File: nil, Pos: v.Pos(), Why: "is assigned by code of package " + pkg.Path})
	}
	if sw, ok := ix.switched[v]; ok {
		if want == "" && !carrierType(v.Type()) {
			s.lose(sw.file, sw.node.Pos(), "comes out of a type switch")
		} else {
			s.add(ref{expr: sw.node.(ast.Expr), file: sw.file, pkg: sw.pkg, want: want})
		}
		return s
	}
	if p, ok := ix.paramOf(v); ok {
		if p.fn != nil {
			ix.callArgs(p.fn, argument{index: p.index, variadic: p.variadic, want: want}, &s, map[*types.Func]bool{})
		} else {
			ix.litArgs(p, want, &s)
		}
	} else if v.Pkg() != nil && len(ix.usesOf(v)) == 0 {
		s.unknown = append(s.unknown, Unknown{File: nil, Pos: v.Pos(), Why: "comes from " + v.Name() + " of package " + v.Pkg().Path()})
	}
	if _, isParam := ix.paramOf(v); len(s.refs)+len(s.unknown) == 0 && !isParam && !v.IsField() && ix.prog.FileOf(v.Pos()) != nil {
		s.lose(ix.prog.FileOf(v.Pos()), v.Pos(), "is variable %s, to which nothing is assigned", v.Name())
	}
	if len(s.refs) > 1 {
		for i := range s.refs {
			s.refs[i].arg = true
		}
	}
	return s
}

// inflowAt adds what one mention of a variable stores in it.
func (ix *index) inflowAt(v *types.Var, want string, node ast.Node, id *ast.Ident, u use, s *sources) {
	at := func(e ast.Expr, w string, arg bool) {
		s.add(ref{expr: e, file: u.file, pkg: u.pkg, want: w, arg: arg})
	}
	parent, child := ix.outer(u.file, node)
	if want != "" && u.pkg.Info.Defs[id] == nil && ix.aliases(v, u, parent, child) {
		s.lose(u.file, id.Pos(), "is in a table that is also known by another name")
	}
	switch p := parent.(type) {
	case *ast.AssignStmt:
		for i, lhs := range p.Lhs {
			if lhs != child {
				continue
			}
			switch {
			case p.Tok != token.ASSIGN && p.Tok != token.DEFINE:
				s.lose(u.file, p.Pos(), "is computed at run time")
			case len(p.Rhs) == len(p.Lhs):
				at(p.Rhs[i], want, false)
			default:
				ix.inflowTuple(p.Rhs[0], i, want, u, s)
			}
		}
	case *ast.ValueSpec:
		for i, name := range p.Names {
			if name != id {
				continue
			}
			if len(p.Values) == 0 {
				s.zero = true
				continue
			}
			if len(p.Values) == len(p.Names) {
				at(p.Values[i], want, false)
			} else {
				ix.inflowTuple(p.Values[0], i, want, u, s)
			}
		}
	case *ast.RangeStmt:
		if p.Key == child || p.Value == child {
			ix.inflowRange(p, p.Key == child, want, u, s)
		}
	case *ast.KeyValueExpr:
		if p.Key == child && v.IsField() {
			at(p.Value, want, true)
		}
	case *ast.IndexExpr:
		if p.X == child && want != "" {
			ix.inflowElement(p, want, u, s)
		}
	case *ast.UnaryExpr:
		if p.Op == token.AND {
			s.lose(u.file, p.Pos(), "is a variable whose address is taken")
		}
	case *ast.SelectorExpr:
		if p.X == child && want != "" {
			ix.inflowMethod(p, want, u, s, map[*types.Var]bool{})
		}
		if sel := u.pkg.Info.Selections[p]; sel != nil && p.X == child && byAddress(sel) {
			s.lose(u.file, p.Pos(), "is a variable whose address method %s takes", p.Sel.Name)
		}
	case *ast.IncDecStmt:
		s.lose(u.file, p.Pos(), "is computed at run time")
	case *ast.CallExpr:
		if want != "" && p.Fun != child {
			ix.inflowEscape(p, child, want, u, s, map[*types.Var]bool{})
		}
	case *ast.Field:
		if v.IsField() {
			if tagged(p) {
				s.lose(u.file, id.Pos(), "comes from field %s, which decoding may fill", v.Name())
			}
		}
	}
}

// byAddress reports whether a method takes the address of the variable that it is called on, other than a
// struct, whose fields are followed by themselves.
func byAddress(sel *types.Selection) bool {
	if sel.Kind() != types.MethodVal || len(sel.Index()) > 1 {
		return false
	}
	_, ptr := types.Unalias(sel.Obj().(*types.Func).Signature().Recv().Type()).(*types.Pointer)
	_, onPtr := types.Unalias(sel.Recv()).(*types.Pointer)
	_, isStruct := sel.Recv().Underlying().(*types.Struct)
	return ptr && !onPtr && !isStruct
}

// tagged reports whether a struct field carries a tag: decoders fill such fields unseen.
func tagged(f *ast.Field) bool {
	return f.Tag != nil && reflect.StructTag(strings.Trim(f.Tag.Value, "`\"")) != ""
}

// inflowTuple handles v, ... = f() and the two-valued forms.
func (ix *index) inflowTuple(rhs ast.Expr, i int, want string, u use, s *sources) {
	r := ref{expr: ast.Unparen(rhs), file: u.file, pkg: u.pkg, want: want}
	if call, ok := r.expr.(*ast.CallExpr); ok {
		if fn := Callee(u.pkg.Info, call); fn != nil {
			s.merge(ix.results(fn, i, r))
			return
		}
	}
	if i == 0 {
		s.add(r)
	}
}

// inflowUnkeyed adds the values given to a field by position.
func (ix *index) inflowUnkeyed(v *types.Var, want string, s *sources) {
	place, ok := ix.fields[ix.repVar(v)]
	if !ok {
		return
	}
	for _, u := range ix.unkeyed[place.first] {
		if lit := u.node.(*ast.CompositeLit); place.index < len(lit.Elts) {
			s.add(ref{expr: lit.Elts[place.index], file: u.file, pkg: u.pkg, want: want, arg: true})
		}
	}
}

// paramVar returns the parameter variable of a function whose body is at hand.
func (ix *index) paramVar(fn *types.Func, i int) *types.Var {
	fn = ix.repFunc(fn)
	params := fn.Signature().Params()
	if i >= params.Len() {
		i = params.Len() - 1
	}
	if i < 0 {
		return nil
	}
	v := params.At(i)
	if _, ok := ix.paramOf(v); !ok {
		return nil
	}
	return v
}

// Callee returns the function or method a call names, interface methods included; nil for
// calls of other expressions.
func Callee(info *types.Info, call *ast.CallExpr) *types.Func {
	if id := calleeIdent(call); id != nil {
		if fn, ok := info.Uses[id].(*types.Func); ok {
			return fn.Origin()
		}
	}
	return nil
}

// calleeIdent returns the identifier that names what a call calls, nil for other expressions.
func calleeIdent(call *ast.CallExpr) *ast.Ident {
	fun := ast.Unparen(call.Fun)
	switch f := fun.(type) {
	case *ast.IndexExpr:
		fun = f.X
	case *ast.IndexListExpr:
		fun = f.X
	}
	switch f := ast.Unparen(fun).(type) {
	case *ast.Ident:
		return f
	case *ast.SelectorExpr:
		return f.Sel
	}
	return nil
}
