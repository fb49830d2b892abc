package plan

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// twinSuffix is what the field adds to the name of a function that takes a context as well.
const twinSuffix = "Context"

// twinClass plans a function beside an exported one, whose signature importers rely on. The other function stays as a
// wrapper. Functions for other platforms by the same name get twins too.
func (sp *sigPlan) twinClass(f *callgraph.Func) *class {
	c := &class{funcs: []*callgraph.Func{f}}
	for _, l := range f.Links {
		if l.To.Decl != nil && l.To.File.PkgDir == f.File.PkgDir && l.To.Name == f.Name {
			c.funcs = append(c.funcs, l.To)
		}
	}
	for _, m := range c.funcs {
		if c.err = sp.fixedTwin(m); c.err != nil {
			return c
		}
	}
	c.twin = f.Object.Name() + twinSuffix
	return c
}

// fixedTwin says why a function cannot get a twin.
func (sp *sigPlan) fixedTwin(f *callgraph.Func) error {
	if !sp.isContext() {
		return block("api", f.File, f.Pos(), "importers may call %s; --api break changes it", f.Name)
	}
	if reason := uneditable(f.File); reason != "" {
		return block(reason, f.File, f.Pos(), "%s cannot change: %s", f.Name, uneditableMessage(reason))
	}
	if f.Decl.Body == nil {
		return block("fixed-type", f.File, f.Pos(), "%s has no body in Go", f.Name)
	}
	for _, x := range f.Fixed {
		if x.Pos == f.Pos() || strings.Contains(x.Why, "directive") {
			return block("fixed-type", x.File, x.Pos, "%s %s", f.Name, x.Why)
		}
	}
	if sp.broken(f.Pkg.Path) {
		return block("type-errors", f.File, f.Pos(), "package %s does not type-check, and is not edited before it does", f.Pkg.Path)
	}
	if supply.TakesContext(f) {
		return block("has-context", f.File, f.Pos(), "%s takes a context already", f.Name)
	}
	name := f.Object.Name() + twinSuffix
	if other, pos := sp.counterpart(memberOf(f.Object, f.File)); other != nil {
		return block("excluded", other, pos, "%s has a counterpart in a file that this build configuration leaves out (%s), which would have no %s; %s",
			f.Name, other.Constraint, name, sp.prog.HowToLoad(other))
	}
	if f.Decl.Recv == nil {
		if sp.names.scope(f.File.PkgDir)[name] {
			return block("name-taken", f.File, f.Pos(), "%s exists already; call it, or rename it", name)
		}
		return nil
	}
	return sp.fixedMethod(f, name)
}

// fixedMethod says why a type cannot get a method by a name: it has a member of that name, gets one from what it embeds, types
// that embed it would have two, or an interface asks for it.
func (sp *sigPlan) fixedMethod(f *callgraph.Func, name string) error {
	recv := f.Signature.Recv().Type()
	named, ok := types.Unalias(derefType(recv)).(*types.Named)
	if !ok {
		return block("name-taken", f.File, f.Pos(), "the type of %s has no name", f.Name)
	}
	ptr := types.NewPointer(named)
	if obj, _, _ := types.LookupFieldOrMethod(ptr, true, f.Object.Pkg(), name); obj != nil {
		return block("name-taken", f.File, f.Pos(), "%s has a member %s already; call it, or rename it", named.Obj().Name(), name)
	}
	for _, cfg := range sp.prog.Configs {
		for _, pkg := range cfg.Packages {
			if pkg.Types == nil {
				continue
			}
			scope := pkg.Types.Scope()
			for _, other := range scope.Names() {
				tn, ok := scope.Lookup(other).(*types.TypeName)
				if !ok {
					continue
				}
				if iface, ok := tn.Type().Underlying().(*types.Interface); ok {
					if asksFor(iface, name) && implementsRest(ptr, iface, name) {
						return block("name-taken", f.File, f.Pos(), "with a method %s, %s would satisfy %s.%s", name, named.Obj().Name(), pkg.Path, other)
					}
					continue
				}
				if pkg.World && sp.ambiguous(tn, named, name) {
					return block("name-taken", f.File, f.Pos(), "%s.%s embeds %s, and has %s from elsewhere", pkg.Path, other, named.Obj().Name(), name)
				}
			}
		}
	}
	return nil
}

func asksFor(iface *types.Interface, name string) bool {
	for m := range iface.Methods() {
		if m.Name() == name {
			return true
		}
	}
	return false
}

// implementsRest reports whether a type has all methods of an interface but one.
func implementsRest(t types.Type, iface *types.Interface, but string) bool {
	for m := range iface.Methods() {
		if m.Name() == but {
			continue
		}
		obj, _, _ := types.LookupFieldOrMethod(t, true, m.Pkg(), m.Name())
		fn, ok := obj.(*types.Func)
		if !ok || !types.Identical(fn.Signature(), m.Signature()) {
			return false
		}
	}
	return true
}

// ambiguous reports whether a struct type that embeds another one has a member of that name from elsewhere.
func (sp *sigPlan) ambiguous(tn *types.TypeName, inner *types.Named, name string) bool {
	st, ok := tn.Type().Underlying().(*types.Struct)
	if !ok {
		return false
	}
	embeds := false
	for fd := range st.Fields() {
		if fd.Embedded() {
			if named, ok := types.Unalias(derefType(fd.Type())).(*types.Named); ok && named.Origin().Obj().Pos() == inner.Origin().Obj().Pos() {
				embeds = true
			}
		}
	}
	if !embeds {
		return false
	}
	obj, _, _ := types.LookupFieldOrMethod(types.NewPointer(tn.Type()), true, tn.Pkg(), name)
	return obj != nil
}

// writeTwin renames the declaration and adds the wrapper behind it.
func (sp *sigPlan) writeTwin(p *newParam) error {
	f, decl := p.f.File, p.f.Decl
	sp.splice(f, decl.Name.Pos(), decl.Name.End(), Lit(p.twin))
	sp.renameDoc(p)
	text, err := sp.wrapperDecl(p)
	if err != nil {
		return err
	}
	at := sp.offset(f, decl.End())
	for _, g := range f.AST.Comments {
		if from := sp.offset(f, g.Pos()); from >= at && !strings.Contains(string(f.Src[at:from]), "\n") {
			at = sp.offset(f, g.End())
		}
	}
	sp.unit.Edits = append(sp.unit.Edits, &Splice{File: f, Start: at, End: at, Text: text})
	return nil
}

// renameDoc lets the documentation that begins with the function's name begin with that of the twin.
func (sp *sigPlan) renameDoc(p *newParam) {
	doc := p.f.Decl.Doc
	if doc == nil {
		return
	}
	first := doc.List[0]
	for _, prefix := range []string{"// ", "/* ", "//", "/*"} {
		rest, ok := strings.CutPrefix(first.Text, prefix+p.f.Decl.Name.Name)
		if ok && (rest == "" || !identByte(rest[0])) {
			from := first.Pos() + token.Pos(len(prefix))
			sp.splice(p.f.File, from, from+token.Pos(len(p.f.Decl.Name.Name)), Lit(p.twin))
			return
		}
	}
}

// wrapperDecl writes the function that keeps the old name and signature.
func (sp *sigPlan) wrapperDecl(p *newParam) (Text, error) {
	f, decl := p.f.File, p.f.Decl
	src := func(n ast.Node) string { return string(f.Src[sp.offset(f, n.Pos()):sp.offset(f, n.End())]) }
	names, params := sp.forward(decl.Type, src, nil)
	text := Text{Lit("\n\n" + sp.wrapperDoc(p, decl) + "func ")}
	call := p.twin
	if decl.Recv != nil {
		recv := decl.Recv.List[0]
		name := receiverName(recv, names)
		text = append(text, Lit("("+name+" "+src(recv.Type)+") "))
		call = name + "." + call
	}
	text = append(text, Lit(decl.Name.Name))
	if tp := decl.Type.TypeParams; tp != nil {
		text = append(text, Lit(src(tp)))
		var list []string
		for _, field := range tp.List {
			for _, id := range field.Names {
				list = append(list, id.Name)
			}
		}
		call += "[" + strings.Join(list, ", ") + "]"
	}
	text = append(text, Lit("("+params+")"))
	ret := ""
	if r := decl.Type.Results; r != nil && r.NumFields() > 0 {
		ret = "return "
		text = append(text, Lit(" "+src(r)))
	}
	text = append(text, Lit(" {\n\t"+ret+call+"("))
	text = append(text, sp.born(p, p.f.File)...)
	for _, n := range names {
		text = append(text, Lit(", "+n))
	}
	return append(text, Lit(")\n}")), nil
}

// wrapperDoc documents the function that stays.
func (sp *sigPlan) wrapperDoc(p *newParam, decl *ast.FuncDecl) string {
	link := "[" + p.twin + "]"
	if decl.Recv != nil {
		if named, ok := types.Unalias(derefType(p.f.Signature.Recv().Type())).(*types.Named); ok {
			link = "[" + named.Obj().Name() + "." + p.twin + "]"
		}
	}
	return fmt.Sprintf("// %s is like %s with context.%s.\n//\n// Deprecated: use %s.\n//\n//go:fix inline\n", decl.Name.Name, link, sp.bornName(p), link)
}

// forward writes the parameters of a function so that each has a name, and returns the arguments that hand them on.
func (sp *sigPlan) forward(t *ast.FuncType, src func(ast.Node) string, taken map[string]bool) (args []string, params string) {
	var list []string
	used := map[string]bool{}
	for n := range taken {
		used[n] = true
	}
	for _, field := range t.Params.List {
		for _, id := range field.Names {
			used[id.Name] = true
		}
	}
	fresh := func() string {
		for i := 1; ; i++ {
			if n := fmt.Sprintf("arg%d", i); !used[n] {
				used[n] = true
				return n
			}
		}
	}
	for _, field := range t.Params.List {
		dots := ""
		if _, ok := field.Type.(*ast.Ellipsis); ok {
			dots = "..."
		}
		var names []string
		for _, id := range field.Names {
			name := id.Name
			if name == "_" || taken[name] {
				name = fresh()
			}
			names = append(names, name)
		}
		if len(field.Names) == 0 {
			names = []string{fresh()}
		}
		for _, n := range names {
			args = append(args, n+dots)
		}
		list = append(list, strings.Join(names, ", ")+" "+src(field.Type))
	}
	return args, strings.Join(list, ", ")
}

// receiverName returns the receiver's name, or one for a receiver without a name.
func receiverName(recv *ast.Field, args []string) string {
	if len(recv.Names) == 1 && recv.Names[0].Name != "_" {
		return recv.Names[0].Name
	}
	for _, n := range []string{"r", "recv", "self"} {
		if !slices.Contains(args, n) {
			return n
		}
	}
	return "receiver"
}

// bornName is the function of package context that makes a context where none comes from above.
func (sp *sigPlan) bornName(p *newParam) string {
	if p != nil && p.target != nil && p.target.Born != "" {
		return p.target.Born
	}
	for _, t := range sp.in.Targets {
		if t.Born == "TODO" {
			return t.Born
		}
	}
	return "Background"
}

// born is what is passed, in a file, where no context comes from above.
func (sp *sigPlan) born(p *newParam, f *program.File) Text {
	name := sp.bornName(p)
	if f.Test {
		name = "Background" // a test has nothing to come
	}
	return Text{Name("context", "context", name), Lit("()")}
}
