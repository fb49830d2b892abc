package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"slices"

	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

// write plans the edits.
func (sp *sigPlan) write() error {
	for _, p := range sp.order {
		if err := sp.writeParam(p); err != nil {
			return err
		}
		if p.twin != "" {
			if err := sp.writeTwin(p); err != nil {
				return err
			}
		} else if err := sp.writeMentions(p); err != nil {
			return err
		}
		if err := sp.writeUses(p); err != nil {
			return err
		}
	}
	for _, p := range sp.namedInOrder() {
		sp.nameParam(p)
	}
	for _, p := range sp.passes {
		sp.writePass(p)
	}
	return nil
}

func (sp *sigPlan) namedInOrder() []*newParam {
	var list []*newParam
	for _, p := range sp.named {
		if sp.changed[p.f] == nil {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b *newParam) int { return int(a.reused.Pos()) - int(b.reused.Pos()) })
	return list
}

// paramType writes the parameter's type in a file.
func (sp *sigPlan) paramType(f *callgraph.Func) (Text, error) {
	if sp.isContext() {
		return Text{Name("context", "context", "Context")}, nil
	}
	tw := &typeWriter{draft: sp.draft, home: &home{path: f.Pkg.Path, name: f.Pkg.Name, dir: f.Pkg.Dir, pkg: f.Pkg, xtest: f.Pkg.XTest}}
	text, ok := tw.typeText(sp.in.Param.Type)
	if !ok {
		return nil, block("placement", f.File, f.Pos(), "the type %s cannot be written here", sp.typeName())
	}
	return text, nil
}

// writeParam adds the parameter to a function type, or names the one that is there.
func (sp *sigPlan) writeParam(p *newParam) error {
	if p.reused != nil {
		if p.name != "_" {
			sp.nameParam(p)
		}
		return nil
	}
	list, f := p.f.Type.Params, p.f.File
	typ, err := sp.paramType(p.f)
	if err != nil {
		return err
	}
	bare := len(list.List) > 0 && len(list.List[0].Names) == 0
	if len(list.List) == 0 && p.f.Body() == nil {
		bare = !sp.namedSiblings(p.f)
	}
	param := typ
	switch {
	case bare && p.name == "_":
	case bare:
		sp.insertParam(p.f, append(Text{Lit(p.name + " ")}, typ...))
		for _, field := range list.List {
			sp.splice(f, field.Pos(), field.Pos(), Lit("_ "))
		}
		return nil
	case p.f.Body() == nil:
		param = append(Text{Lit(sp.shownName(p.f) + " ")}, typ...)
	default:
		param = append(Text{Lit(p.name + " ")}, typ...)
	}
	sp.insertParam(p.f, param)
	return nil
}

// namedSiblings reports whether a method of an interface without parameters stands among methods whose parameters have names,
// or none do have parameters.
func (sp *sigPlan) namedSiblings(f *callgraph.Func) bool {
	if f.Kind != callgraph.Abstract {
		return false
	}
	list, ok := sp.census.Parent(f.File, f.Field).(*ast.FieldList)
	if !ok {
		return true
	}
	for _, m := range list.List {
		if ft, ok := m.Type.(*ast.FuncType); ok && len(ft.Params.List) > 0 {
			return len(ft.Params.List[0].Names) > 0
		}
	}
	return true
}

// insertParam puts a parameter into its place in the list.
func (sp *sigPlan) insertParam(f *callgraph.Func, param Text) {
	list := f.Type.Params
	index := sp.index(f)
	if n := list.NumFields(); n > 0 && index >= n {
		if _, variadic := list.List[len(list.List)-1].Type.(*ast.Ellipsis); variadic {
			index = n - 1
		}
	}
	var starts, ends []token.Pos
	for _, field := range list.List {
		if len(field.Names) == 0 {
			starts, ends = append(starts, field.Pos()), append(ends, field.End())
		}
		for i, id := range field.Names {
			if index > 0 && len(starts) == index && i > 0 {
				sp.splitGroup(f.File, field, i, param)
				return
			}
			starts, ends = append(starts, id.Pos()), append(ends, id.End())
		}
		ends[len(ends)-1] = field.End()
	}
	sp.insertItem(f.File, list.Opening, list.Closing, starts, ends, index, param)
}

// splitGroup inserts a parameter between two that share their type: a, b int becomes a int, x T, b int.
func (sp *sigPlan) splitGroup(f *program.File, field *ast.Field, i int, param Text) {
	at := field.Names[i-1].End()
	text := Text{Lit(" "), Lit(string(f.Src[sp.offset(f, field.Type.Pos()):sp.offset(f, field.Type.End())])), Lit(", ")}
	sp.spliceText(f, at, at, append(text, param...))
}

// insertItem inserts one item into a list in parentheses, on a line of its own where the items stand so.
func (sp *sigPlan) insertItem(f *program.File, opening, closing token.Pos, starts, ends []token.Pos, index int, item Text) {
	line := func(pos token.Pos) int { return f.Tok.PositionFor(pos, false).Line }
	switch {
	case len(starts) == 0:
		sp.spliceText(f, opening+1, opening+1, item)
	case index == 0 && line(starts[0]) > line(opening):
		at := lineEnd(f.Src, sp.offset(f, opening))
		indent := indentAt(f.Src, at)
		pos := f.Tok.Pos(at + len(indent))
		sp.spliceText(f, pos, pos, append(slices.Clone(item), Lit(",\n"+indent)))
	case index == 0:
		at := opening + 1
		if len(bytes.TrimSpace(f.Src[sp.offset(f, at):sp.offset(f, starts[0])])) == 0 {
			at = starts[0] // no comment between
		}
		sp.spliceText(f, at, at, append(slices.Clone(item), Lit(", ")))
	case index < len(starts):
		pos, sep := starts[index], ", "
		if line(starts[index]) > line(ends[index-1]) {
			sep = ",\n" + indentAt(f.Src, bytes.LastIndexByte(f.Src[:sp.offset(f, pos)], '\n')+1)
		}
		sp.spliceText(f, pos, pos, append(slices.Clone(item), Lit(sep)))
	default:
		last := len(ends) - 1
		sep := ", "
		if line(starts[last]) > line(opening) && (last == 0 || line(starts[last]) > line(ends[last-1])) {
			sep = ",\n" + indentAt(f.Src, bytes.LastIndexByte(f.Src[:sp.offset(f, starts[last])], '\n')+1)
		}
		sp.spliceText(f, ends[last], ends[last], append(Text{Lit(sep)}, item...))
	}
}

// indentAt returns the white space that a line starts with.
func indentAt(src []byte, at int) string {
	end := at
	for end < len(src) && (src[end] == ' ' || src[end] == '\t') {
		end++
	}
	return string(src[at:end])
}

// nameParam gives a parameter without a name its name.
func (sp *sigPlan) nameParam(p *newParam) {
	f := p.f.File
	if len(p.reused.Names) == 1 {
		sp.splice(f, p.reused.Names[0].Pos(), p.reused.Names[0].End(), Lit(p.name))
		return
	}
	for _, field := range p.f.Type.Params.List {
		name := "_ "
		if field == p.reused {
			name = p.name + " "
		}
		sp.splice(f, field.Pos(), field.Pos(), Lit(name))
	}
}

// writeUses puts the parameter in the place of the expressions that made the value.
func (sp *sigPlan) writeUses(p *newParam) error {
	gone := map[ast.Stmt]bool{}
	for _, a := range p.locals {
		if !a.drop {
			at := a.define.TokPos
			sp.splice(p.f.File, at, at+2, Lit("="))
			continue
		}
		if err := sp.dropDefine(p.f.File, a.define); err != nil {
			return err
		}
		gone[a.define] = true
	}
	for _, as := range sp.shadowed(p) {
		if !gone[as] {
			if err := sp.dropDefine(p.f.File, as); err != nil {
				return err
			}
			gone[as] = true
		}
	}
	if p.target == nil {
		return nil
	}
	for _, e := range p.target.Uses {
		if as, ok := sp.census.Parent(p.f.File, e).(*ast.AssignStmt); ok && gone[as] {
			continue
		}
		if sp.commentIn(p.f.File, sp.offset(p.f.File, e.Pos()), sp.offset(p.f.File, e.End())) {
			return block("comment", p.f.File, e.Pos(), "a comment here would be lost; move it")
		}
		sp.splice(p.f.File, e.Pos(), e.End(), Lit(p.name))
	}
	return nil
}

// dropDefine removes a statement, with its line where it has one for itself.
func (sp *sigPlan) dropDefine(f *program.File, as *ast.AssignStmt) error {
	switch sp.census.Parent(f, as).(type) {
	case *ast.BlockStmt, *ast.CaseClause, *ast.CommClause:
	default:
		return block("edit", f, as.Pos(), "the parameter is declared again as part of a statement")
	}
	if sp.commentIn(f, sp.offset(f, as.Pos()), sp.offset(f, as.End())) {
		return block("comment", f, as.Pos(), "a comment here would be lost; move it")
	}
	return sp.dropOwn(f, as)
}

// writePass passes the parameter at a call.
func (sp *sigPlan) writePass(p *pass) {
	call := p.call.Expr
	f := p.call.File
	if p.to.twin != "" {
		id := calledName(call)
		sp.splice(f, id.Pos(), id.End(), Lit(p.to.twin))
	}
	var starts, ends []token.Pos
	for _, a := range call.Args {
		starts, ends = append(starts, a.Pos()), append(ends, a.End())
	}
	index := sp.index(p.to.f)
	if p.call.ByMethod {
		index++
	}
	if sig := p.to.f.Signature; sig != nil && sig.Variadic() && index > sig.Params().Len()-1 {
		index = sig.Params().Len() - 1
	}
	sp.insertItem(f, call.Lparen, call.Rparen, starts, ends, index, sp.argument(p))
}

// calledName returns the identifier that names what a call calls.
func calledName(call *ast.CallExpr) *ast.Ident {
	e := ast.Unparen(call.Fun)
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			return x.Sel
		case *ast.IndexExpr:
			e = ast.Unparen(x.X)
		case *ast.IndexListExpr:
			e = ast.Unparen(x.X)
		default:
			panic("plan: a declared function is called without its name")
		}
	}
}

// argument is what a call passes.
func (sp *sigPlan) argument(p *pass) Text {
	var text Text
	switch {
	case sp.given[p.call] != nil:
		return sp.given[p.call]
	case p.from != nil:
		text = Text{Lit(p.from.name)}
	case p.source != nil:
		text = Text{Lit(p.source.Text)}
	case !sp.isContext():
		f, e := sp.in.Param.Value(p.call)
		return Text{Lit(string(f.Src[f.Tok.Offset(e.Pos()):f.Tok.Offset(e.End())]))}
	default:
		return sp.born(p.to, p.call.File)
	}
	if p.detached && sp.isContext() && (p.source == nil || flowLive(p.source)) {
		if !sp.in.Supply.Flow.AtLeast(p.call.File, "go1.21") {
			return sp.born(p.to, p.call.File)
		}
		return append(append(Text{Name("context", "context", "WithoutCancel"), Lit("(")}, text...), Lit(")"))
	}
	return text
}

func flowLive(s *flow.Source) bool { return !s.Born }
