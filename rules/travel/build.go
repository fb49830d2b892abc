package travel

import (
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// Build makes the graph of a program.
func Build(s *supply.Supply) *Graph {
	b := &builder{
		supply: s, graph: &Graph{}, funcs: map[*callgraph.Func]*Func{}, foreign: map[string]*Func{},
		calls: map[callKey]*Call{}, names: map[*ast.FuncLit]string{}, carrying: map[types.Type]bool{}, twins: map[*types.Func]bool{},
	}
	s.Flow.EachFile(b.file)
	b.graph.Funcs = b.all
	b.lose()
	b.graph.sort()
	return b.graph
}

type callKey struct {
	from, to *Func
	way      Way
	beside   bool
}

// A builder makes a graph.
type builder struct {
	supply  *supply.Supply
	graph   *Graph
	funcs   map[*callgraph.Func]*Func
	foreign map[string]*Func // by import path
	calls   map[callKey]*Call
	// all are the functions met, in the order of the source.
	all []*Func
	// names are those of function literals.
	names map[*ast.FuncLit]string
	// carrying caches which types are contexts or carry one, twins which functions stand beside one that takes a context.
	carrying map[types.Type]bool
	twins    map[*types.Func]bool
}

// A frame is a function of the syntax that is being walked.
type frame struct {
	fn *callgraph.Func
	// beside is set within a literal that runs on a goroutine of its own.
	beside bool
	node   ast.Node
}

// file walks one file.
func (b *builder) file(pkg *program.Package, file *program.File) {
	if file.Test {
		return
	}
	for _, d := range file.AST.Decls {
		b.name(d)
		b.walk(pkg, file, d)
	}
}

// name numbers the literals of a declaration: F.func1 for a function, v.func1 for a variable.
func (b *builder) name(d ast.Decl) {
	number := func(outer string, in ast.Node) {
		for i, lit := range literals(in) {
			b.names[lit] = fmt.Sprintf("%s.func%d", outer, i+1)
		}
	}
	switch d := d.(type) {
	case *ast.FuncDecl:
		if f := b.supply.Calls.FuncAt(d.Type); f != nil {
			number(f.Name, d)
		}
	case *ast.GenDecl:
		for _, spec := range d.Specs {
			if v, ok := spec.(*ast.ValueSpec); ok && len(v.Names) > 0 {
				number(v.Names[0].Name, v)
			}
		}
	}
}

// walk visits the calls of a declaration with the functions around them.
func (b *builder) walk(pkg *program.Package, file *program.File, root ast.Node) {
	var stack []frame
	ast.PreorderStack(root, nil, func(n ast.Node, above []ast.Node) bool {
		for len(stack) > 0 && n.Pos() >= stack[len(stack)-1].node.End() {
			stack = stack[:len(stack)-1]
		}
		switch n := n.(type) {
		case *ast.FuncDecl:
			stack = append(stack, frame{b.supply.Calls.FuncAt(n.Type), false, n})
		case *ast.FuncLit:
			beside := len(stack) > 0 && stack[len(stack)-1].beside || b.supply.Flow.RunOf(pkg, file, n) == flow.Concurrent
			stack = append(stack, frame{b.supply.Calls.FuncAt(n.Type), beside, n})
		case *ast.CallExpr:
			at := &site{pkg: pkg, file: file, call: n}
			if len(stack) > 0 {
				top := stack[len(stack)-1]
				at.in, at.beside = b.function(top.fn), top.beside
			}
			if stmt, ok := last(above).(*ast.GoStmt); ok && stmt.Call == n {
				at.beside = true
			}
			b.call(at)
		}
		return true
	})
}

func last(list []ast.Node) ast.Node {
	if len(list) == 0 {
		return nil
	}
	return list[len(list)-1]
}

// A site is a call of the world.
type site struct {
	pkg    *program.Package
	file   *program.File
	call   *ast.CallExpr
	in     *Func // nil at package level
	beside bool
}

func (s *site) place() Place {
	return Place{File: s.file, Pos: s.call.Pos(), Callee: flow.Callee(s.call)}
}

// function returns the function of the graph that a function of the world belongs to; nil for none.
func (b *builder) function(f *callgraph.Func) *Func {
	if f == nil || f.Body() == nil {
		return nil
	}
	if known, ok := b.funcs[f]; ok {
		return known
	}
	source := b.given(f)
	var node *Func
	switch {
	case f.Kind == callgraph.Literal && source == nil && f.Outer != nil:
		node = b.function(f.Outer)
	case f.Kind == callgraph.Literal:
		node = &Func{Name: b.names[f.Lit], Source: source}
	default:
		node = &Func{Name: f.Name, Source: source, Entry: f.EntryPoint()}
	}
	b.funcs[f] = node
	if node != nil && node.File == nil {
		node.Package, node.File, node.Pos, node.decl = f.File.PkgPath, f.File, f.Pos(), f
		b.all = append(b.all, node)
	}
	return node
}

// given returns the context that a function gets from its caller, nil for none.
func (b *builder) given(f *callgraph.Func) *flow.Source {
	for _, s := range b.supply.Flow.All(f.File, f.Body().Lbrace+1) {
		if len(s.Through) == 0 && s.Kind != flow.Local && s.Kind != flow.Test {
			return s
		}
	}
	return nil
}

// outside returns the function that stands for a package.
func (b *builder) outside(path string) *Func {
	f := b.foreign[path]
	if f == nil {
		f = &Func{Name: path, Package: path, Foreign: true}
		b.foreign[path] = f
		b.all = append(b.all, f)
	}
	return f
}

// call notes what a call does with contexts.
func (b *builder) call(at *site) {
	if b.supply.Flow.Fresh(at.pkg, at.call) {
		b.birth(at)
		return
	}
	if at.in == nil || at.pkg.Info.Types[at.call.Fun].IsType() {
		return
	}
	way, given := b.way(at)
	if c := b.supply.Calls.CallAt(at.call); c != nil {
		for _, to := range b.targets(c) {
			if given || !to.Has() {
				b.add(at, to, way)
			}
		}
		return
	}
	fn := census.Callee(at.pkg.Info, at.call)
	if fn == nil || fn.Pkg() == nil || fn.Pkg().Path() == "context" {
		return
	}
	if given && b.takes(fn) || !given && b.hasTwin(fn) {
		b.add(at, b.outside(fn.Pkg().Path()), way)
	}
}

// birth notes a place where a context is made from nothing.
func (b *builder) birth(at *site) {
	born := &Birth{
		Birth: &flow.Birth{Pkg: at.pkg, File: at.file, Call: at.call},
		In:    at.in, By: flow.BornBy(at.pkg, at.call),
	}
	born.missed = b.missed(at)
	b.graph.Births = append(b.graph.Births, born)
}

// way tells what a call does with the context; given is set when it gets any.
func (b *builder) way(at *site) (way Way, given bool) {
	for _, arg := range at.call.Args {
		t := at.pkg.Info.TypeOf(arg)
		if t == nil || !b.carries(t) {
			continue
		}
		if b.supply.Flow.FromNothing(at.pkg, at.file, arg) {
			return Fresh, true
		}
		return Handed, true
	}
	return Without, false
}

// carries reports whether a value of type t is a context, or can be asked for one.
func (b *builder) carries(t types.Type) bool {
	c, known := b.carrying[t]
	if !known {
		c = flow.Implements(t) || flow.Carries(t)
		b.carrying[t] = c
	}
	return c
}

// takes reports whether a function outside takes a context, or what carries one.
func (b *builder) takes(fn *types.Func) bool {
	for v := range fn.Signature().Params().Variables() {
		if b.carries(v.Type()) {
			return true
		}
	}
	return false
}

// maxTargets is how many implementations a call through an interface or a variable may lead to.
const maxTargets = 12

// targets returns the functions of the world that a call may end in.
func (b *builder) targets(c *callgraph.Call) []*Func {
	var list []*Func
	seen := map[*Func]bool{}
	add := func(f *callgraph.Func) {
		if node := b.function(f); node != nil && !f.File.Test && !seen[node] {
			seen[node] = true
			list = append(list, node)
		}
	}
	for _, callee := range c.Callees {
		if callee.Body() != nil {
			add(callee)
			continue
		}
		for _, l := range callee.Links {
			if l.To.Body() != nil && len(list) < maxTargets {
				add(l.To)
			}
		}
	}
	return list
}

// add notes a call of one function by another.
func (b *builder) add(at *site, to *Func, way Way) {
	if at.in == to {
		return
	}
	key := callKey{at.in, to, way, at.beside}
	c := b.calls[key]
	if c == nil {
		c = &Call{From: at.in, To: to, Way: way, Go: at.beside}
		b.calls[key] = c
		at.in.Out = append(at.in.Out, c)
		to.In = append(to.In, c)
	}
	place := at.place()
	place.missed = way != Handed && b.missed(at)
	c.Places = append(c.Places, place)
}

// missed reports whether a context that comes from elsewhere, and has not ended, is in scope where a call stands.
func (b *builder) missed(at *site) bool {
	for _, s := range b.supply.Flow.At(at.file, at.call.Pos()) {
		if supply.Live(s) && s.Kind != flow.Field {
			return true
		}
	}
	return false
}

// hasTwin reports whether a function outside stands beside one that takes a context, and gives something back: what
// only writes a log has nothing to cancel.
func (b *builder) hasTwin(fn *types.Func) bool {
	has, known := b.twins[fn]
	if !known {
		has = fn.Signature().Results().Len() > 0 && takesTwin(fn)
		b.twins[fn] = has
	}
	return has
}

func takesTwin(fn *types.Func) bool {
	for _, suffix := range []string{"Context", "WithContext", "Ctx"} {
		obj := fn.Pkg().Scope().Lookup(fn.Name() + suffix)
		if recv := fn.Signature().Recv(); recv != nil {
			obj, _, _ = types.LookupFieldOrMethod(recv.Type(), true, fn.Pkg(), fn.Name()+suffix)
		}
		twin, ok := obj.(*types.Func)
		if ok && twin.Exported() && twin.Signature().Params().Len() == fn.Signature().Params().Len()+1 && flow.IsContext(twin.Signature().Params().At(0).Type()) {
			return true
		}
	}
	return false
}
