package census

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// An index answers, for one build configuration, the questions of value flow: where is
// an object mentioned, what encloses a node, which function does a parameter belong to. It covers
// the packages whose function bodies were checked.
type index struct {
	prog *program.Program
	cfg  *program.Config
	pkgs []*program.Package
	// uses lists the identifiers that refer to an object, definitions included,
	// in package and source order. Objects are keyed by origin (generics).
	uses map[types.Object][]use
	// parents are built declaration by declaration, on demand: those of all would take much memory.
	parents map[ast.Decl]map[ast.Node]ast.Node
	// params maps a parameter to the function it belongs to.
	params map[*types.Var]funcParam
	// unkeyed lists struct literals without field names, by the struct's first field;
	// anonymous struct types have no other name.
	unkeyed map[*types.Var][]use
	fields  map[*types.Var]fieldPlace
	// twice holds the paths of packages that were read again, with bodies; reps their objects by position.
	twice map[string]bool
	reps  map[program.ID]types.Object
	// methods are the methods with a body, by name; other implementations of an interface are among them.
	methods map[string][]*types.Func
	// converted holds the first fields of structs that are converted to other struct types.
	converted map[*types.Var]bool
	// handed lists string constants that the world gives to dependencies, by text.
	handed map[string][]handing
	// contexts caches contextTypes.
	contexts *[]types.Type
	// foreign caches foreignMethods.
	foreign map[string][]foreignMethod
	// switched maps the variable of a type switch, one for each clause, to the expression switched on.
	switched map[*types.Var]use
	// renamed are dependencies' functions that are context.WithValue under another name.
	renamed map[*types.Func]bool
	// active are the named results being followed.
	active map[*types.Var]bool
	// escaped are the types of what is handed by pointer to code that takes any value, a
	// decoder for example; reached the structs, by first field, that such code can fill.
	escaped []types.Type
	reached map[*types.Var]bool
	// linked are the names, by package path, that go:linkname and export directives give to code nobody sees.
	linked      map[mentionedName]bool
	declared    *types.TypeName // by the type declaration in hand, and its struct type
	namedStruct *ast.StructType
	// embedders are the types that embed a named type; nil stands for one without a name.
	embedders map[*types.TypeName][]*types.TypeName
	// structs are all struct types that are written down.
	structs []structType
	// keyParams are the parameters and fields that hold keys on their way to a look-up.
	keyParams []*types.Var
	keyParam  map[*types.Var]bool
	// templates are string literals, and sums of such, that may be templates or part of one: {{.Ctx.Value "user"}}.
	templates []use
	// keyFuncs are the functions that return keys.
	keyFuncs map[mentionedName]bool
	// byPos finds an object by its declaration, built on demand.
	byPos map[token.Pos]types.Object
	// ifaceMethods lists the interface methods that are mentioned, by name.
	ifaceMethods map[string][]*types.Func
}

// A use is an identifier (or composite literal) with the file and package it stands in.
type use struct {
	node ast.Node
	file *program.File
	pkg  *program.Package
}

// A fieldPlace is a field's place in its struct: the struct's first field and the index.
type fieldPlace struct {
	first *types.Var
	index int
}

// literalName returns the variable or field that holds a parameter's function literal, as its package names it.
func (ix *index) literalName(p funcParam) (mentionedName, bool) {
	parent, child := ix.outer(p.file, p.lit)
	var names, values []ast.Expr
	switch n := parent.(type) {
	case *ast.AssignStmt:
		names, values = n.Lhs, n.Rhs
	case *ast.ValueSpec:
		for _, id := range n.Names {
			names = append(names, id)
		}
		values = n.Values
	case *ast.KeyValueExpr:
		names, values = []ast.Expr{n.Key}, []ast.Expr{n.Value}
	}
	for i, v := range values {
		if ast.Node(v) != child || len(names) != len(values) {
			continue
		}
		switch n := ast.Unparen(names[i]).(type) {
		case *ast.Ident:
			return mentionedName{p.pkg.Path, n.Name}, true
		case *ast.SelectorExpr:
			return mentionedName{p.pkg.Path, n.Sel.Name}, true
		}
	}
	return mentionedName{}, false
}

// A funcParam is a parameter's place: function declaration or literal, and index, which is
// receiver for a method's receiver.
type funcParam struct {
	fn       *types.Func  // nil for literals
	lit      *ast.FuncLit // nil for declared functions
	file     *program.File
	pkg      *program.Package
	index    int
	variadic bool
}

func newIndex(prog *program.Program, cfg *program.Config, extra []*program.Package) *index {
	ix := &index{
		prog:         prog,
		cfg:          cfg,
		uses:         map[types.Object][]use{},
		parents:      map[ast.Decl]map[ast.Node]ast.Node{},
		params:       map[*types.Var]funcParam{},
		unkeyed:      map[*types.Var][]use{},
		fields:       map[*types.Var]fieldPlace{},
		linked:       map[mentionedName]bool{},
		twice:        map[string]bool{},
		reps:         map[program.ID]types.Object{},
		methods:      map[string][]*types.Func{},
		converted:    map[*types.Var]bool{},
		handed:       map[string][]handing{},
		switched:     map[*types.Var]use{},
		renamed:      map[*types.Func]bool{},
		active:       map[*types.Var]bool{},
		ifaceMethods: map[string][]*types.Func{},
		keyParam:     map[*types.Var]bool{},
		keyFuncs:     map[mentionedName]bool{},
		embedders:    map[*types.TypeName][]*types.TypeName{},
	}
	for _, pkg := range cfg.Packages {
		if pkg.Info != nil && pkg.Bodies {
			ix.pkgs = append(ix.pkgs, pkg)
		}
	}
	for _, pkg := range extra {
		ix.pkgs = append(ix.pkgs, pkg)
		ix.twice[pkg.Path] = true
	}
	for _, pkg := range ix.pkgs {
		for _, f := range pkg.Files {
			if f.AST != nil {
				ix.addFile(pkg, f)
			}
		}
	}
	ix.joinUnnamed()
	return ix
}

// addFile records what one file mentions, in source order.
func (ix *index) addFile(pkg *program.Package, f *program.File) {
	info := pkg.Info
	ix.addDirectives(pkg, f)
	seenIface := map[*types.Func]bool{}
	ast.Inspect(f.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.Ident:
			obj := info.Uses[n]
			if obj == nil {
				obj = info.Defs[n]
			}
			switch obj := obj.(type) {
			case *types.Var, *types.Const:
				o := ix.rep(obj)
				ix.uses[o] = append(ix.uses[o], use{n, f, pkg})
			case *types.Func:
				o := ix.rep(obj).(*types.Func)
				ix.uses[o] = append(ix.uses[o], use{n, f, pkg})
				if isInterfaceMethod(o) && !seenIface[o] {
					seenIface[o] = true
					ix.ifaceMethods[o.Name()] = append(ix.ifaceMethods[o.Name()], o)
				}
			}
		case *ast.FuncDecl:
			if fn, ok := info.Defs[n.Name].(*types.Func); ok {
				if !unread(pkg, n) {
					ix.addParams(pkg, f, n.Type, fn, nil)
					ix.addReceiver(pkg, f, n, fn)
				}
				if n.Recv != nil && n.Body != nil {
					ix.methods[fn.Name()] = append(ix.methods[fn.Name()], ix.repFunc(fn))
				}
				if !pkg.World && renaming(pkg, n, fn) {
					ix.renamed[ix.rep(fn).(*types.Func)] = true
				}
			}
		case *ast.TypeSwitchStmt:
			ix.addSwitch(pkg, f, n)
		case *ast.CallExpr:
			if pkg.World {
				ix.addEscapes(info, n)
				ix.addHandings(info, f, n)
			}
		case *ast.FuncLit:
			ix.addParams(pkg, f, n.Type, nil, n)
		case *ast.BasicLit:
			if pkg.World && n.Kind == token.STRING && isTemplateText(pkg, n) {
				ix.templates = append(ix.templates, use{n, f, pkg})
			}
		case *ast.BinaryExpr:
			if pkg.World && n.Op == token.ADD && isTemplateText(pkg, n) {
				ix.templates = append(ix.templates, use{n, f, pkg})
			}
		case *ast.CompositeLit:
			if pkg.World {
				ix.addLiteralHandings(info, f, n)
			}
			if st := unkeyedStruct(info, n); st != nil {
				first := ix.rep(st.Field(0)).(*types.Var)
				ix.unkeyed[first] = append(ix.unkeyed[first], use{n, f, pkg})
			}
		case *ast.StructType:
			ix.addFields(info, n, ix.namedStruct == n)
		case *ast.TypeSpec:
			ix.namedStruct, _ = n.Type.(*ast.StructType)
			ix.declared, _ = info.Defs[n.Name].(*types.TypeName)
		case *ast.ValueSpec:
			if pkg.World && len(n.Names) == len(n.Values) {
				for i, v := range n.Values {
					ix.escape(info, v, info.TypeOf(n.Names[i]))
				}
			}
		case *ast.RangeStmt:
			if pkg.World && n.Tok == token.ASSIGN && n.Value != nil {
				if elem, ok := program.Underlying(info, n.X).(interface{ Elem() types.Type }); ok {
					ix.convert(elem.Elem(), info.TypeOf(n.Value))
				}
			}
		case *ast.AssignStmt:
			if pkg.World && len(n.Lhs) == len(n.Rhs) {
				for i, rhs := range n.Rhs {
					ix.escape(info, rhs, info.TypeOf(n.Lhs[i]))
				}
			}
		}
		return true
	})
}

// addSwitch notes what the variables of a type switch are made from.
func (ix *index) addSwitch(pkg *program.Package, f *program.File, sw *ast.TypeSwitchStmt) {
	as, ok := sw.Assign.(*ast.AssignStmt)
	if !ok {
		return
	}
	assert, ok := ast.Unparen(as.Rhs[0]).(*ast.TypeAssertExpr)
	if !ok {
		return
	}
	for _, c := range sw.Body.List {
		if v, ok := pkg.Info.Implicits[c].(*types.Var); ok {
			ix.switched[ix.repVar(v)] = use{assert.X, f, pkg}
		}
	}
}

// addDirectives notes functions and variables that a directive hands to other packages or to C.
func (ix *index) addDirectives(pkg *program.Package, f *program.File) {
	for _, g := range f.AST.Comments {
		for _, c := range g.List {
			rest, ok := strings.CutPrefix(c.Text, "//go:linkname ")
			if !ok {
				rest, ok = strings.CutPrefix(c.Text, "//export ")
			}
			if !ok {
				continue
			}
			if words := strings.Fields(rest); len(words) > 0 {
				ix.linked[mentionedName{pkg.Path, words[0]}] = true
				if len(words) > 1 { // the other side's name, import path and all
					if i := strings.LastIndexByte(words[1], '.'); i > 0 {
						ix.linked[mentionedName{words[1][:i], words[1][i+1:]}] = true
					}
				}
			}
		}
	}
}

func (ix *index) addParams(pkg *program.Package, f *program.File, ft *ast.FuncType, fn *types.Func, lit *ast.FuncLit) {
	i := 0
	for _, field := range ft.Params.List {
		_, variadic := field.Type.(*ast.Ellipsis)
		for _, name := range field.Names {
			if v, ok := pkg.Info.Defs[name].(*types.Var); ok {
				ix.params[ix.repVar(v)] = funcParam{fn, lit, f, pkg, i, variadic}
			}
			i++
		}
		if len(field.Names) == 0 {
			i++
		}
	}
}

// unread reports whether a function's body may not be at hand although its package has bodies: in one that was read in part
// it looks empty.
func unread(pkg *program.Package, decl *ast.FuncDecl) bool {
	return pkg.Partial && decl.Body != nil && len(decl.Body.List) == 0
}

// receiver stands for the index of a method's receiver among its parameters.
const receiver = -1

func (ix *index) addReceiver(pkg *program.Package, f *program.File, n *ast.FuncDecl, fn *types.Func) {
	if n.Recv == nil || len(n.Recv.List) != 1 || len(n.Recv.List[0].Names) != 1 {
		return
	}
	if v, ok := pkg.Info.Defs[n.Recv.List[0].Names[0]].(*types.Var); ok {
		ix.params[ix.repVar(v)] = funcParam{fn, nil, f, pkg, receiver, false}
	}
}

// unkeyedStruct returns the struct type of a literal whose fields are given by position.
func unkeyedStruct(info *types.Info, lit *ast.CompositeLit) *types.Struct {
	if len(lit.Elts) == 0 {
		return nil
	}
	if _, keyed := lit.Elts[0].(*ast.KeyValueExpr); keyed {
		return nil
	}
	t := info.TypeOf(lit)
	if t == nil {
		return nil
	}
	st, _ := deref(t).Underlying().(*types.Struct)
	if st == nil || st.NumFields() == 0 {
		return nil
	}
	return st
}

// A structType is a struct type that is written down, as that of a type declaration or without a name.
type structType struct {
	*types.Struct
	named bool
}

// joinUnnamed marks unnamed struct types that are identical to another one: values of either are values of the
// other, whose fields are other objects.
func (ix *index) joinUnnamed() {
	byShape := map[string][]structType{}
	for _, st := range ix.structs {
		shape := st.Field(0).Name() + "/" + itoa(st.NumFields())
		byShape[shape] = append(byShape[shape], st)
	}
	for _, list := range byShape {
		for i, st := range list {
			for j, other := range list {
				if i != j && !st.named && types.Identical(st.Struct, other.Struct) {
					ix.converted[ix.repVar(st.Field(0))] = true
					ix.converted[ix.repVar(other.Field(0))] = true
					break
				}
			}
		}
	}
}

// addFields remembers the place of every field in its struct.
func (ix *index) addFields(info *types.Info, n *ast.StructType, isNamed bool) {
	st, _ := info.TypeOf(n).(*types.Struct)
	if st == nil || st.NumFields() == 0 {
		return
	}
	ix.structs = append(ix.structs, structType{st, isNamed})
	for i := range st.NumFields() {
		if named, ok := types.Unalias(deref(st.Field(i).Type())).(*types.Named); ok && st.Field(i).Embedded() {
			var by *types.TypeName
			if isNamed {
				by = ix.declared
			}
			ix.embedders[named.Obj()] = append(ix.embedders[named.Obj()], by)
		}
		ix.fields[ix.repVar(st.Field(i))] = fieldPlace{ix.repVar(st.Field(0)), i}
	}
}

// parent returns the node that encloses n in its file.
func (ix *index) parent(f *program.File, n ast.Node) ast.Node {
	decls := f.AST.Decls
	i, _ := slices.BinarySearchFunc(decls, n.Pos(), func(d ast.Decl, pos token.Pos) int { return cmp.Compare(d.End(), pos+1) })
	if i == len(decls) || n == f.AST {
		return nil
	}
	if n == decls[i] || n == f.AST.Name {
		return f.AST
	}
	return ix.parentsIn(decls[i])[n]
}

// parentsIn maps what stands in a declaration to what encloses it.
func (ix *index) parentsIn(decl ast.Decl) map[ast.Node]ast.Node {
	if m := ix.parents[decl]; m != nil {
		return m
	}
	m := make(map[ast.Node]ast.Node, int(decl.End()-decl.Pos())/10) // most of what there are
	var stack []ast.Node
	ast.Inspect(decl, func(n ast.Node) bool {
		if n == nil {
			stack = stack[:len(stack)-1]
			return true
		}
		if len(stack) > 0 {
			m[n] = stack[len(stack)-1]
		}
		stack = append(stack, n)
		return true
	})
	ix.parents[decl] = m
	return m
}

// nameExpr returns the expression that an identifier names something by: the selector it
// ends, else itself.
func (ix *index) nameExpr(f *program.File, id *ast.Ident) ast.Expr {
	if sel, ok := ix.parent(f, id).(*ast.SelectorExpr); ok && sel.Sel == id {
		return sel
	}
	return id
}

// outer returns the first enclosing node of e that is not a parenthesis, and the
// outermost parenthesised form of e, which is that node's child.
func (ix *index) outer(f *program.File, e ast.Node) (parent, child ast.Node) {
	child = e
	for {
		parent = ix.parent(f, child)
		p, ok := parent.(*ast.ParenExpr)
		if !ok {
			return parent, child
		}
		child = p
	}
}

// enclosingFunc returns the innermost function declaration or literal around n, nil at package level.
func (ix *index) enclosingFunc(f *program.File, n ast.Node) ast.Node {
	for n = ix.parent(f, n); n != nil; n = ix.parent(f, n) {
		switch n.(type) {
		case *ast.FuncDecl, *ast.FuncLit:
			return n
		}
	}
	return nil
}

// origin maps a field, method or variable of an instantiated type to its generic declaration.
func origin(obj types.Object) types.Object {
	switch obj := obj.(type) {
	case *types.Var:
		return obj.Origin()
	case *types.Func:
		return obj.Origin()
	}
	return obj
}

// rep returns the object that stands for obj in the index: the generic declaration of a member of
// an instantiated type, and one for the copies of a package that was read twice.
func (ix *index) rep(obj types.Object) types.Object {
	obj = origin(obj)
	if len(ix.twice) == 0 || obj.Pkg() == nil || !ix.twice[obj.Pkg().Path()] {
		return obj
	}
	id := ix.prog.IDOf(obj.Pos())
	if have := ix.reps[id]; have != nil {
		return have
	}
	ix.reps[id] = obj
	return obj
}

func (ix *index) repVar(v *types.Var) *types.Var {
	if v == nil {
		return nil
	}
	r, _ := ix.rep(v).(*types.Var)
	return r
}

func (ix *index) repFunc(fn *types.Func) *types.Func {
	r, _ := ix.rep(fn).(*types.Func)
	return r
}

// usesOf returns the mentions of an object.
func (ix *index) usesOf(obj types.Object) []use { return ix.uses[ix.rep(obj)] }

// paramOf returns the place of a parameter; ok is false for other variables.
func (ix *index) paramOf(v *types.Var) (p funcParam, ok bool) {
	if v == nil {
		return funcParam{}, false
	}
	p, ok = ix.params[ix.repVar(v)]
	return p, ok
}

func deref(t types.Type) types.Type {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		return p.Elem()
	}
	return t
}

func isInterfaceMethod(fn *types.Func) bool {
	recv := fn.Signature().Recv()
	return recv != nil && types.IsInterface(recv.Type())
}

// basicOf returns the built-in type t is, looking through aliases; nil for named and other types.
func basicOf(t types.Type) *types.Basic {
	b, _ := types.Unalias(t).(*types.Basic)
	if b != nil && b.Info()&types.IsUntyped == 0 && int(b.Kind()) < len(types.Typ) {
		return types.Typ[b.Kind()] // byte is uint8, rune is int32
	}
	return b
}

// carrierType reports whether values of type t hide their dynamic type: interfaces and type parameters. So may what has no type,
// in a package with errors.
func carrierType(t types.Type) bool {
	switch t := types.Unalias(t).(type) {
	case nil, *types.TypeParam:
		return true
	default:
		return types.IsInterface(t)
	}
}

// exprPos returns the position by which an expression is reported and identified.
func exprPos(e ast.Expr) token.Pos { return ast.Unparen(e).Pos() }
