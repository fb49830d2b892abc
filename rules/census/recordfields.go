package census

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// index takes in m[i].
func (r *recorder) index(ix *ast.IndexExpr, e Expr) {
	at := Expr{ix, e.File, e.Pkg}
	name, ok := constText(e.Pkg.Info, ix.Index)
	if !ok {
		r.dynamic(at, "is indexed by what is not constant")
		return
	}
	f := r.field(name)
	parent, child := r.Outer(e.File, ix)
	switch p := parent.(type) {
	case *ast.AssignStmt:
		if containsExpr(p.Lhs, child) {
			r.indexAssigned(f, p, ix, child, e)
			return
		}
	case *ast.IncDecStmt:
		r.updated(f, ix, at)
		return
	case *ast.RangeStmt:
		if p.Key == child || p.Value == child {
			r.lose(ReasonEscapes, at, "%q is set by a range statement", name)
			return
		}
	}
	if isPair(e.Pkg.Info, ix) {
		f.Reads = append(f.Reads, &FieldRead{Expr: at, Index: ix, Asks: true})
		r.lose(ReasonPresence, at, "the program asks whether %q is there; a field always is", name)
		return
	}
	read := &FieldRead{Expr: at, Index: ix}
	f.Reads = append(f.Reads, read)
	if !types.IsInterface(r.rec.Elem) {
		return
	}
	switch p := parent.(type) {
	case *ast.TypeAssertExpr:
		if p.Type == nil {
			break
		}
		read.Assert = p
		if isPair(e.Pkg.Info, p) {
			r.readPair(read)
		}
	case *ast.BinaryExpr:
		switch other := otherSide(p, child); {
		case other == nil:
		case isNil(e.Pkg.Info, other):
			read.Asks = true
		default:
			read.Against = types.Default(e.Pkg.Info.TypeOf(other))
		}
	default:
		read.AsAny = r.becomesInterface(parent, child, e)
	}
}

// becomesInterface reports whether a value is converted to an interface type at once where it stands.
func (r *recorder) becomesInterface(parent, child ast.Node, e Expr) bool {
	info := e.Pkg.Info
	isInterface := func(x ast.Expr) bool { t := info.TypeOf(x); return t != nil && carrierType(t) }
	switch p := parent.(type) {
	case *ast.CallExpr:
		return takesInterface(info, p, child)
	case *ast.AssignStmt:
		for i, rhs := range p.Rhs {
			if ast.Node(rhs) == child {
				return p.Tok == token.ASSIGN && len(p.Lhs) == len(p.Rhs) && !isBlank(p.Lhs[i]) && isInterface(p.Lhs[i])
			}
		}
	case *ast.ValueSpec:
		return p.Type != nil && isInterface(p.Type)
	case *ast.SendStmt:
		ch, ok := program.Underlying(info, p.Chan).(*types.Chan)
		return ok && ast.Node(p.Value) == child && carrierType(ch.Elem())
	case *ast.ReturnStmt:
		return r.returnsInterface(p, child, e)
	case *ast.KeyValueExpr:
		lit, ok := r.Parent(e.File, p).(*ast.CompositeLit)
		if !ok || ast.Node(p.Value) != child {
			return false
		}
		switch t := program.Underlying(info, lit).(type) {
		case *types.Map:
			return carrierType(t.Elem())
		case *types.Struct:
			return isInterface(p.Key)
		}
	}
	return false
}

// returnsInterface reports whether a function returns a value as an interface value.
func (r *recorder) returnsInterface(ret *ast.ReturnStmt, child ast.Node, e Expr) bool {
	var sig *types.Signature
	switch fn := r.function(e.File, ret).(type) {
	case *ast.FuncDecl:
		sig, _ = e.Pkg.Info.Defs[fn.Name].Type().(*types.Signature)
	case *ast.FuncLit:
		sig, _ = e.Pkg.Info.TypeOf(fn).(*types.Signature)
	}
	if sig == nil || sig.Results().Len() != len(ret.Results) {
		return false
	}
	for i, res := range ret.Results {
		if ast.Node(res) == child {
			return types.IsInterface(sig.Results().At(i).Type())
		}
	}
	return false
}

// readPair takes in v, ok := m["k"].(T).
func (r *recorder) readPair(read *FieldRead) {
	stmt, _ := r.Outer(read.File, read.Assert)
	lhs := pairNames(stmt)
	if lhs == nil || !isBlank(lhs[1]) || isBlank(lhs[0]) {
		read.Asks = true
		return
	}
	if spec, ok := stmt.(*ast.ValueSpec); ok && spec.Type != nil {
		read.Asks = true
		return
	}
	read.Pair = stmt
}

// takesInterface reports whether a call takes an argument as an interface value.
func takesInterface(info *types.Info, call *ast.CallExpr, child ast.Node) bool {
	sig, ok := program.Underlying(info, call.Fun).(*types.Signature)
	if !ok || call.Ellipsis.IsValid() || isConversion(info, call) {
		return false
	}
	if fn := Callee(info, call); fn != nil && fn.Signature().TypeParams().Len() > 0 {
		return false // a type argument would be another
	}
	for i, a := range call.Args {
		if ast.Node(a) != child {
			continue
		}
		n := sig.Params().Len()
		if sig.Variadic() && i >= n-1 {
			return types.IsInterface(sig.Params().At(n - 1).Type().(*types.Slice).Elem())
		}
		return i < n && types.IsInterface(sig.Params().At(i).Type())
	}
	return false
}

// indexAssigned takes in m["k"] = v.
func (r *recorder) indexAssigned(f *Field, as *ast.AssignStmt, ix *ast.IndexExpr, child ast.Node, e Expr) {
	at := Expr{ix, e.File, e.Pkg}
	if as.Tok != token.ASSIGN {
		r.updated(f, ix, at)
		return
	}
	if len(as.Lhs) != len(as.Rhs) {
		r.lose(ReasonEscapes, at, "the field is one of several values assigned at once")
		return
	}
	for i, lhs := range as.Lhs {
		if ast.Node(lhs) == child {
			f.Sets = append(f.Sets, &FieldSet{Expr: at, Index: ix, Value: as.Rhs[i]})
		}
	}
}

// updated takes in m["k"] += v and m["k"]++, which only maps of concrete elements have.
func (r *recorder) updated(f *Field, ix *ast.IndexExpr, at Expr) {
	f.Sets = append(f.Sets, &FieldSet{Expr: at, Index: ix})
}

// judgeSets finds the assignments to a field that happen after its map went anywhere: a struct is
// copied there, where a map is shared.
func (r *recorder) judgeSets() {
	for _, f := range r.rec.Fields {
		for _, s := range f.Sets {
			if s.Index == nil {
				continue
			}
			l := r.homeOf(s)
			if l == nil || !r.beforeAway(l, s) {
				if r.rec.Pointer == nil {
					r.rec.Pointer = why(ReasonShared, s.Expr, "%q is set in a map that others may hold already", f.Name)
				}
				continue
			}
			if r.certain(l, f, s) {
				l.origin.Sets[f.Name] = true
			}
		}
	}
}

// homeOf returns the variable that an assignment to a field goes through, if it was given a map of its own
// where it is declared and nothing else since.
func (r *recorder) homeOf(s *FieldSet) *local {
	v := nameVar(s.Pkg.Info, s.Index.X)
	if v == nil {
		return nil
	}
	l := r.homes[v.Pos()]
	if l == nil || l.origin == nil || l.writes > 0 {
		return nil
	}
	return l
}

// beforeAway reports whether an assignment to a field is certain to run before the map is handed on.
func (r *recorder) beforeAway(l *local, s *FieldSet) bool {
	if r.function(s.File, s.Index) != r.function(l.use.File, l.use.Ident) || jumps(r.function(s.File, s.Index)) {
		return false
	}
	for _, u := range r.aways[l.v.Pos()] {
		if u.Ident.Pos() < s.Index.Pos() {
			return false
		}
		for n := r.Parent(u.File, u.Ident); n != nil; n = r.Parent(u.File, n) {
			if l.use.Ident.Pos() >= n.Pos() && l.use.Ident.Pos() < n.End() {
				break
			}
			switch n.(type) {
			case *ast.ForStmt, *ast.RangeStmt:
				return false // the next round sets it in the map that this one handed on
			}
		}
	}
	return true
}

// certain reports whether an assignment always runs, before any read of the field through its variable: it stands in the
// block that declares the variable, by itself or before a condition, and what reads stands behind it.
func (r *recorder) certain(l *local, f *Field, s *FieldSet) bool {
	decl := r.statement(l.use.File, l.use.Ident)
	set := r.statement(s.File, s.Index)
	if s.Index.Pos() < l.use.Ident.Pos() || r.Parent(l.use.File, decl) != r.Parent(s.File, set) || !r.runsFirst(s, set) {
		return false
	}
	return !slices.ContainsFunc(f.Reads, func(read *FieldRead) bool {
		v := nameVar(read.Pkg.Info, read.Index.X)
		return v != nil && v.Pos() == l.v.Pos() &&
			(read.Index.Pos() < set.End() || r.function(read.File, read.Index) != r.function(s.File, s.Index))
	})
}

// runsFirst reports whether an assignment runs whenever the statement around it does: it is that statement, or stands
// before its condition.
func (r *recorder) runsFirst(s *FieldSet, stmt ast.Node) bool {
	assign, _ := r.Outer(s.File, s.Index)
	switch st := stmt.(type) {
	case *ast.IfStmt:
		return ast.Node(st.Init) == assign
	case *ast.SwitchStmt:
		return ast.Node(st.Init) == assign
	case *ast.TypeSwitchStmt:
		return ast.Node(st.Init) == assign
	case *ast.ForStmt:
		return ast.Node(st.Init) == assign
	}
	return stmt == assign
}

// statement returns the statement around n that stands in a block.
func (r *recorder) statement(f *program.File, n ast.Node) ast.Node {
	for ; n != nil; n = r.Parent(f, n) {
		switch r.Parent(f, n).(type) {
		case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause, nil:
			return n
		}
	}
	return nil
}

// function returns the function declaration or literal around n.
func (r *recorder) function(f *program.File, n ast.Node) ast.Node {
	return r.indexes[0].enclosingFunc(f, n)
}

// jumps reports whether a function contains a goto.
func jumps(fn ast.Node) bool {
	found := fn == nil
	if fn != nil {
		ast.Inspect(fn, func(n ast.Node) bool {
			if b, ok := n.(*ast.BranchStmt); ok && b.Tok == token.GOTO {
				found = true
			}
			return !found
		})
	}
	return found
}

// judgeFields gives every field its type.
func (r *recorder) judgeFields() {
	rec := r.rec
	typed := 0
	var read *Field
	for _, f := range rec.Fields {
		if f.Type = rec.Elem; types.IsInterface(rec.Elem) {
			if f.Type, f.Why = r.fieldType(f); f.Type != nil && rec.Pointer == nil {
				r.guards(f)
			}
		}
		if len(f.Reads) == 0 {
			continue
		}
		if len(f.Sets) == 0 && len(rec.Origins) > 0 {
			r.lose(ReasonPresence, f.Reads[0].Expr, "%q is read here and nothing sets it%s", f.Name, r.namesake(f))
		}
		if read == nil {
			read = f
		}
		if f.Type != nil {
			typed++
		}
	}
	switch {
	case len(rec.Stores) == 0 || len(rec.Origins) == 0:
		if len(rec.Loads) > 0 {
			ld := rec.Loads[0]
			r.lose(ReasonUnread, Expr{ld.Call, ld.File, ld.Pkg}, "nothing in the program stores the map that is read here")
		}
	case read == nil:
		lk := rec.Stores[0]
		r.lose(ReasonUnread, Expr{lk.Value, lk.File, lk.Pkg}, "nothing in the program reads a field of it")
	case typed == 0:
		rec.Hazards = append(rec.Hazards, read.Why)
	}
}

// namesake asks whether a field that nothing sets is another one, written otherwise.
func (r *recorder) namesake(f *Field) string {
	plain := strings.NewReplacer("_", "", "-", "", ".", "", " ", "")
	for _, other := range r.rec.Fields {
		if other != f && len(other.Sets) > 0 && strings.EqualFold(plain.Replace(other.Name), plain.Replace(f.Name)) {
			return fmt.Sprintf("; is %q meant?", other.Name)
		}
	}
	return ""
}

// fieldType returns the type that every place which sets or reads a field agrees on, or why there is none.
func (r *recorder) fieldType(f *Field) (types.Type, *Hazard) {
	if len(f.Sets) == 0 {
		return nil, why(ReasonUnread, f.Reads[0].Expr, "%q is read here and nothing sets it", f.Name)
	}
	t, h := r.storedType(f)
	if h != nil {
		return nil, h
	}
	unset := r.unset(f)
	for _, read := range f.Reads {
		switch {
		case read.Asks:
			return nil, why(ReasonPresence, read.Expr, "the program asks whether %q is there, or of what type it is; a field always is, of one type", f.Name)
		case read.Assert != nil:
			if have := read.Pkg.Info.TypeOf(read.Assert.Type); !sameType(have, t) {
				return nil, why(ReasonValueType, read.Expr, "%q is %s where it is set and %s where it is read", f.Name, TypeText(t), TypeText(have))
			}
		case read.Against != nil:
			if !carrierType(read.Against) && !sameType(read.Against, t) {
				return nil, why(ReasonValueType, read.Expr, "%q is %s and is compared with %s", f.Name, TypeText(t), TypeText(read.Against))
			}
		case !read.AsAny:
			return nil, why(ReasonValueType, read.Expr, "%q is read without an assertion", f.Name)
		}
		if read.Pair == nil && unset != nil {
			return nil, why(ReasonPresence, unset.Expr, "%q is not always set in the map made here; where it is read that panics, or shows nil", f.Name)
		}
	}
	return t, nil
}

// storedType returns the one type that a field is set to.
func (r *recorder) storedType(f *Field) (types.Type, *Hazard) {
	var t types.Type
	for _, s := range f.Sets {
		if s.Value == nil {
			return nil, why(ReasonValueType, s.Expr, "%q is computed from itself", f.Name)
		}
		have := s.Pkg.Info.TypeOf(s.Value)
		value := Expr{s.Value, s.File, s.Pkg}
		switch {
		case have == nil || isNil(s.Pkg.Info, s.Value):
			return nil, why(ReasonPresence, value, "%q is set to nil here", f.Name)
		case carrierType(have):
			return nil, why(ReasonValueType, value, "%q is set to a value of interface type here", f.Name)
		}
		have = types.Default(have)
		if t != nil && !sameType(t, have) {
			return nil, why(ReasonValueType, value, "%q is %s here and %s elsewhere", f.Name, TypeText(have), TypeText(t))
		}
		if t == nil {
			t = have
		}
	}
	return t, nil
}

// unset returns an origin of the record that does not certainly set a field.
func (r *recorder) unset(f *Field) *Origin {
	for _, o := range r.rec.Origins {
		if !o.Nil && !o.Sets[f.Name] {
			return o
		}
	}
	return nil
}

func why(reason string, at Expr, format string, args ...any) *Hazard {
	return &Hazard{Reason: reason, Message: fmt.Sprintf(format, args...), File: at.File, Pos: at.Expr.Pos()}
}
