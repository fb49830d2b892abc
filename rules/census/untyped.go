package census

import (
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"slices"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An untypedScan finds keys in files that were not type-checked. It knows look-ups and forwarders by
// their names, and evaluates what it can of their keys with the constants of these files and of the
// type-checked ones. A key that cannot be told counts as any constant written in its
// directory's files, and as open besides.
type untypedScan struct {
	b  *builder
	ex *excludedScan
	// forwarders are names of functions that take keys, with the indexes of these parameters, true for
	// variadic ones; owners are the packages that declare them.
	forwarders map[string]map[int]bool
	owners     map[mentionedName]bool
	// fields are names of struct fields that hold keys.
	fields map[string]bool
	// decls are the declarations of the files, by directory and name.
	decls map[mentionedName][]untypedDecl
	grown bool // a forwarder was found
	// anyType is set while constants of any type count: those whose method looks them up.
	anyType bool
	// texts are the keys of the last round by place; opaque the places whose key cannot be told.
	texts  map[mention]map[string]bool
	opaque map[mention]openMention
}

// An untypedDecl is a constant or type declared in a file that was not type-checked.
type untypedDecl struct {
	file  *program.File
	value ast.Expr // of a constant; nil when it repeats another
	typ   ast.Expr // of a constant with a type of its own, or what an alias stands for
	// named is set for a type that is no alias, other for what has no constant value.
	named, other bool
}

// untypedKeys looks for keys until no new forwarder turns up, and records what was found.
func (b *builder) untypedKeys(ex *excludedScan, files []*program.File) {
	s := &untypedScan{b: b, ex: ex, decls: map[mentionedName][]untypedDecl{}, owners: map[mentionedName]bool{}, forwarders: map[string]map[int]bool{}, fields: map[string]bool{}}
	s.forwarders["Value"] = map[int]bool{0: false}
	s.forwarders["WithValue"] = map[int]bool{1: false}
	s.knownForwarders()
	for _, f := range files {
		s.declared(f)
	}
	for s.grown = true; s.grown; {
		s.grown = false
		s.texts, s.opaque = map[mention]map[string]bool{}, map[mention]openMention{}
		for _, f := range files {
			s.file(f)
		}
	}
	s.record()
}

// knownForwarders takes over the forwarders and key fields of the type-checked files.
func (s *untypedScan) knownForwarders() {
	for _, ix := range s.b.census.indexes {
		for _, v := range ix.keyParams {
			switch p, isParam := ix.paramOf(v); {
			case isParam && p.fn != nil && p.fn.Pkg() != nil:
				s.forwards(p.fn.Pkg().Path(), p.fn.Name(), p.index, p.variadic)
			case v.IsField():
				s.fields[v.Name()] = true
			}
		}
	}
	s.grown = false
}

func (s *untypedScan) forwards(pkgPath, name string, i int, variadic bool) {
	s.owners[mentionedName{pkgPath, name}] = true
	if s.forwarders[name] == nil {
		s.forwarders[name] = map[int]bool{}
	}
	if have, ok := s.forwarders[name][i]; !ok || variadic && !have {
		s.forwarders[name][i] = variadic
		s.grown = true
	}
}

// near reports whether a file can mean one of the forwarders of that name: its package declares
// it, or it imports the one that does.
func (s *untypedScan) near(f *program.File, name string) bool {
	if name == "Value" || name == "WithValue" || s.owners[mentionedName{f.PkgPath, name}] {
		return true
	}
	for _, path := range importNames(f) {
		if s.owners[mentionedName{path, name}] {
			return true
		}
	}
	return false
}

func calledName(call *ast.CallExpr) string {
	if id := calleeIdent(call); id != nil {
		return id.Name
	}
	return ""
}

// declared notes the constants and types of a file, those inside functions included.
func (s *untypedScan) declared(f *program.File) {
	add := func(name *ast.Ident, d untypedDecl) {
		d.file = f
		at := mentionedName{f.PkgDir, name.Name}
		s.decls[at] = append(s.decls[at], d)
	}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.GenDecl:
			switch n.Tok {
			case token.CONST:
				s.constants(n, add)
			case token.VAR:
				for _, spec := range n.Specs {
					for _, name := range spec.(*ast.ValueSpec).Names {
						add(name, untypedDecl{other: true})
					}
				}
			}
		case *ast.TypeSpec:
			add(n.Name, untypedDecl{named: !n.Assign.IsValid(), typ: n.Type})
		case *ast.AssignStmt:
			for _, lhs := range n.Lhs {
				if id, ok := lhs.(*ast.Ident); ok && n.Tok == token.DEFINE {
					add(id, untypedDecl{other: true})
				}
			}
		}
		return true
	})
}

func (s *untypedScan) constants(decl *ast.GenDecl, add func(*ast.Ident, untypedDecl)) {
	var last *ast.ValueSpec
	for _, spec := range decl.Specs {
		vs, ok := spec.(*ast.ValueSpec)
		if !ok {
			continue
		}
		if len(vs.Values) > 0 {
			last = vs
		}
		for i, name := range vs.Names {
			d := untypedDecl{other: true}
			if last != nil && i < len(last.Values) && last == vs {
				d = untypedDecl{value: vs.Values[i], typ: vs.Type}
			} else if last != nil {
				d.typ = last.Type
			}
			add(name, d)
		}
	}
}

// file looks at every call and key field of a file.
func (s *untypedScan) file(f *program.File) {
	var stack []ast.Node
	ast.Inspect(f.AST, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		switch n := n.(type) {
		case *ast.CallExpr:
			s.call(f, n, stack)
		case *ast.KeyValueExpr:
			if id, ok := n.Key.(*ast.Ident); ok && s.fields[id.Name] {
				s.key(f, n.Value, openMention{either: true, known: true}, stack)
			}
		case *ast.SelectorExpr:
			if n.Sel.Name == "WithValue" && !isCalled(n, stack) {
				m := mention{f, n.Pos()}
				s.opaque[m] = openMention{mention: m, role: Writer}
			}
		}
		stack = append(stack, n)
		return true
	})
}

// isCalled reports whether an expression is the function of the call around it, given the nodes around it.
func isCalled(e ast.Expr, stack []ast.Node) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		switch n := stack[i].(type) {
		case *ast.ParenExpr:
		case *ast.IndexExpr, *ast.IndexListExpr:
		case *ast.CallExpr:
			return n.Fun == e || ast.Unparen(n.Fun) != nil && n.Fun.Pos() <= e.Pos() && e.End() <= n.Fun.End()
		default:
			return false
		}
	}
	return false
}

func (s *untypedScan) call(f *program.File, call *ast.CallExpr, stack []ast.Node) {
	name := calledName(call)
	indexes := s.forwarders[name]
	for _, i := range slices.Sorted(maps.Keys(indexes)) {
		at := openMention{either: true, known: s.near(f, name)}
		switch {
		case name == "Value" && len(call.Args) == 1:
			at.role, at.either = Reader, false
		case name == "Value" && len(call.Args) == 2: // context.Context.Value(ctx, key)
			s.key(f, call.Args[1], openMention{role: Reader, known: true}, stack)
			continue
		case name == "WithValue" && len(call.Args) == 3:
			at.role, at.either = Writer, false
		case name == "Value" && len(indexes) == 1 || name == "WithValue" && len(indexes) == 1:
			continue
		}
		if sel, ok := ast.Unparen(call.Fun).(*ast.SelectorExpr); ok && i == receiver {
			s.anyType = true
			s.key(f, sel.X, at, stack)
			s.anyType = false
		}
		for j, a := range call.Args {
			if j == i || j > i && indexes[i] {
				s.key(f, a, at, stack)
			}
		}
	}
}

// key judges an expression in a key position.
func (s *untypedScan) key(f *program.File, e ast.Expr, at openMention, stack []ast.Node) {
	at.mention = mention{f, e.Pos()}
	if id, ok := ast.Unparen(e).(*ast.Ident); ok && s.parameter(f, id, stack) {
		return
	}
	ev := s.eval(f, e, 0)
	for _, v := range ev.values {
		if s.texts[at.mention] == nil {
			s.texts[at.mention] = map[string]bool{}
		}
		s.texts[at.mention][v.ExactString()] = true
	}
	if ev.open && at.known {
		s.opaque[at.mention] = at
	}
}

// parameter reports whether an identifier is a parameter of a function around it, which makes
// that function a forwarder.
func (s *untypedScan) parameter(f *program.File, id *ast.Ident, stack []ast.Node) bool {
	for i := len(stack) - 1; i >= 0; i-- {
		switch fn := stack[i].(type) {
		case *ast.FuncLit:
			if j, _ := paramIndex(fn.Type, id.Name); j >= 0 {
				return false // its calls are not known: open
			}
		case *ast.FuncDecl:
			j, variadic := paramIndex(fn.Type, id.Name)
			if j < 0 {
				return false
			}
			if fn.Name.Name == "Value" && fn.Recv != nil {
				return true // the look-ups through it are seen
			}
			s.forwards(f.PkgPath, fn.Name.Name, j, variadic)
			n := mentionedName{f.PkgPath, fn.Name.Name}
			m := mention{f, fn.Name.Pos()}
			if !slices.Contains(s.ex.forwards[n], m) {
				s.ex.forwards[n] = append(s.ex.forwards[n], m)
				s.callers(f, n, j)
			}
			return true
		}
	}
	return false
}

// paramIndex finds a parameter by name; i is -1 when there is none.
func paramIndex(ft *ast.FuncType, name string) (i int, variadic bool) {
	for _, field := range ft.Params.List {
		for _, n := range field.Names {
			if n.Name == name {
				_, variadic := field.Type.(*ast.Ellipsis)
				return i, variadic
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
	return -1, false
}

// callers adds the keys that type-checked files pass to a function that another configuration
// declares as a forwarder, where this one has a function or method of that name too.
func (s *untypedScan) callers(f *program.File, n mentionedName, i int) {
	for _, ix := range s.b.census.indexes {
		var fns []*types.Func
		if p := ix.cfg.Package(n.pkgPath); p != nil && p.Types != nil {
			if fn, ok := p.Types.Scope().Lookup(n.name).(*types.Func); ok {
				fns = append(fns, fn)
			}
		}
		for _, m := range ix.methods[n.name] {
			if m.Pkg() != nil && m.Pkg().Path() == n.pkgPath {
				fns = append(fns, m)
			}
		}
		for _, fn := range fns {
			var src sources
			ix.callArgs(fn, argument{index: i}, &src, map[*types.Func]bool{})
			for _, r := range src.refs {
				for _, v := range s.b.constantsOf(ix, r) {
					m := mention{f, f.AST.Package}
					s.ex.texts[v.ExactString()] = append(s.ex.texts[v.ExactString()], m)
				}
			}
		}
	}
}

// record turns the last round's findings into mentions.
func (s *untypedScan) record() {
	order := func(a, b mention) int {
		prog := s.b.census.Program
		return compareIDs(prog.IDOf(a.pos), prog.IDOf(b.pos))
	}
	for _, m := range slices.SortedFunc(maps.Keys(s.texts), order) {
		for _, text := range slices.Sorted(maps.Keys(s.texts[m])) {
			s.ex.texts[text] = append(s.ex.texts[text], m)
		}
	}
	dirs := map[string]bool{}
	for _, m := range slices.SortedFunc(maps.Keys(s.opaque), order) {
		s.ex.open = append(s.ex.open, s.opaque[m])
		dirs[m.file.PkgDir] = true
	}
	for _, text := range slices.Sorted(maps.Keys(s.ex.literals)) {
		for _, m := range s.ex.literals[text] {
			if dirs[m.file.PkgDir] {
				s.ex.texts[text] = append(s.ex.texts[text], m)
			}
		}
	}
}

// An evaluation is what an expression may be: constants of built-in type, and, with open set, anything.
// Neither means a key of another type.
type evaluation struct {
	values []constant.Value
	open   bool
}

var cannotTell = evaluation{open: true}

// maxDepth bounds the constants that refer to constants.
const maxDepth = 20

// eval evaluates a key expression by its syntax.
func (s *untypedScan) eval(f *program.File, e ast.Expr, depth int) evaluation {
	if depth > maxDepth {
		return cannotTell
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.BasicLit:
		if v := constant.MakeFromLiteral(e.Value, e.Kind, 0); v.Kind() != constant.Unknown {
			return evaluation{values: []constant.Value{v}}
		}
	case *ast.BinaryExpr:
		return s.binary(f, e, depth)
	case *ast.Ident:
		return s.ident(f, e, depth)
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		if path := importNames(f)[identName(x)]; ok && path != "" {
			return s.object(path, e.Sel.Name)
		}
	case *ast.CallExpr:
		if len(e.Args) == 1 {
			return s.conversion(f, e, depth)
		}
	case *ast.CompositeLit:
		return evaluation{} // a struct or array
	case *ast.UnaryExpr:
		if _, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok && e.Op == token.AND {
			return evaluation{}
		}
	}
	return cannotTell
}

func identName(id *ast.Ident) string {
	if id == nil {
		return ""
	}
	return id.Name
}

func (s *untypedScan) binary(f *program.File, e *ast.BinaryExpr, depth int) evaluation {
	x, y := s.eval(f, e.X, depth+1), s.eval(f, e.Y, depth+1)
	if e.Op != token.ADD || x.open || y.open || len(x.values) == 0 || len(y.values) == 0 {
		return cannotTell
	}
	var ev evaluation
	for _, a := range x.values {
		for _, b := range y.values {
			if a.Kind() != constant.String || b.Kind() != constant.String {
				return cannotTell
			}
			ev.values = append(ev.values, constant.BinaryOp(a, token.ADD, b))
		}
	}
	return ev
}

// ident evaluates a name: a constant of these files, or an object of the type-checked part of the package.
func (s *untypedScan) ident(f *program.File, id *ast.Ident, depth int) evaluation {
	if id.Name == "true" || id.Name == "false" {
		return evaluation{values: []constant.Value{constant.MakeBool(id.Name == "true")}}
	}
	decls := s.decls[mentionedName{f.PkgDir, id.Name}]
	if len(decls) == 0 {
		if path := importNames(f)["."]; path != "" {
			if ev := s.object(path, id.Name); !ev.open {
				return ev
			}
		}
		return s.object(f.PkgPath, id.Name)
	}
	var all evaluation
	for _, d := range decls {
		var ev evaluation
		switch {
		case d.typ != nil && !s.anyType && !s.builtin(d.file, d.typ, depth+1): // a key of another type
		case d.value == nil || d.other:
			ev = cannotTell
		default:
			ev = s.eval(d.file, d.value, depth+1)
		}
		all.values = append(all.values, ev.values...)
		all.open = all.open || ev.open
	}
	return all
}

// object evaluates a package-level name of a type-checked package, in every configuration.
func (s *untypedScan) object(path, name string) evaluation {
	var all evaluation
	known := false
	for _, ix := range s.b.census.indexes {
		p := ix.cfg.Package(path)
		if p == nil || p.Types == nil {
			continue
		}
		switch obj := p.Types.Scope().Lookup(name).(type) {
		case *types.Const:
			known = true
			if basicOf(obj.Type()) != nil || s.anyType {
				all.values = append(all.values, obj.Val())
			}
		case *types.Var:
			known = true
			if !carrierType(obj.Type()) && basicOf(obj.Type()) == nil {
				break // a pointer or a struct
			}
			in := ix.inflow(obj, "")
			all.open = all.open || len(in.unknown) > 0
			for _, r := range in.refs {
				all.values = append(all.values, s.b.constantsOf(ix, r)...)
			}
		}
	}
	if !known {
		return cannotTell
	}
	return all
}

// conversion evaluates T(x): x when T is a built-in or interface type or an alias of one.
func (s *untypedScan) conversion(f *program.File, call *ast.CallExpr, depth int) evaluation {
	switch fun := ast.Unparen(call.Fun).(type) {
	case *ast.Ident:
		if fun.Name == "new" {
			return evaluation{} // a pointer
		}
		if s.isType(f, fun) {
			if !s.anyType && !s.builtin(f, fun, depth+1) {
				return evaluation{}
			}
			return s.eval(f, call.Args[0], depth+1)
		}
	case *ast.SelectorExpr:
		if s.isType(f, fun) {
			if !s.anyType && !s.builtin(f, fun, depth+1) {
				return evaluation{}
			}
			return s.eval(f, call.Args[0], depth+1)
		}
	case *ast.InterfaceType:
		return s.eval(f, call.Args[0], depth+1)
	}
	return cannotTell
}

// isType reports whether a name is known to be a type's.
func (s *untypedScan) isType(f *program.File, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		for _, d := range s.decls[mentionedName{f.PkgDir, e.Name}] {
			if d.named || d.typ != nil && d.value == nil && !d.other {
				return true
			}
		}
		if s.typeName(f.PkgPath, e.Name) != nil {
			return true
		}
		_, ok := types.Universe.Lookup(e.Name).(*types.TypeName)
		return ok
	case *ast.SelectorExpr:
		x, ok := e.X.(*ast.Ident)
		return ok && s.typeName(importNames(f)[x.Name], e.Sel.Name) != nil
	}
	return false
}

func (s *untypedScan) typeName(path, name string) *types.TypeName {
	for _, ix := range s.b.census.indexes {
		if p := ix.cfg.Package(path); p != nil && p.Types != nil {
			if tn, ok := p.Types.Scope().Lookup(name).(*types.TypeName); ok {
				return tn
			}
		}
	}
	return nil
}

// builtin reports whether a type expression means, or may mean, a built-in or interface type.
func (s *untypedScan) builtin(f *program.File, e ast.Expr, depth int) bool {
	if depth > maxDepth {
		return true
	}
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		for _, d := range s.decls[mentionedName{f.PkgDir, e.Name}] {
			if d.named {
				return false
			}
			if d.typ != nil && d.value == nil {
				return s.builtin(d.file, d.typ, depth+1)
			}
		}
		if tn := s.typeName(f.PkgPath, e.Name); tn != nil {
			return carrierType(tn.Type()) || basicOf(tn.Type()) != nil
		}
		return true
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if tn := s.typeName(importNames(f)[x.Name], e.Sel.Name); tn != nil {
				return carrierType(tn.Type()) || basicOf(tn.Type()) != nil
			}
		}
		return true
	case *ast.InterfaceType:
		return true
	}
	return false
}

// constantsOf returns the constants an expression may be, as far as it can be followed.
func (b *builder) constantsOf(ix *index, r ref) []constant.Value {
	var vals []constant.Value
	seen := map[refSeen]bool{}
	var walk func(r ref)
	walk = func(r ref) {
		if seen[r.seen()] {
			return
		}
		seen[r.seen()] = true
		if tv := r.pkg.Info.Types[r.expr]; r.want == "" && tv.Value != nil {
			vals = append(vals, tv.Value)
			return
		}
		for _, next := range ix.step(r).refs {
			walk(next)
		}
	}
	walk(r)
	return vals
}
