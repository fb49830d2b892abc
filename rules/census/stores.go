package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"sort"

	"github.com/ctxmend/ctxmend/rules/program"
)

// A Store is a context type whose Value method answers from something of its own:
// a framework's request context, or a type of the program. What it does is read from the
// method's body, never from its name.
type Store struct {
	Type *types.TypeName
	// Method is Value's declaration.
	Method *ast.FuncDecl
	File   *program.File
	Pkg    *program.Package
	// Differs is set when an absent key of built-in type is answered otherwise than an absent
	// key of another type: by a panic, or without asking the parent context. It says how.
	Differs    string
	DiffersPos token.Pos
	// Keys are the built-in keys that are stored through its fields or answered by its body.
	Keys map[*Key]Unknown
	// Open lists where keys come from that cannot be followed.
	Open []Unknown
	// reachable is set when a value of the type occurs in the world.
	reachable bool
}

// Name returns the type's name with its package name.
func (s *Store) Name() string { return s.Type.Pkg().Name() + "." + s.Type.Name() }

// A storeFinder reads Value methods of one configuration.
type storeFinder struct {
	ix     *index
	stores []*foundStore
}

// A foundStore is a store with the fields its Value method consults.
type foundStore struct {
	*Store
	fields map[*types.Var]bool
	cases  []caseKey
	seen   map[*ast.FuncDecl]bool
	// parses is where the method takes a key apart or hands it to code that cannot be read.
	parses []Unknown
}

// A caseKey is a constant the method compares the key with.
type caseKey struct {
	value constant.Value
	basic *types.Basic
	at    Unknown
}

// findStores looks at every Value method of a context type with a body of its own.
func findStores(ix *index) *storeFinder {
	sf := &storeFinder{ix: ix}
	for _, pkg := range ix.pkgs {
		if pkg.Path == "context" {
			continue
		}
		for _, f := range pkg.Files {
			if f.AST == nil {
				continue
			}
			for _, d := range f.AST.Decls {
				decl, ok := d.(*ast.FuncDecl)
				if !ok || decl.Recv == nil || decl.Body == nil || decl.Name.Name != "Value" {
					continue
				}
				fn, _ := pkg.Info.Defs[decl.Name].(*types.Func)
				if fn == nil || !isValueMethod(fn) || !mayBeContext(fn.Signature().Recv().Type()) {
					continue
				}
				sf.examine(pkg, f, decl, fn)
			}
		}
	}
	return sf
}

// examine classifies one Value method; transparent ones are not stores.
func (sf *storeFinder) examine(pkg *program.Package, f *program.File, decl *ast.FuncDecl, fn *types.Func) {
	named, _ := types.Unalias(deref(fn.Signature().Recv().Type())).(*types.Named)
	if named == nil {
		return
	}
	st := &foundStore{
		Store:  &Store{Type: named.Obj(), Method: decl, File: f, Pkg: pkg, Keys: map[*Key]Unknown{}},
		fields: map[*types.Var]bool{},
		seen:   map[*ast.FuncDecl]bool{},
	}
	key := fn.Signature().Params().At(0)
	r := &valueReader{sf: sf, st: st}
	r.body(pkg, f, decl.Body, key)
	if len(st.fields) == 0 && len(st.cases) == 0 && len(st.parses) == 0 && st.Differs == "" {
		return
	}
	sf.stores = append(sf.stores, st)
}

// A valueReader reads what a Value method, and the functions it hands the key to, do with it.
type valueReader struct {
	sf *storeFinder
	st *foundStore
}

// body reads the uses of one key variable in a function body.
func (r *valueReader) body(pkg *program.Package, f *program.File, body *ast.BlockStmt, key *types.Var) {
	ix := r.sf.ix
	for _, u := range ix.uses[key] {
		id := u.node.(*ast.Ident)
		if pkg.Info.Defs[id] != nil {
			continue
		}
		parent, child := ix.outer(f, id)
		switch p := parent.(type) {
		case *ast.CallExpr:
			r.call(pkg, f, p, child)
		case *ast.BinaryExpr:
			r.compare(pkg, f, p, child)
		case *ast.SwitchStmt:
			r.switchCases(pkg, f, p)
		case *ast.TypeAssertExpr:
			r.assertion(pkg, f, p, key)
		case *ast.IndexExpr:
			if p.Index == child {
				r.field(pkg, f, p.X)
			}
		case *ast.AssignStmt, *ast.ValueSpec, *ast.ReturnStmt, *ast.KeyValueExpr, *ast.CompositeLit:
			r.parse(f, id.Pos(), "keeps the key")
		}
	}
}

func (r *valueReader) parse(f *program.File, pos token.Pos, why string) {
	r.st.parses = append(r.st.parses, Unknown{f, pos, why})
}

// call handles the key, or a string made of it, as an argument.
func (r *valueReader) call(pkg *program.Package, f *program.File, call *ast.CallExpr, child ast.Node) {
	info := pkg.Info
	if isConversion(info, call) {
		return
	}
	fn := staticCallee(info, call)
	if fn == nil {
		r.parse(f, call.Pos(), "hands the key to a function value")
		return
	}
	if isValueMethod(fn) {
		return // asks another context
	}
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		if v := fieldOf(info, sel.X); v != nil {
			r.st.fields[v] = true
		}
	}
	for i, a := range call.Args {
		if ast.Node(a) != child {
			continue
		}
		decl, u := r.declOf(fn)
		v := r.sf.ix.paramVar(fn, i)
		if decl == nil || v == nil {
			if inStd(r.sf.ix.cfg, fn) && fieldCall(info, call) == nil {
				r.parse(f, call.Pos(), "takes the key apart")
			}
			continue
		}
		if !r.st.seen[decl] {
			r.st.seen[decl] = true
			r.body(u.pkg, u.file, decl.Body, v)
		}
	}
}

// fieldCall returns the field a method call is made on, nil when it is made on something else.
func fieldCall(info *types.Info, call *ast.CallExpr) *types.Var {
	if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok {
		return fieldOf(info, sel.X)
	}
	return nil
}

func inStd(cfg *program.Config, fn *types.Func) bool {
	if fn.Pkg() == nil {
		return true
	}
	p := cfg.Package(fn.Pkg().Path())
	return p == nil || !p.World && p.DepModule == ""
}

func (r *valueReader) declOf(fn *types.Func) (*ast.FuncDecl, use) {
	for _, u := range r.sf.ix.uses[fn.Origin()] {
		if decl, ok := r.sf.ix.parent(u.file, u.node).(*ast.FuncDecl); ok && decl.Name == u.node && decl.Body != nil {
			return decl, u
		}
	}
	return nil, use{}
}

// fieldOf returns the struct field that an expression selects.
func fieldOf(info *types.Info, e ast.Expr) *types.Var {
	switch e := ast.Unparen(e).(type) {
	case *ast.SelectorExpr:
		if v, ok := info.Uses[e.Sel].(*types.Var); ok && v.IsField() {
			return v.Origin()
		}
	case *ast.StarExpr:
		return fieldOf(info, e.X)
	case *ast.UnaryExpr:
		return fieldOf(info, e.X)
	}
	return nil
}

// field notes the container that is indexed with the key.
func (r *valueReader) field(pkg *program.Package, f *program.File, x ast.Expr) {
	if v := fieldOf(pkg.Info, x); v != nil {
		r.st.fields[v] = true
		return
	}
	if id, ok := ast.Unparen(x).(*ast.Ident); ok {
		if v, ok := pkg.Info.Uses[id].(*types.Var); ok {
			r.st.fields[v.Origin()] = true
			return
		}
	}
	r.parse(f, x.Pos(), "looks the key up in a table")
}

// compare handles key == X.
func (r *valueReader) compare(pkg *program.Package, f *program.File, p *ast.BinaryExpr, child ast.Node) {
	other := p.Y
	if ast.Node(other) == child {
		other = p.X
	}
	r.caseValue(pkg, f, other)
}

// caseValue notes a value the key is compared with.
func (r *valueReader) caseValue(pkg *program.Package, f *program.File, e ast.Expr) {
	t := pkg.Info.TypeOf(e)
	if t == nil {
		return
	}
	basic := basicOf(t)
	if basic == nil || basic.Kind() == types.UntypedNil {
		if v := fieldOf(pkg.Info, e); v != nil && carrierType(t) {
			r.st.fields[v] = true
		}
		return
	}
	tv := pkg.Info.Types[e]
	if tv.Value == nil {
		if v := fieldOf(pkg.Info, e); v != nil {
			r.st.fields[v] = true
			return
		}
		r.parse(f, e.Pos(), "compares the key with a computed value")
		return
	}
	if basic.Info()&types.IsUntyped != 0 {
		basic = types.Default(basic).(*types.Basic)
	}
	r.st.cases = append(r.st.cases, caseKey{tv.Value, basic, Unknown{f, e.Pos(), "the Value method of %s answers it itself"}})
}

// switchCases handles switch key { case "a": ... }.
func (r *valueReader) switchCases(pkg *program.Package, f *program.File, sw *ast.SwitchStmt) {
	for _, c := range sw.Body.List {
		for _, e := range c.(*ast.CaseClause).List {
			r.caseValue(pkg, f, e)
		}
	}
}

// assertion handles key.(string) in all its forms: what happens to keys of built-in type,
// and whether others are treated the same when absent.
func (r *valueReader) assertion(pkg *program.Package, f *program.File, p *ast.TypeAssertExpr, key *types.Var) {
	ix := r.sf.ix
	parent, child := ix.outer(f, p)
	if p.Type == nil { // switch k := key.(type)
		if as, ok := parent.(*ast.AssignStmt); ok {
			parent = ix.parent(f, as)
		} else if es, ok := parent.(*ast.ExprStmt); ok {
			parent = ix.parent(f, es)
		}
		if sw, ok := parent.(*ast.TypeSwitchStmt); ok {
			r.typeSwitch(pkg, f, sw)
		}
		return
	}
	basic := basicOf(pkg.Info.TypeOf(p.Type))
	if basic == nil {
		return
	}
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Lhs) != 2 {
		r.differ(p.Pos(), "panics for keys that are no "+basic.Name())
		return
	}
	_ = child
	str := definedVar(pkg.Info, as.Lhs[0])
	okVar := definedVar(pkg.Info, as.Lhs[1])
	if str != nil {
		r.body(pkg, f, nil, str)
	}
	r.branches(pkg, f, as, okVar, basic)
}

func definedVar(info *types.Info, e ast.Expr) *types.Var {
	id, ok := e.(*ast.Ident)
	if !ok {
		return nil
	}
	v, _ := info.Defs[id].(*types.Var)
	return v
}

func (r *valueReader) differ(pos token.Pos, how string) {
	if r.st.Differs == "" {
		r.st.Differs, r.st.DiffersPos = how, pos
	}
}

// branches looks at the code that depends on whether the key is of built-in type.
func (r *valueReader) branches(pkg *program.Package, f *program.File, as *ast.AssignStmt, ok *types.Var, basic *types.Basic) {
	if ok == nil {
		return
	}
	for _, u := range r.sf.ix.uses[ok] {
		id := u.node.(*ast.Ident)
		if pkg.Info.Defs[id] != nil {
			continue
		}
		parent, child := r.sf.ix.outer(f, id)
		not := false
		if un, isNot := parent.(*ast.UnaryExpr); isNot && un.Op == token.NOT {
			not = true
			parent, child = r.sf.ix.outer(f, un)
		}
		ifs, isIf := parent.(*ast.IfStmt)
		if !isIf || ast.Node(ifs.Cond) != child {
			continue // part of a larger condition: what follows is guarded further
		}
		switch {
		case not && !r.delegatesOnly(pkg, ifs.Body):
			r.differ(ifs.Pos(), "answers keys that are no "+basic.Name()+" without asking the parent context")
		case !not && returnsAlways(ifs.Body) && !r.lastDelegates(pkg, ifs.Body):
			r.differ(ifs.Pos(), "answers every "+basic.Name()+" key without asking the parent context")
		}
	}
}

// typeSwitch handles switch k := key.(type).
func (r *valueReader) typeSwitch(pkg *program.Package, f *program.File, sw *ast.TypeSwitchStmt) {
	for _, c := range sw.Body.List {
		clause := c.(*ast.CaseClause)
		var basic *types.Basic
		for _, e := range clause.List {
			if b := basicOf(pkg.Info.TypeOf(e)); b != nil && b.Kind() != types.UntypedNil {
				basic = b
			}
		}
		if basic == nil {
			continue
		}
		if v, ok := pkg.Info.Implicits[clause].(*types.Var); ok {
			r.implicit(pkg, f, clause, v)
		}
		block := &ast.BlockStmt{List: clause.Body}
		if returnsAlways(block) && !r.lastDelegates(pkg, block) {
			r.differ(clause.Pos(), "answers every "+basic.Name()+" key without asking the parent context")
		}
	}
}

// implicit reads the uses of a type switch's variable in one clause.
func (r *valueReader) implicit(pkg *program.Package, f *program.File, clause *ast.CaseClause, v *types.Var) {
	for _, s := range clause.Body {
		ast.Inspect(s, func(n ast.Node) bool {
			id, ok := n.(*ast.Ident)
			if !ok || pkg.Info.Uses[id] != v {
				return true
			}
			parent, child := r.sf.ix.outer(f, id)
			switch p := parent.(type) {
			case *ast.CallExpr:
				r.call(pkg, f, p, child)
			case *ast.BinaryExpr:
				r.compare(pkg, f, p, child)
			case *ast.SwitchStmt:
				r.switchCases(pkg, f, p)
			case *ast.IndexExpr:
				if p.Index == child {
					r.field(pkg, f, p.X)
				}
			}
			return true
		})
	}
}

// delegatesOnly reports whether every return of a block asks another context, and one is there.
func (r *valueReader) delegatesOnly(pkg *program.Package, block *ast.BlockStmt) bool {
	found, all := false, true
	ast.Inspect(block, func(n ast.Node) bool {
		if ret, ok := n.(*ast.ReturnStmt); ok {
			found = true
			all = all && delegates(pkg, ret)
		}
		return true
	})
	return !found || all
}

// lastDelegates reports whether the block's closing return asks another context.
func (r *valueReader) lastDelegates(pkg *program.Package, block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	ret, ok := block.List[len(block.List)-1].(*ast.ReturnStmt)
	return ok && delegates(pkg, ret)
}

// delegates reports whether a return statement is return x.Value(...).
func delegates(pkg *program.Package, ret *ast.ReturnStmt) bool {
	if len(ret.Results) != 1 {
		return false
	}
	call, ok := ast.Unparen(ret.Results[0]).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := staticCallee(pkg.Info, call)
	return fn != nil && isValueMethod(fn)
}

// returnsAlways reports whether a block's last statement is a return.
func returnsAlways(block *ast.BlockStmt) bool {
	if len(block.List) == 0 {
		return false
	}
	_, ok := block.List[len(block.List)-1].(*ast.ReturnStmt)
	return ok
}

// storeUses follows what is put into the stores that can occur in the world, and
// merges the result into the census.
func (b *builder) storeUses() {
	for _, st := range b.stores.stores {
		if !b.occurs(st) {
			continue
		}
		s := b.storeSources(st)
		p := &Point{Basic: types.Typ[types.String]}
		for _, r := range s.refs {
			b.storeLeaves(st, r, p, map[refSeen]bool{})
		}
		for _, c := range st.cases {
			if v := asKind(c.value, c.basic); v.Kind() != constant.Unknown {
				st.Keys[b.key(c.basic.Name(), v, c.basic)] = c.at
			}
		}
		for _, u := range append(s.unknown, p.Unknown...) {
			if u.File != nil && u.File.World || st.Pkg.World {
				st.Open = append(st.Open, u)
			}
		}
		st.Open = append(st.Open, st.parses...)
		b.mergeStore(st.Store)
	}
}

func (b *builder) mergeStore(st *Store) {
	for _, have := range b.census.Stores {
		if b.census.Program.IDOf(have.Type.Pos()) == b.census.Program.IDOf(st.Type.Pos()) {
			for k, u := range st.Keys {
				have.Keys[k] = u
			}
			have.Open = append(have.Open, st.Open...)
			return
		}
	}
	b.census.Stores = append(b.census.Stores, st)
}

// storeSources returns what is ever used as a key of the store's containers.
func (b *builder) storeSources(st *foundStore) sources {
	var s sources
	var fields []*types.Var
	for v := range st.fields {
		fields = append(fields, v)
	}
	sort.Slice(fields, func(i, j int) bool { return fields[i].Pos() < fields[j].Pos() })
	for _, v := range fields {
		switch v.Type().Underlying().(type) {
		case *types.Map:
			s.merge(b.ix.inflow(v, "k"))
		case *types.Basic, *types.Interface:
			s.merge(b.ix.inflow(v, ""))
		}
		s.merge(b.ix.methodKeys(v))
	}
	return s
}

// methodKeys returns the first arguments of method calls on a container that take a key and
// a value, and the places where the container is handed on, so that others may fill it.
func (ix *index) methodKeys(v *types.Var) sources {
	var s sources
	for _, u := range ix.uses[v] {
		id := u.node.(*ast.Ident)
		if u.pkg.Info.Defs[id] != nil {
			continue
		}
		var node ast.Node = id
		if sel, ok := ix.parent(u.file, id).(*ast.SelectorExpr); ok && sel.Sel == id {
			node = sel
		}
		parent, child := ix.outer(u.file, node)
		if un, ok := parent.(*ast.UnaryExpr); ok && un.Op == token.AND {
			parent, child = ix.outer(u.file, un)
		}
		if sel, ok := parent.(*ast.SelectorExpr); ok {
			parent, child = ix.outer(u.file, sel)
			if call, ok := parent.(*ast.CallExpr); ok && call.Fun == child {
				if len(call.Args) >= 2 {
					s.add(ref{expr: call.Args[0], file: u.file, pkg: u.pkg, arg: true})
				}
				continue
			}
			if _, field := u.pkg.Info.Uses[sel.Sel].(*types.Var); field {
				continue // a part of the container
			}
		}
		if !ix.keepsContainer(u, parent, child) {
			s.lose(u.file, id.Pos(), "may be put into %s, which is handed on", v.Name())
		}
	}
	return s
}

// keepsContainer reports whether a mention of a container only looks at it or replaces it.
func (ix *index) keepsContainer(u use, parent, child ast.Node) bool {
	switch p := parent.(type) {
	case *ast.IndexExpr:
		return p.X == child
	case *ast.RangeStmt:
		return p.X == child
	case *ast.KeyValueExpr:
		return p.Key == child
	case *ast.BinaryExpr, *ast.SwitchStmt, *ast.TypeAssertExpr:
		return true
	case *ast.AssignStmt:
		return containsExpr(p.Lhs, child)
	case *ast.CallExpr:
		if id, ok := ast.Unparen(p.Fun).(*ast.Ident); ok {
			if _, builtin := u.pkg.Info.Uses[id].(*types.Builtin); builtin {
				return true
			}
		}
		fn := staticCallee(u.pkg.Info, p)
		return fn != nil && inStd(ix.cfg, fn)
	}
	return false
}

// storeLeaves follows a stored key to its constants.
func (b *builder) storeLeaves(st *foundStore, r ref, p *Point, seen map[refSeen]bool) {
	if seen[refSeen{r.expr, r.want}] {
		return
	}
	seen[refSeen{r.expr, r.want}] = true
	if r.want == "" {
		if tv := r.pkg.Info.Types[r.expr]; tv.Value != nil {
			basic := basicOf(tv.Type)
			if basic == nil {
				return
			}
			if basic.Info()&types.IsUntyped != 0 {
				basic = types.Default(basic).(*types.Basic)
			}
			if v := asKind(tv.Value, basic); v.Kind() != constant.Unknown {
				k := b.key(basic.Name(), v, basic)
				if _, have := st.Keys[k]; !have {
					st.Keys[k] = Unknown{r.file, r.expr.Pos(), "it is also stored in %s, whose Value method looks there"}
				}
			}
			return
		}
		if t := r.typ(); t != nil && !carrierType(t) && basicOf(t) == nil {
			return // a key of a named type
		}
	}
	next := b.ix.step(r)
	for _, n := range next.refs {
		b.storeLeaves(st, n, p, seen)
	}
	for _, u := range next.unknown {
		p.addUnknown(b.census.Program, u)
	}
}

// occurs reports whether a value of the store's type can be a context of the world: the type is the
// world's own, or an expression of the world has it, or an interface type of its package that it implements.
func (b *builder) occurs(st *foundStore) bool {
	if st.Pkg.World {
		return true
	}
	t := st.Type.Type()
	for _, pkg := range b.ix.cfg.Packages {
		if !pkg.World || pkg.Info == nil {
			continue
		}
		for _, tv := range pkg.Info.Types {
			named, ok := types.Unalias(deref(tv.Type)).(*types.Named)
			if !ok || named.Obj().Pkg() != st.Type.Pkg() {
				continue
			}
			if named.Obj() == st.Type {
				return true
			}
			if iface, ok := named.Underlying().(*types.Interface); ok && hasContextMethods(named) &&
				types.Implements(types.NewPointer(t), iface) {
				return true
			}
		}
	}
	return false
}
