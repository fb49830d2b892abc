package census

import (
	"go/ast"
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
