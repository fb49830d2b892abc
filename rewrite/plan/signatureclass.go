package plan

import (
	"fmt"
	"go/ast"
	"go/types"
	"path"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// A class is the functions that change together, or what stands in the way.
type class struct {
	funcs []*callgraph.Func
	// twin is the name of the function to add beside the only one; "" where the functions themselves change.
	twin string
	err  error
}

// classOf returns the class of a function.
func (sp *sigPlan) classOf(f *callgraph.Func) *class {
	if c := sp.classes[f]; c != nil {
		return c
	}
	c := sp.makeClass(f)
	if c.twin == "" && c.err == nil {
		for _, m := range c.funcs {
			sp.classes[m] = c
		}
	}
	sp.classes[f] = c
	return c
}

// keepsAPI reports whether importers rely on a function's signature, and the user wants it kept.
func (sp *sigPlan) keepsAPI(f *callgraph.Func) bool {
	return sp.opts.API != "break" && f.Decl != nil && sp.importable(f)
}

func (sp *sigPlan) makeClass(f *callgraph.Func) *class {
	if sp.keepsAPI(f) {
		return sp.twinClass(f)
	}
	c := &class{funcs: []*callgraph.Func{f}}
	via := map[*callgraph.Func]*reached{f: nil}
	for i := 0; i < len(c.funcs); i++ {
		m := c.funcs[i]
		if c.err = sp.fixed(m); c.err != nil {
			c.err = sp.tell(c.err, f, m, via)
			return c
		}
		for _, l := range m.Links {
			if _, seen := via[l.To]; !seen {
				via[l.To] = &reached{m, l}
				c.funcs = append(c.funcs, l.To)
			}
		}
	}
	return c
}

// reached says by which link a function was found.
type reached struct {
	from *callgraph.Func
	link *callgraph.Link
}

// tell adds to a blocker how the function that cannot change is tied to the one that should.
func (sp *sigPlan) tell(err error, f, m *callgraph.Func, via map[*callgraph.Func]*reached) error {
	b, ok := err.(blocked)
	if !ok || f == m {
		return err
	}
	var way []string
	for r := via[m]; r != nil; r = via[r.from] {
		way = append([]string{r.from.Name + sp.at(r.link.File, r.link.Pos.IsValid(), r)}, way...)
	}
	copied := *b.Blocker
	copied.Message += ", and " + strings.Join(way, " -> ") + " -> " + m.Name + " must stay alike"
	if copied.File == nil {
		if r := via[m]; r != nil {
			copied.File, copied.Pos = r.link.File, r.link.Pos
		}
	}
	return blocked{&copied}
}

func (sp *sigPlan) at(f *program.File, ok bool, r *reached) string {
	if f == nil || !ok {
		return ""
	}
	pos := sp.prog.Fset.PositionFor(r.link.Pos, false)
	return fmt.Sprintf(" (%s:%d:%d)", f.Shown(), pos.Line, pos.Column)
}

// fixed says why a function cannot get the parameter, nil when it can.
func (sp *sigPlan) fixed(f *callgraph.Func) error {
	if f.Kind == callgraph.Foreign {
		if f.Object != nil && f.Object.Signature().Recv() != nil {
			return block("foreign-interface", nil, 0, "%s, outside the program, decides about the parameters", f.Name)
		}
		return block("foreign-callback", nil, 0, "code outside the program calls it as %s", types.TypeString(f.Signature, packageName))
	}
	if f.EntryPoint() {
		return block("entry-point", f.File, f.Pos(), "%s %s", f.Name, f.Fixed[0].Why)
	}
	if reason := uneditable(f.File); reason != "" {
		return sp.generated(f, reason)
	}
	if len(f.Fixed) > 0 {
		x := f.Fixed[0]
		return block("fixed-type", x.File, x.Pos, "%s %s", f.Name, x.Why)
	}
	if x := sp.g.Unread(f); x != nil {
		return block("excluded", x.File, x.Pos, "%s %s", f.Name, x.Why)
	}
	if sp.broken(f.Pkg.Path) {
		return block("type-errors", f.File, f.Pos(), "package %s does not type-check, and is not edited before it does", f.Pkg.Path)
	}
	if name := sp.g.Asked(f); name != "" {
		return block("foreign-interface", f.Boxed.File, f.Boxed.Pos, "%s implements %s, which code elsewhere may ask it for", f.Name, name)
	}
	if x := sp.g.ByName(f, sp.opts.API != "break"); x != nil {
		return block("reflection", x.File, x.Pos, "%s %s", f.Name, x.Why)
	}
	if sp.opts.API != "break" && sp.exposed(f) {
		return block("api", f.File, f.Pos(), "importers may use or implement %s; --api break changes it", f.Name)
	}
	if sp.isContext() && supply.TakesContext(f) && sp.blankParam(f) == nil {
		return block("has-context", f.File, f.Pos(), "%s takes a context already", f.Name)
	}
	if sp.isContext() && givesContext(f) {
		return block("gives-context", f.File, f.Pos(), "%s is where callers get their context from", f.Name)
	}
	if f.Type.Params.NumFields() < sp.index(f) {
		return block("position", f.File, f.Pos(), "%s has only %s", f.Name, census.Count(f.Type.Params.NumFields(), "parameter"))
	}
	if err := sp.fixedCalls(f); err != nil {
		return err
	}
	return sp.fixedMentions(f)
}

// givesContext reports whether a function without parameters returns a context and nothing else.
func givesContext(f *callgraph.Func) bool {
	sig := f.Signature
	return sig != nil && sig.Params().Len() == 0 && sig.Results().Len() == 1 && flow.IsContext(sig.Results().At(0).Type())
}

func packageName(p *types.Package) string { return p.Name() }

// fixedCalls says why a call of a function cannot pass the parameter.
func (sp *sigPlan) fixedCalls(f *callgraph.Func) error {
	for _, call := range f.Calls {
		if reason := uneditable(call.File); reason != "" {
			return block(reason, call.File, call.Expr.Pos(), "%s is called in a file that is not edited: %s", f.Name, uneditableMessage(reason))
		}
		if sp.broken(call.Pkg.Path) {
			return block("type-errors", call.File, call.Expr.Pos(), "%s is called in package %s, which does not type-check", f.Name, call.Pkg.Path)
		}
		if spread(call) {
			return block("spread-call", call.File, call.Expr.Pos(), "%s gets all its arguments from one call here; store them in variables first", f.Name)
		}
	}
	return nil
}

// spread reports whether the arguments of a call are the results of another one.
func spread(call *callgraph.Call) bool {
	if len(call.Expr.Args) != 1 {
		return false
	}
	_, ok := call.Pkg.Info.TypeOf(call.Expr.Args[0]).(*types.Tuple)
	return ok
}

// fixedMentions says why a place that hands a function out cannot hand out one with other parameters.
func (sp *sigPlan) fixedMentions(f *callgraph.Func) error {
	for _, m := range f.Mentions {
		if m.Slot == nil {
			continue
		}
		if reason := uneditable(m.File); reason != "" {
			return block(reason, m.File, m.Expr.Pos(), "%s is handed to code outside the program in a file that is not edited: %s", f.Name, uneditableMessage(reason))
		}
		if _, err := sp.wrapper(f, m); err != nil {
			return err
		}
	}
	return nil
}

// generated blocks a change of generated code. Where that is a mock, the generator has to run again.
func (sp *sigPlan) generated(f *callgraph.Func, reason string) error {
	tool := mockTool(f.File)
	if reason != "generated" || tool == "" {
		return block(reason, f.File, f.Pos(), "%s cannot change: %s", f.Name, uneditableMessage(reason))
	}
	var run []string
	for _, file := range sp.prog.Files {
		if file.AST == nil {
			continue
		}
		for _, g := range file.AST.Comments {
			for _, c := range g.List {
				if strings.HasPrefix(c.Text, "//go:generate ") && strings.Contains(c.Text, tool) {
					run = append(run, "go generate ./"+path.Dir(file.Rel))
				}
			}
		}
	}
	slices.Sort(run)
	if run = slices.Compact(run); len(run) == 0 {
		run = []string{tool}
	}
	return block("mock", f.File, f.Pos(), "%s is generated by %s; change the interface by hand, then run %s", f.Name, tool, strings.Join(run, "; "))
}

// mockTool returns the generator of mocks that made a file, as its first comment says; "" for other files.
func mockTool(f *program.File) string {
	for _, g := range f.AST.Comments {
		if g.Pos() > f.AST.Package {
			break
		}
		text := strings.ToLower(g.Text())
		if !strings.Contains(text, "generated by") {
			continue
		}
		for _, tool := range []string{"mockgen", "mockery", "moq", "counterfeiter"} {
			if strings.Contains(text, tool) {
				return tool
			}
		}
	}
	return ""
}

// exposed reports whether importers can see a function type that has no declaration of its own to keep: a method of an
// exported interface, an exported type, field or variable, a parameter of an exported function. Methods that
// implement such an interface are tied to it.
func (sp *sigPlan) exposed(f *callgraph.Func) bool {
	if f.Decl != nil || sp.importable(f) {
		return sp.importable(f)
	}
	if f.Pkg.Name == "main" || f.File.Test || internal(f.Pkg.Path) {
		return false
	}
	if f.Lit != nil || f.Outer != nil {
		return false
	}
	for _, n := range pathTo(f.Top, f.Type) {
		switch n := n.(type) {
		case *ast.FuncDecl:
			if !n.Name.IsExported() {
				return false
			}
		case *ast.TypeSpec:
			if !n.Name.IsExported() {
				return false
			}
		case *ast.ValueSpec:
			if !slices.ContainsFunc(n.Names, (*ast.Ident).IsExported) {
				return false
			}
		case *ast.CompositeLit, *ast.FuncLit:
			return false
		case *ast.Field:
			_, isStruct := sp.census.Parent(f.File, sp.census.Parent(f.File, n)).(*ast.StructType)
			if isStruct && len(n.Names) > 0 && !slices.ContainsFunc(n.Names, (*ast.Ident).IsExported) {
				return false
			}
		}
	}
	return true
}

func internal(pkgPath string) bool {
	return slices.Contains(strings.Split(pkgPath, "/"), "internal")
}

// pathTo returns the nodes of a declaration that contain another node, outermost first.
func pathTo(root, inner ast.Node) []ast.Node {
	var list []ast.Node
	ast.Inspect(root, func(n ast.Node) bool {
		if n == nil || inner.Pos() < n.Pos() || n.End() < inner.End() {
			return false
		}
		list = append(list, n)
		return true
	})
	return list
}
