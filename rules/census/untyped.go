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
	methods    map[string]bool // those that are methods, which a file can call without importing their package
	// fields are names of struct fields that hold keys, structs their places in named struct types, vars
	// package-level variables that hold keys.
	fields  map[string]bool
	structs map[mentionedName][]int
	vars    map[mentionedName]bool
	results map[mentionedName]bool // functions that return keys
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
	s := &untypedScan{b: b, ex: ex, decls: map[mentionedName][]untypedDecl{}, owners: map[mentionedName]bool{}, methods: map[string]bool{}, forwarders: map[string]map[int]bool{}, fields: map[string]bool{}, structs: map[mentionedName][]int{}, vars: map[mentionedName]bool{}, results: map[mentionedName]bool{}}
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
				if p.fn.Signature().Recv() != nil {
					s.methods[p.fn.Name()] = true
				}
			case isParam && p.lit != nil:
				if n, ok := ix.literalName(p); ok {
					s.forwards(n.pkgPath, n.name, p.index, p.variadic)
				}
			case v.IsField():
				s.fields[v.Name()] = true
				s.byPosition(ix, v)
			case v.Pkg() != nil && v.Parent() == v.Pkg().Scope():
				s.vars[mentionedName{v.Pkg().Path(), v.Name()}] = true
			}
		}
	}
	for _, ix := range s.b.census.indexes {
		maps.Copy(s.results, ix.keyFuncs)
	}
	s.grown = false
}

// byPosition notes the named struct type of a key field, whose literals may give it by position.
func (s *untypedScan) byPosition(ix *index, v *types.Var) {
	place, ok := ix.fields[v]
	if !ok || v.Pkg() == nil {
		return
	}
	for _, name := range v.Pkg().Scope().Names() {
		tn, ok := v.Pkg().Scope().Lookup(name).(*types.TypeName)
		if !ok {
			continue
		}
		if st, ok := tn.Type().Underlying().(*types.Struct); ok && place.index < st.NumFields() && ix.repVar(st.Field(place.index)) == v {
			n := mentionedName{v.Pkg().Path(), name}
			s.structs[n] = append(s.structs[n], place.index)
		}
	}
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
	if name == "Value" || name == "WithValue" || s.methods[name] || s.owners[mentionedName{f.PkgPath, name}] {
		return true
	}
	for _, path := range s.ex.importNames(f) {
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
		case *ast.RangeStmt:
			for _, e := range []ast.Expr{n.Key, n.Value} {
				if id, ok := e.(*ast.Ident); ok && n.Tok == token.DEFINE {
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
	s.twins(f)
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
				s.stores(f, n.Pos(), mentionedName{name: id.Name})
			}
		case *ast.CompositeLit:
			s.unkeyed(f, n, stack)
		case *ast.AssignStmt:
			s.assignment(f, n, stack)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				s.storesIn(f, n.X)
			}
		case *ast.RangeStmt:
			s.storesIn(f, n.Key)
			s.storesIn(f, n.Value)
		case *ast.SelectorExpr:
			if isCalled(n, stack) {
				break
			}
			switch m := (mention{f, n.Pos()}); {
			case n.Sel.Name != "Value" && n.Sel.Name != "WithValue" && s.forwarders[n.Sel.Name] != nil && s.near(f, n.Sel.Name):
				s.opaque[m] = openMention{mention: m, either: true, known: true}
				s.storesNear(f, n.Pos(), n.Sel.Name)
			case n.Sel.Name == "WithValue":
				s.opaque[m] = openMention{mention: m, role: Writer}
			case n.Sel.Name == "Value" && looksLikeContext(n.X, stack):
				s.opaque[m] = openMention{mention: m, role: Reader}
			}
		}
		stack = append(stack, n)
		return true
	})
}

// twins judges declarations of what another configuration declares as well: variables that are keys, and functions
// that return them.
func (s *untypedScan) twins(f *program.File) {
	for _, d := range f.AST.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if n := (mentionedName{f.PkgPath, d.Name.Name}); s.results[n] {
				s.stores(f, d.Pos(), n)
				m := mention{f, d.Pos()}
				s.opaque[m] = openMention{mention: m, either: true, known: true}
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				vs, ok := spec.(*ast.ValueSpec)
				if !ok {
					continue
				}
				for i, name := range vs.Names {
					n := mentionedName{f.PkgPath, name.Name}
					if !s.vars[n] {
						continue
					}
					s.stores(f, name.Pos(), n)
					if i < len(vs.Values) {
						s.key(f, vs.Values[i], openMention{either: true, known: true}, nil)
					}
				}
			}
		}
	}
}

// storesNear notes a call of, or a function value that is, a forwarder of that name.
func (s *untypedScan) storesNear(f *program.File, pos token.Pos, name string) {
	s.stores(f, pos, mentionedName{f.PkgPath, name})
	if s.methods[name] {
		for n := range s.owners {
			if n.name == name {
				s.stores(f, pos, n)
			}
		}
	}
	for _, path := range s.ex.importNames(f) {
		s.stores(f, pos, mentionedName{path, name})
	}
}

// assignment judges what is stored in variables and fields that hold keys.
func (s *untypedScan) assignment(f *program.File, n *ast.AssignStmt, stack []ast.Node) {
	for i, lhs := range n.Lhs {
		if !s.storesIn(f, lhs) {
			continue
		}
		if _, whole := ast.Unparen(lhs).(*ast.IndexExpr); !whole && len(n.Lhs) == len(n.Rhs) && n.Tok == token.ASSIGN {
			s.key(f, n.Rhs[i], openMention{either: true, known: true}, stack)
			continue
		}
		m := mention{f, lhs.Pos()}
		s.opaque[m] = openMention{mention: m, either: true, known: true}
	}
}

// storesIn notes that something is stored in a variable or field that holds keys, or in an element of it.
func (s *untypedScan) storesIn(f *program.File, e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return s.storesIn(f, e.X)
	case *ast.IndexExpr:
		return s.storesIn(f, e.X)
	case *ast.StarExpr:
		return s.storesIn(f, e.X)
	case *ast.Ident:
		n := mentionedName{f.PkgPath, e.Name}
		if s.vars[n] {
			s.stores(f, e.Pos(), n)
			return true
		}
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok {
			if n := (mentionedName{s.ex.importNames(f)[x.Name], e.Sel.Name}); s.vars[n] {
				s.stores(f, e.Pos(), n)
				return true
			}
		}
		if s.fields[e.Sel.Name] {
			s.stores(f, e.Pos(), mentionedName{name: e.Sel.Name})
			return true
		}
	}
	return false
}

func (s *untypedScan) stores(f *program.File, pos token.Pos, n mentionedName) {
	if m := (mention{f, pos}); !slices.Contains(s.ex.stored[n], m) {
		s.ex.stored[n] = append(s.ex.stored[n], m)
	}
}

// unkeyed judges the elements of a struct literal without field names.
func (s *untypedScan) unkeyed(f *program.File, lit *ast.CompositeLit, stack []ast.Node) {
	var n mentionedName
	switch t := lit.Type.(type) {
	case *ast.Ident:
		n = mentionedName{f.PkgPath, t.Name}
	case *ast.SelectorExpr:
		if x, ok := t.X.(*ast.Ident); ok {
			n = mentionedName{s.ex.importNames(f)[x.Name], t.Sel.Name}
		}
	}
	for _, i := range s.structs[n] {
		if i >= len(lit.Elts) {
			continue
		}
		if _, keyed := lit.Elts[i].(*ast.KeyValueExpr); !keyed {
			s.key(f, lit.Elts[i], openMention{either: true, known: true}, stack)
			for field := range s.fields {
				s.stores(f, lit.Pos(), mentionedName{name: field})
			}
		}
	}
}

// looksLikeContext reports whether an expression is, by its syntax, a context: what a method Context or a
// function of package context returns, or a parameter whose type is called Context.
func looksLikeContext(e ast.Expr, stack []ast.Node) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.CallExpr:
		if sel, ok := ast.Unparen(e.Fun).(*ast.SelectorExpr); ok {
			x, ok := sel.X.(*ast.Ident)
			return sel.Sel.Name == "Context" || ok && x.Name == "context"
		}
	case *ast.Ident:
		for _, n := range stack {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if contextParam(n.Type, e.Name) {
					return true
				}
			case *ast.FuncLit:
				if contextParam(n.Type, e.Name) {
					return true
				}
			}
		}
		return e.Name == "ctx"
	}
	return false
}

func contextParam(ft *ast.FuncType, name string) bool {
	for _, field := range ft.Params.List {
		for _, n := range field.Names {
			if n.Name != name {
				continue
			}
			switch t := field.Type.(type) {
			case *ast.Ident:
				return t.Name == "Context"
			case *ast.SelectorExpr:
				return t.Sel.Name == "Context"
			}
		}
	}
	return false
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
	if indexes != nil && name != "Value" && name != "WithValue" {
		s.storesNear(f, call.Pos(), name)
	}
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
	if id, ok := ast.Unparen(e).(*ast.Ident); ok {
		switch bound(id.Name, stack) {
		case boundOther:
			s.opaque[at.mention] = at
			return
		case boundParameter:
			s.parameter(f, id, stack)
			return
		}
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

// A binding is what a name means inside the functions around it.
type binding int

const (
	unbound        binding = iota // something outside of them
	boundParameter                // a parameter of the declared function, and nothing else
	boundOther
)

// bound finds what binds a name in the functions around an expression, any place in them counting.
func bound(name string, stack []ast.Node) binding {
	b := unbound
	for _, n := range stack {
		switch fn := n.(type) {
		case *ast.FuncLit:
			if i, _ := paramIndex(fn.Type, name); i >= 0 {
				return boundOther // its calls are not known
			}
		case *ast.FuncDecl:
			if fn.Body != nil && binds(fn, name) {
				return boundOther
			}
			if i, _ := paramIndex(fn.Type, name); i >= 0 {
				b = boundParameter
			}
		}
	}
	return b
}

// binds reports whether a function declares or assigns a name in its body, or has a receiver or result of it.
func binds(fn *ast.FuncDecl, name string) bool {
	found := false
	names := func(list ...ast.Expr) {
		for _, e := range list {
			if id, ok := e.(*ast.Ident); ok && id.Name == name {
				found = true
			}
		}
	}
	for _, fields := range []*ast.FieldList{fn.Recv, fn.Type.Results} {
		if fields == nil {
			continue
		}
		for _, field := range fields.List {
			for _, id := range field.Names {
				names(id)
			}
		}
	}
	ast.Inspect(fn.Body, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.AssignStmt:
			names(n.Lhs...)
		case *ast.RangeStmt:
			names(n.Key, n.Value)
		case *ast.IncDecStmt:
			names(n.X)
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				names(n.X)
			}
		case *ast.GenDecl:
			for _, spec := range n.Specs {
				if vs, ok := spec.(*ast.ValueSpec); ok && n.Tok == token.VAR {
					for _, id := range vs.Names {
						names(id)
					}
				}
			}
		}
		return !found
	})
	return found
}

// parameter notes that the declared function around an expression passes a parameter to a key position.
func (s *untypedScan) parameter(f *program.File, id *ast.Ident, stack []ast.Node) {
	for i := len(stack) - 1; i >= 0; i-- {
		fn, ok := stack[i].(*ast.FuncDecl)
		if !ok || fn.Name.Name == "Value" && fn.Recv != nil { // the look-ups through a Value method are seen
			continue
		}
		j, variadic := paramIndex(fn.Type, id.Name)
		s.forwards(f.PkgPath, fn.Name.Name, j, variadic)
		n := mentionedName{f.PkgPath, fn.Name.Name}
		m := mention{f, fn.Name.Pos()}
		if !slices.Contains(s.ex.forwards[n], m) {
			s.ex.forwards[n] = append(s.ex.forwards[n], m)
			s.callers(f, n, j)
		}
	}
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
		if path := s.ex.importNames(f)[identName(x)]; ok && path != "" {
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
		if path := s.ex.importNames(f)["."]; path != "" {
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
		return ok && s.typeName(s.ex.importNames(f)[x.Name], e.Sel.Name) != nil
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
			if tn := s.typeName(s.ex.importNames(f)[x.Name], e.Sel.Name); tn != nil {
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
