package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"go/types"
	"go/version"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/flow"
)

// A goPlan is the plan to pass a context to one goroutine.
type goPlan struct {
	*draft
	in *rules.PassToGoroutine
	g  *flow.Goroutine
	// detach is set when the goroutine gets the values of the context without its end.
	detach bool
	// inside are the places in the goroutine's literal, args those among the arguments of its call.
	inside, args []*rules.ContextPlace
}

// passToGoroutine plans the context that a goroutine gets, and how it gets it: as an argument of its function, which a literal
// gets a parameter for, or captured where others dictate the literal's parameters.
func (d *draft) passToGoroutine(in *rules.PassToGoroutine) error {
	p := &goPlan{draft: d, in: in, g: in.Goroutine}
	if err := p.decide(); err != nil {
		return err
	}
	for _, place := range in.Places {
		if d.commentIn(p.g.File, d.offset(p.g.File, place.Expr.Pos()), d.offset(p.g.File, place.Expr.End())) {
			return block("comment", p.g.File, place.Expr.Pos(), "a comment inside would be lost; move it")
		}
		if lit := p.g.Lit; lit != nil && place.Expr.Pos() >= lit.Pos() && place.Expr.Pos() < lit.End() {
			p.inside = append(p.inside, place)
		} else {
			p.args = append(p.args, place)
		}
	}
	for _, place := range p.args {
		d.spliceText(p.g.File, place.Expr.Pos(), place.Expr.End(), p.value())
	}
	if err := p.literal(); err != nil {
		return err
	}
	if in.Source.Unnamed != nil {
		if err := d.nameParameter(p.g.File, in.Source); err != nil {
			return err
		}
	}
	p.explain()
	return nil
}

// decide chooses between the context and its values alone.
func (p *goPlan) decide() error {
	if p.opts.Goroutines == "inherit" && p.in.Rule == "requestescape" {
		return block("inherit", p.g.File, p.g.Node().Pos(), "--goroutines inherit lets goroutines end with their caller")
	}
	p.detach = p.opts.Goroutines == "detach" || p.opts.Goroutines != "inherit" && p.in.Lifetime.Kind == flow.Outlives
	return decideLifetime(p.opts, p.g, p.in.Lifetime)
}

// decideLifetime says why a goroutine cannot get a context, nil when it can: it is unclear how long it lives, or the module is too
// old for context.WithoutCancel.
func decideLifetime(opts Options, g *flow.Goroutine, life flow.Lifetime) error {
	switch {
	case opts.Goroutines == "inherit":
		return nil
	case opts.Goroutines == "detach":
	case life.Kind == flow.Unclear:
		return block("unclear", g.File, life.Pos, "how long the goroutine lives is unclear: %s; choose with --goroutines inherit or detach", life.Evidence)
	case life.Kind == flow.Joined:
		return nil
	}
	if m := g.Pkg.Module; m != nil && version.Compare("go"+m.GoVersion, "go1.21") < 0 {
		return block("go-version", g.File, g.Node().Pos(), "the goroutine must not end with the caller, and context.WithoutCancel needs go 1.21 in go.mod")
	}
	return nil
}

func (p *goPlan) explain() {
	text := p.in.Source.Text
	if p.detach {
		p.unit.Notes = append(p.unit.Notes, "the goroutine sees the values of "+text+", a transaction for example, and does not end with it")
		return
	}
	p.unit.Notes = append(p.unit.Notes, "the goroutine now ends with "+text+" and sees its values")
}

// value is the context as it is written where the goroutine is started.
func (p *goPlan) value() Text {
	if p.detach {
		return Text{Name("context", "context", "WithoutCancel"), Lit("(" + p.in.Source.Text + ")")}
	}
	return Text{Lit(p.in.Source.Text)}
}

// literal gives the context to the function literal, when it needs one.
func (p *goPlan) literal() error {
	if len(p.inside) == 0 && !p.in.Shadow {
		return nil
	}
	if p.g.Stmt == nil {
		return p.captured()
	}
	name := p.name()
	if name == "" {
		return block("name", p.g.File, p.g.Lit.Pos(), "no name is free for the context in the goroutine's function")
	}
	p.parameter(name)
	p.argument()
	for _, place := range p.inside {
		p.replace(place.Expr, name)
	}
	return nil
}

// parameter gives the literal a parameter for the context.
func (p *goPlan) parameter(name string) {
	params := p.g.Lit.Type.Params
	at := params.Opening + 1
	parts := []Part{Lit(name + " "), Name("context", "context", "Context")}
	for i, field := range params.List {
		if i == 0 {
			parts = append(parts, Lit(", "))
			at = field.Pos()
		}
		switch {
		case len(field.Names) > 0:
		case i == 0:
			parts = append(parts, Lit("_ "))
		default:
			p.splice(p.g.File, field.Type.Pos(), field.Type.Pos(), Lit("_ "))
		}
	}
	p.splice(p.g.File, at, at, parts...)
}

// argument passes the context to the literal.
func (p *goPlan) argument() {
	call, value := p.g.Call, p.value()
	if len(call.Args) == 0 {
		p.spliceText(p.g.File, call.Lparen+1, call.Lparen+1, value)
		return
	}
	first := call.Args[0].Pos()
	p.spliceText(p.g.File, first, first, append(value, Lit(", ")))
}

// replace puts a name in the place of an expression, or removes the statement that would give the name to itself.
func (p *goPlan) replace(e ast.Expr, name string) {
	if as := p.definition(e); as != nil && as.Lhs[0].(*ast.Ident).Name == name && p.droppable(as) {
		if p.dropOwn(p.g.File, as) == nil {
			return
		}
	}
	p.splice(p.g.File, e.Pos(), e.End(), Lit(name))
}

// definition returns the statement v := e that an expression is the right side of, nil for others.
func (p *goPlan) definition(e ast.Expr) *ast.AssignStmt {
	as := p.defines(&rules.UseContext{File: p.g.File, Pkg: p.g.Pkg}, e)
	if as == nil {
		return nil
	}
	if _, ok := as.Lhs[0].(*ast.Ident); !ok {
		return nil
	}
	return as
}

// droppable reports whether a parameter can take the place of a variable: they are declared in the same scope, or nothing else
// is ever assigned to the variable.
func (p *goPlan) droppable(as *ast.AssignStmt) bool {
	return p.topLevel(as) || p.neverAssigned(&rules.UseContext{File: p.g.File, Pkg: p.g.Pkg}, as.Lhs[0].(*ast.Ident))
}

func (p *goPlan) topLevel(as *ast.AssignStmt) bool {
	return p.census.Parent(p.g.File, as) == ast.Node(p.g.Lit.Body) && p.ownLine(as)
}

// ownLine reports whether a statement has its line for itself.
func (p *goPlan) ownLine(as *ast.AssignStmt) bool {
	src := p.g.File.Src
	from, to := p.offset(p.g.File, as.Pos()), p.offset(p.g.File, as.End())
	start := bytes.LastIndexByte(src[:from], '\n') + 1
	rest := strings.TrimSpace(string(src[to:lineEnd(src, to)]))
	return len(bytes.TrimSpace(src[start:from])) == 0 && (rest == "" || strings.HasPrefix(rest, "//"))
}

// name returns a name for the literal's parameter, "" when none is free.
func (p *goPlan) name() string {
	var tries []string
	if p.in.Shadow {
		if p.in.Source.IsVar() {
			return p.in.Source.Text
		}
	} else {
		for _, place := range p.inside {
			if as := p.definition(place.Expr); as != nil {
				tries = append(tries, as.Lhs[0].(*ast.Ident).Name)
			}
		}
		if p.in.Source.IsVar() {
			tries = append(tries, p.in.Source.Text)
		}
	}
	for _, name := range append(tries, "ctx", "detached", "goCtx", "jobCtx") {
		if p.usable(name) {
			return name
		}
	}
	return ""
}

// usable reports whether the literal's parameter can have a name: nothing in the literal means something else by it, and its
// body does not declare it again.
func (p *goPlan) usable(name string) bool {
	info, lit := p.g.Pkg.Info, p.g.Lit
	ok := true
	ast.Inspect(lit.Body, func(n ast.Node) bool {
		id, isIdent := n.(*ast.Ident)
		if !isIdent || id.Name != name {
			return ok
		}
		obj := info.Uses[id]
		if obj == nil || isMember(obj) || obj.Pos() >= lit.Pos() && obj.Pos() < lit.End() {
			return ok
		}
		if obj != p.in.Source.Var || p.detach || p.in.Ahead {
			ok = false
		}
		return ok
	})
	scope := info.Scopes[lit.Type]
	if !ok || scope == nil {
		return false
	}
	have := scope.Lookup(name)
	return have == nil || p.redefined(have)
}

// redefined reports whether a variable of the literal's outermost scope is one whose definition goes, or is defined together
// with another one and may exist already.
func (p *goPlan) redefined(v types.Object) bool {
	for _, s := range p.g.Lit.Body.List {
		as, ok := s.(*ast.AssignStmt)
		if !ok || as.Tok != token.DEFINE {
			continue
		}
		for _, lhs := range as.Lhs {
			id, ok := lhs.(*ast.Ident)
			if !ok || p.g.Pkg.Info.Defs[id] != v {
				continue
			}
			if len(as.Lhs) > 1 {
				return flow.IsContext(v.Type())
			}
			for _, place := range p.inside {
				if p.definition(place.Expr) == as {
					return p.topLevel(as)
				}
			}
		}
	}
	return false
}

// captured lets a literal use the context of the function around it: its own parameters are dictated by what it is given to. What
// has to be asked for the context is asked before the goroutine starts when it may be gone, or be another one, later.
func (p *goPlan) captured() error {
	if p.in.Shadow {
		return block("edit", p.g.File, p.g.Node().Pos(), "the literal's parameters are dictated by what it is given to; derive its context with context.WithoutCancel in front of it")
	}
	if !p.in.Source.IsVar() && p.detach || p.in.Ahead {
		return p.hoist()
	}
	for _, place := range p.inside {
		if as := p.definition(place.Expr); as != nil && !p.detach && as.Lhs[0].(*ast.Ident).Name == p.in.Source.Text {
			p.replace(place.Expr, p.in.Source.Text)
			continue
		}
		p.spliceText(p.g.File, place.Expr.Pos(), place.Expr.End(), p.value())
	}
	return nil
}

// hoist asks for the context on a line before the goroutine starts.
func (p *goPlan) hoist() error {
	f := p.g.File
	stmt := p.statement()
	if stmt == nil {
		return block("edit", f, p.g.Node().Pos(), "there is no line in front of it where the context could be asked for")
	}
	at := p.offset(f, stmt.Pos())
	line := bytes.LastIndexByte(f.Src[:at], '\n') + 1
	indent := string(f.Src[line:at])
	if strings.TrimSpace(indent) != "" {
		return block("edit", f, p.g.Node().Pos(), "there is no line in front of it where the context could be asked for")
	}
	name := ""
	second := "detached"
	if !p.detach {
		second = "goCtx"
	}
	for _, try := range []string{"ctx", second, "jobCtx"} {
		if p.freeAround(try, stmt) {
			name = try
			break
		}
	}
	if name == "" {
		return block("name", f, stmt.Pos(), "no name is free for the context")
	}
	eol := "\n"
	if line > 1 && f.Src[line-2] == '\r' {
		eol = "\r\n"
	}
	p.spliceText(f, stmt.Pos(), stmt.Pos(), append(append(Text{Lit(name + " := ")}, p.value()...), Lit(eol+indent)))
	for _, place := range p.inside {
		p.replace(place.Expr, name)
	}
	return nil
}

// statement returns the statement of a block that holds the start of the goroutine.
func (p *goPlan) statement() ast.Stmt {
	var n ast.Node = p.g.Node()
	for n != nil {
		up := p.census.Parent(p.g.File, n)
		if s, ok := n.(ast.Stmt); ok {
			switch up.(type) {
			case *ast.BlockStmt, *ast.CaseClause:
				return s
			}
			return nil
		}
		n = up
	}
	return nil
}

// freeAround reports whether a new variable can have a name in front of a statement. What is defined under that name behind it,
// in the same block, would be the new variable, and change while the goroutine reads it.
func (p *goPlan) freeAround(name string, stmt ast.Stmt) bool {
	if obj := lookup(place{p.g.Pkg, stmt.Pos()}, name); obj != nil {
		return false
	}
	if scope := p.g.Pkg.Types.Scope().Innermost(stmt.Pos()); scope != nil && scope.Lookup(name) != nil {
		return false
	}
	var around ast.Node = stmt
	for n := around; n != nil; n = p.census.Parent(p.g.File, n) {
		if _, ok := n.(*ast.FuncDecl); ok {
			around = n
		}
	}
	free := true
	ast.Inspect(around, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && id.Name == name && id.Pos() < p.g.Lit.Pos() {
			if obj := p.g.Pkg.Info.ObjectOf(id); obj != nil && !isMember(obj) {
				free = false
			}
		}
		return free
	})
	return free
}
