package plan

import (
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A treatment is what the plan does with a spot.
type treatment int

const (
	stay         treatment = iota // its declaration takes the key type
	convert                       // k becomes contextKey(k)
	useKey                        // becomes the key's name in the home package
	useTestKey                    // becomes the key's name in export_test.go
	useRetyped                    // becomes the home's exported constant
	useExported                   // becomes an exported constant made for the purpose
	callAccessor                  // the whole look-up becomes a call
)

// treat decides what happens to a spot.
func (kp *keyPlan) treat(s *spot) treatment {
	inHome := s.Pkg.Path == kp.home.path
	switch {
	case kp.opts.Accessors == "always" && s.lookup != nil && s.key != nil && s.form != carried && !s.accessor:
		return callAccessor
	case s.obj != nil && kp.retyped[s.obj.Pos()] != nil:
		return stay
	case s.form == carried:
		return convert
	case inHome:
		return useKey
	case s.Pkg.Path == kp.home.path+"_test" && s.File.XTest && !kp.accessorsWanted(kp.keys[s.key], s):
		return useTestKey
	case kp.exportedRetyped(s.key) != "" && kp.opts.Accessors != "always":
		return useRetyped
	case s.lookup != nil && kp.opts.Accessors != "never" && !kp.losesComment(s):
		return callAccessor
	}
	return useExported
}

// losesComment reports whether an accessor in the look-up's place would lose a comment.
func (kp *keyPlan) losesComment(s *spot) bool {
	f, lk := s.File, s.lookup
	if lk.Role == census.Writer {
		return kp.commentIn(f, kp.offset(f, lk.Key.Pos()), kp.offset(f, lk.Value.Pos()))
	}
	var whole ast.Node = lk.Call
	if parent, _ := kp.census.Outer(f, lk.Call); parent != nil {
		if assert, ok := parent.(*ast.TypeAssertExpr); ok && assert.Type != nil {
			whole = assert
		}
	}
	return kp.commentIn(f, kp.offset(f, whole.Pos()), kp.offset(f, lk.Context.Pos())) ||
		kp.commentIn(f, kp.offset(f, lk.Context.End()), kp.offset(f, whole.End()))
}

// writeSpots plans the edits at the points. What has to be exported is settled first, so that
// the whole family gets one type and every key one name.
func (kp *keyPlan) writeSpots() error {
	how := make([]treatment, len(kp.spots))
	for i, s := range kp.spots {
		how[i] = kp.treat(s)
		switch {
		case how[i] == useExported:
			kp.exportedKey(kp.keys[s.key])
		case how[i] == convert && s.Pkg.Path != kp.home.path:
			kp.kt = kp.chooseType(true)
		}
	}
	for i, s := range kp.spots {
		if how[i] == stay {
			continue
		}
		if how[i] == convert {
			kp.splice(s.File, s.Expr.Pos(), s.Expr.End(), kp.needType().name(), Lit("("),
				Keep(kp.offset(s.File, s.Expr.Pos()), kp.offset(s.File, s.Expr.End())), Lit(")"))
			continue
		}
		n := kp.keys[s.key]
		kp.replaced[s.Expr] = true
		switch how[i] {
		case useKey:
			kp.keyExpr(s, kp.homeKey(n, s))
		case useTestKey:
			kp.keyExpr(s, kp.testKey(n, s))
		case useRetyped:
			kp.keyExpr(s, kp.exportedRetyped(s.key))
		case useExported:
			kp.keyExpr(s, n.exported)
		case callAccessor:
			if err := kp.access(s, n); err != nil {
				return err
			}
		}
	}
	return nil
}

// accessorsWanted reports whether an external test is better served by an accessor: when other
// packages get them too.
func (kp *keyPlan) accessorsWanted(n *keyNames, at *spot) bool {
	if at.lookup == nil || kp.opts.Accessors == "never" {
		return false
	}
	if kp.opts.Accessors == "always" {
		return true
	}
	if kp.exportedRetyped(n.key) != "" {
		return false
	}
	for _, s := range kp.spots {
		if s.key == n.key && s.form != carried && s.Pkg.Path != kp.home.path && s.Pkg.Path != kp.home.path+"_test" &&
			(s.obj == nil || kp.retyped[s.obj.Pos()] == nil) {
			return true
		}
	}
	return false
}

// keyExpr replaces a point by a name of the home package.
func (kp *keyPlan) keyExpr(s *spot, name string) {
	text := Text{Name(kp.home.path, kp.home.name, name)}
	if kp.style == "struct" {
		text = append(text, Lit("{}"))
	}
	kp.spliceText(s.File, s.Expr.Pos(), s.Expr.End(), text)
}

// exportedRetyped returns the name of an exported, retyped, package-level constant of the
// home that holds the key.
func (kp *keyPlan) exportedRetyped(k *census.Key) string {
	for _, obj := range kp.retypedInOrder() {
		if c, ok := obj.(*types.Const); ok && obj.Exported() && kp.packageLevel(obj) && kp.holds(c, k) && !kp.prog.FileOf(obj.Pos()).Test {
			return obj.Name()
		}
	}
	return ""
}

// packageLevel reports whether an object is declared outside functions.
func (d *draft) packageLevel(obj types.Object) bool {
	return obj.Pkg() != nil && obj.Parent() == obj.Pkg().Scope()
}

func (kp *keyPlan) holds(c *types.Const, k *census.Key) bool {
	return c.Val().ExactString() == k.Value
}

// homeKey returns the name of the key in the home package, for use at s: a retyped
// constant when one is in reach, else a new one.
func (kp *keyPlan) homeKey(n *keyNames, s *spot) string {
	if kp.style == "string" {
		for _, obj := range kp.retypedInOrder() {
			c, ok := obj.(*types.Const)
			if !ok || !kp.holds(c, n.key) || !kp.packageLevel(obj) {
				continue
			}
			if s != nil {
				if o := lookup(s.at(), obj.Name()); o == nil || o.Pos() != obj.Pos() {
					continue
				}
			}
			f := kp.prog.FileOf(obj.Pos())
			if !f.Test || s != nil && s.File.Test || kp.onlyTests(n) {
				return obj.Name()
			}
		}
	}
	return kp.newKey(n)
}

// onlyTests reports whether all of a key's points lie in tests of the home package.
func (kp *keyPlan) onlyTests(n *keyNames) bool {
	for _, s := range kp.spots {
		if s.key != n.key && s.key != nil {
			continue
		}
		if !s.File.Test || s.Pkg.Path != kp.home.path && s.Pkg.Path != kp.home.path+"_test" {
			return false
		}
	}
	return true
}

// access replaces a look-up by a call of an accessor.
func (kp *keyPlan) access(s *spot, n *keyNames) error {
	lk := s.lookup
	if lk.Role == census.Writer {
		return kp.accessWriter(s, n)
	}
	kp.chooseValue(n)
	ctx, _ := kp.contextText(lk)
	call := ast.Expr(lk.Call)
	kind, whole := kp.readForm(lk, n)
	from, to := kp.offset(s.File, whole.Pos()), kp.offset(s.File, whole.End())
	ctxFrom, ctxTo := kp.offset(s.File, lk.Context.Pos()), kp.offset(s.File, lk.Context.End())
	if kp.commentIn(s.File, from, ctxFrom) || kp.commentIn(s.File, ctxTo, to) {
		return block("comment", s.File, call.Pos(), "a comment inside the look-up would be lost; move it")
	}
	name := kp.existing(lk, n, kind)
	if name == "" {
		name = kp.accessor(n, kind)
	}
	n.foreign = n.foreign || s.Pkg.Path != kp.home.path
	text := Text{Name(kp.home.path, kp.home.name, name), Lit("(")}
	text = append(text, ctx...)
	text = append(text, Lit(")"))
	kp.spliceText(s.File, whole.Pos(), whole.End(), text)
	return nil
}

// accessWriter turns context.WithValue(ctx, key, v) into WithUser(ctx, v); the argument
// list keeps its layout.
func (kp *keyPlan) accessWriter(s *spot, n *keyNames) error {
	kp.chooseValue(n)
	lk := s.lookup
	name := kp.existing(lk, n, With)
	if name == "" {
		name = kp.accessor(n, With)
	}
	n.foreign = n.foreign || s.Pkg.Path != kp.home.path
	f := s.File
	call := lk.Call
	keyFrom, valueFrom := kp.offset(f, lk.Key.Pos()), kp.offset(f, lk.Value.Pos())
	comma := kp.offset(f, lk.Key.End())
	for f.Src[comma] != ',' {
		if kp.commentIn(f, kp.offset(f, lk.Key.Pos()), valueFrom) {
			break
		}
		comma++
	}
	resume := valueFrom
	if kp.commentIn(f, keyFrom, valueFrom) {
		return block("comment", f, lk.Key.Pos(), "a comment beside the key would be lost; move it")
	}
	kp.spliceText(f, call.Pos(), call.End(), Text{
		Name(kp.home.path, kp.home.name, name),
		Keep(kp.offset(f, call.Lparen), keyFrom),
		Keep(resume, kp.offset(f, call.End())),
	})
	return nil
}

// contextText is the context operand of a reader as an argument of type context.Context.
func (d *draft) contextText(lk *census.Lookup) (Text, bool) {
	if lk.Role == census.Writer {
		return Text{d.keep(lk.File, lk.Context)}, true
	}
	operand := lk.Context
	if inner := ast.Unparen(operand); inner != operand &&
		!d.commentIn(lk.File, d.offset(lk.File, operand.Pos()), d.offset(lk.File, inner.Pos())) &&
		!d.commentIn(lk.File, d.offset(lk.File, inner.End()), d.offset(lk.File, operand.End())) {
		operand = inner // as an argument it needs no parentheses
	}
	t := lk.Pkg.Info.TypeOf(lk.Context)
	switch {
	case t == nil:
		return nil, false
	case census.HasContextMethods(t):
		return Text{d.keep(lk.File, operand)}, true
	case census.HasContextMethods(types.NewPointer(t)) && lk.Pkg.Info.Types[lk.Context].Addressable():
		return Text{Lit("&"), d.keep(lk.File, operand)}, true
	}
	return nil, false
}

// keep is the source of a node.
func (d *draft) keep(f *program.File, n ast.Node) Part {
	return Keep(d.offset(f, n.Pos()), d.offset(f, n.End()))
}

// readForm decides which accessor serves a reader, and which expression it replaces: the
// look-up alone, or with its type assertion.
func (kp *keyPlan) readForm(lk *census.Lookup, n *keyNames) (AccessorKind, ast.Expr) {
	_, child := kp.census.Outer(lk.File, lk.Call)
	parent, _ := kp.census.Outer(lk.File, lk.Call)
	assert, ok := parent.(*ast.TypeAssertExpr)
	if !ok || assert.Type == nil || n.value == nil || isError(n.value) || !types.Identical(lk.Pkg.Info.TypeOf(assert.Type), n.value) {
		_ = child
		return Any, lk.Call
	}
	if tv := lk.Pkg.Info.Types[assert]; isCommaOK(tv) {
		return From, assert
	}
	return Must, assert
}

// isError reports whether t is error: a result list (error, bool) goes against the custom that
// errors come last.
func isError(t types.Type) bool {
	return types.Identical(t, types.Universe.Lookup("error").Type())
}

// isCommaOK reports whether an assertion is used in its two-valued form: go/types
// records its type as a pair then.
func isCommaOK(tv types.TypeAndValue) bool {
	tuple, ok := tv.Type.(*types.Tuple)
	return ok && tuple.Len() == 2
}

// chooseValue decides the type that a key's accessors speak of: what all writers store and, failing
// writers, what all readers expect.
func (kp *keyPlan) chooseValue(n *keyNames) {
	if n.valueSet {
		return
	}
	n.valueSet = true
	var t types.Type
	agree := true
	note := func(have types.Type) {
		if t == nil {
			t = have
		} else if !types.Identical(t, have) {
			agree = false
		}
	}
	for _, s := range n.key.Sites {
		if s.Role != census.Writer || s.Lookup.Value == nil || !s.Pkg.World {
			continue
		}
		have := s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value)
		if have == nil {
			agree = false
			continue
		}
		note(types.Default(have))
	}
	if t == nil {
		for _, s := range n.key.Sites {
			if have := kp.asserted(s.Lookup); have != nil {
				note(have)
			}
		}
	}
	if t == nil || !agree || len(kp.prog.Configs) > 1 && typeParams(t) {
		return
	}
	if text, ok := kp.typeText(t); ok {
		n.value, n.text = t, text
	}
}

func typeParams(t types.Type) bool { _, ok := t.(*types.TypeParam); return ok }

// asserted returns the type a reader asserts, nil when it does not.
func (kp *keyPlan) asserted(lk *census.Lookup) types.Type {
	if lk.Call == nil || lk.Role != census.Reader {
		return nil
	}
	parent, _ := kp.census.Outer(lk.File, lk.Call)
	if a, ok := parent.(*ast.TypeAssertExpr); ok && a.Type != nil {
		return lk.Pkg.Info.TypeOf(a.Type)
	}
	return nil
}
