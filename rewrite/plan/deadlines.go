package plan

import (
	"bytes"
	"go/ast"
	"go/token"
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// dropStatement removes an assignment; the stored value stays as _ = v when computing it may have effects.
func (p *dropPlan) dropStatement(lk *census.Lookup, as *ast.AssignStmt, valueStays bool) error {
	f := lk.File
	var keep ast.Expr
	if valueStays {
		keep = lk.Value
	}
	if err := p.lose(f, as, keep); err != nil {
		return err
	}
	if valueStays {
		p.splice(f, as.Pos(), as.End(), Lit("_ = "), Keep(p.offset(f, keep.Pos()), p.offset(f, keep.End())))
		return nil
	}
	return p.dropLines(f, as, true)
}

// replace puts a part of an expression in its place.
func (p *dropPlan) replace(f *program.File, whole, stays ast.Expr) error {
	if err := p.lose(f, whole, stays); err != nil {
		return err
	}
	p.splice(f, whole.Pos(), whole.End(), Keep(p.offset(f, stays.Pos()), p.offset(f, stays.End())))
	return nil
}

// lose notes that code goes, unless a comment would go with it.
func (p *dropPlan) lose(f *program.File, n ast.Node, keep ast.Expr) error {
	from, to := p.offset(f, n.Pos()), p.offset(f, n.End())
	lost := p.commentIn(f, from, to)
	if keep != nil {
		lost = p.commentIn(f, from, p.offset(f, keep.Pos())) || p.commentIn(f, p.offset(f, keep.End()), to)
	}
	if lost {
		return block("comment", f, n.Pos(), "a comment inside would be lost; move it")
	}
	p.lost = append(p.lost, lostRange{f, n.Pos(), n.End(), keep})
	return nil
}

// insertBefore puts _ = value on a line of its own before a statement.
func (p *dropPlan) insertBefore(f *program.File, stmt ast.Stmt, value ast.Expr) error {
	at := p.offset(f, stmt.Pos())
	line := bytes.LastIndexByte(f.Src[:at], '\n') + 1
	indent := string(f.Src[line:at])
	if strings.TrimSpace(indent) != "" {
		return block("effects", f, value.Pos(), "the stored value is computed in the middle of a line, and computing it may have effects; compute it on a line of its own")
	}
	eol := "\n"
	if line > 1 && f.Src[line-2] == '\r' {
		eol = "\r\n"
	}
	text := string(f.Src[p.offset(f, value.Pos()):p.offset(f, value.End())])
	p.splice(f, stmt.Pos(), stmt.Pos(), Lit("_ = "+text+eol+indent))
	p.kept = append(p.kept, lostRange{f, value.Pos(), value.End(), nil})
	return nil
}

// dropLines removes a node that has its lines for itself, with the comment at their end and, when withLead is set,
// a comment above that speaks of nothing else. Of two blank lines that meet one goes as well.
func (p *dropPlan) dropLines(f *program.File, n ast.Node, withLead bool) error {
	src := f.Src
	from, to := p.offset(f, n.Pos()), p.offset(f, n.End())
	if to < len(src) && src[to] == ';' {
		to++
	}
	for _, g := range f.AST.Comments {
		if at := p.offset(f, g.Pos()); at >= to && !bytes.ContainsRune(src[to:at], '\n') {
			if end := p.offset(f, g.End()); len(bytes.TrimSpace(src[to:at])) == 0 {
				to = end
			}
		}
	}
	start := bytes.LastIndexByte(src[:from], '\n') + 1
	end := lineEnd(src, to)
	if len(bytes.TrimSpace(src[start:from])) > 0 || len(bytes.TrimSpace(src[to:end])) > 0 {
		return block("edit", f, n.Pos(), "the line holds something else as well")
	}
	if withLead && endsHere(src, end) {
		for _, g := range f.AST.Comments {
			if p.offset(f, g.End()) <= start && lineEnd(src, p.offset(f, g.End())) == start {
				if at := bytes.LastIndexByte(src[:p.offset(f, g.Pos())], '\n') + 1; len(bytes.TrimSpace(src[at:p.offset(f, g.Pos())])) == 0 {
					start = at
				}
			}
		}
	}
	switch blankAfter := end < len(src) && len(bytes.TrimSpace(src[end:lineEnd(src, end)])) == 0; {
	case blankAfter && opensOrBlank(src, start):
		end = lineEnd(src, end)
	case !blankAfter && closes(src, end) && start > 0:
		if before := bytes.LastIndexByte(src[:start-1], '\n') + 1; len(bytes.TrimSpace(src[before:start])) == 0 {
			start = before
		}
	}
	p.unit.Edits = append(p.unit.Edits, &Splice{File: f, Start: start, End: end})
	return nil
}

// lineEnd returns the offset after the line that holds the byte at off.
func lineEnd(src []byte, off int) int {
	if i := bytes.IndexByte(src[off:], '\n'); i >= 0 {
		return off + i + 1
	}
	return len(src)
}

// endsHere reports whether a run of statements ends at a line start: a blank line, a comment, a closing brace.
func endsHere(src []byte, at int) bool {
	line := strings.TrimSpace(string(src[at:lineEnd(src, at)]))
	return line == "" || strings.HasPrefix(line, "//") || closes(src, at)
}

// closes reports whether the line that starts at an offset closes a block or opens the next clause.
func closes(src []byte, at int) bool {
	line := strings.TrimSpace(string(src[at:lineEnd(src, at)]))
	return strings.HasPrefix(line, "}") || strings.HasPrefix(line, ")") || strings.HasPrefix(line, "case ") || strings.HasPrefix(line, "default:")
}

// opensOrBlank reports whether the line before an offset is blank or opens a block.
func opensOrBlank(src []byte, at int) bool {
	if at == 0 {
		return true
	}
	line := strings.TrimSpace(string(src[bytes.LastIndexByte(src[:at-1], '\n')+1 : at]))
	return line == "" || strings.HasSuffix(line, "{") || strings.HasSuffix(line, "(") || strings.HasSuffix(line, ":")
}

// goes reports whether the code at a position is removed.
func (p *dropPlan) goes(f *program.File, pos token.Pos) bool {
	for _, k := range p.kept {
		if k.file == f && k.holds(pos) {
			return false
		}
	}
	for _, r := range p.lost {
		if r.file == f && r.holds(pos) {
			return true
		}
	}
	return false
}

// unusedLocals blocks the unit when a local variable would be left without use, which does not compile.
func (p *dropPlan) unusedLocals() error {
	for _, n := range p.names {
		v, ok := n.Pkg.Info.Uses[n.Ident].(*types.Var)
		if !ok || v.IsField() || v.Parent() == nil || v.Parent() == n.Pkg.Types.Scope() || !p.goes(n.File, n.Ident.Pos()) {
			continue
		}
		if p.localLeft(v) {
			return block("unused", n.File, v.Pos(), "variable %s would be left without use; remove it with what computes it", v.Name())
		}
	}
	return nil
}

// localLeft reports whether a local variable stays declared and loses its last use.
func (p *dropPlan) localLeft(v *types.Var) bool {
	for _, u := range p.census.Uses(v) {
		if u.Pkg.Info.Defs[u.Ident] != nil {
			if _, param := p.census.Parent(u.File, u.Ident).(*ast.Field); param || p.goes(u.File, u.Ident.Pos()) {
				return false
			}
			continue
		}
		if p.goes(u.File, u.Ident.Pos()) {
			continue
		}
		as, ok := p.census.Parent(u.File, u.Ident).(*ast.AssignStmt)
		if !ok || !assigns(as, u.Ident) {
			return false
		}
	}
	return true
}

func assigns(as *ast.AssignStmt, id *ast.Ident) bool {
	for _, lhs := range as.Lhs {
		if lhs == ast.Expr(id) {
			return true
		}
	}
	return false
}

// dropDecls removes the declarations of the key, and then of its type, that nothing else uses.
func (p *dropPlan) dropDecls() {
	var typeNames []*types.TypeName
	done := map[types.Object]bool{}
	for _, n := range p.names {
		obj := n.Pkg.Info.Uses[n.Ident]
		if obj == nil || done[obj] || obj.Exported() || obj.Pkg() == nil || !p.goes(n.File, n.Ident.Pos()) {
			continue
		}
		done[obj] = true
		switch obj := obj.(type) {
		case *types.TypeName:
			typeNames = append(typeNames, obj)
		case *types.Const, *types.Var:
			if tn := p.dropValue(obj); tn != nil && !done[tn] {
				done[tn] = true
				typeNames = append(typeNames, tn)
			}
		}
	}
	for _, tn := range typeNames {
		p.dropType(tn)
	}
}

// dropValue removes an unused constant or package-level variable and returns the type it has, or points to.
func (p *dropPlan) dropValue(obj types.Object) *types.TypeName {
	if v, ok := obj.(*types.Var); ok && (v.IsField() || v.Parent() != v.Pkg().Scope()) {
		return nil
	}
	for _, u := range p.census.Uses(obj) {
		if u.Pkg.Info.Defs[u.Ident] == nil && !p.goes(u.File, u.Ident.Pos()) {
			return nil
		}
	}
	d := p.declOf(obj)
	if d == nil || d.spec == nil || uneditable(d.file) != "" || p.census.MentionedUnchecked(obj) {
		return nil
	}
	pkg := p.pkgOf(d.file)
	if _, isConst := obj.(*types.Const); isConst {
		head, chain := repetition(d)
		for _, v := range head.Values {
			if len(chain) > 1 || mentionsIota(pkg, v) {
				return nil // its place in the list gives others their value
			}
		}
	}
	for _, v := range d.spec.Values {
		if effects(pkg, v) {
			return nil
		}
	}
	p.unit.Edits = append(p.unit.Edits, &RemoveSpec{File: d.file, Decl: d.decl, Spec: d.spec, Name: d.name})
	if len(d.spec.Names) == 1 {
		p.lost = append(p.lost, lostRange{d.file, d.spec.Pos(), d.spec.End(), nil})
	}
	if named, ok := types.Unalias(derefType(obj.Type())).(*types.Named); ok && !named.Obj().Exported() && p.packageOf(named.Obj()) != nil {
		return named.Obj()
	}
	return nil
}

func derefType(t types.Type) types.Type {
	if ptr, ok := types.Unalias(t).(*types.Pointer); ok {
		return ptr.Elem()
	}
	return t
}

// dropType removes an unused type without methods.
func (p *dropPlan) dropType(tn *types.TypeName) {
	named, ok := tn.Type().(*types.Named)
	f := p.prog.FileOf(tn.Pos())
	if !ok || named.NumMethods() > 0 || f == nil || !f.World || uneditable(f) != "" || p.census.MentionedUnchecked(tn) {
		return
	}
	for _, u := range p.census.TypeUses(tn) {
		if !p.goes(u.File, u.Ident.Pos()) {
			return
		}
	}
	decl, spec := typeSpec(f, tn)
	if spec == nil {
		return
	}
	if len(decl.Specs) == 1 {
		p.dropDecl(f, decl, decl.Doc)
	} else {
		p.dropDecl(f, spec, spec.Doc)
	}
}

// dropDecl removes a declaration with its documentation, unless its lines hold other code.
func (p *dropPlan) dropDecl(f *program.File, n ast.Node, doc *ast.CommentGroup) {
	from := n.Pos()
	if doc != nil {
		from = doc.Pos()
	}
	if p.dropLines(f, lines{from, n.End()}, false) == nil {
		p.lost = append(p.lost, lostRange{f, from, n.End(), nil})
	}
}

// lines is a range as a node.
type lines struct{ from, to token.Pos }

func (l lines) Pos() token.Pos { return l.from }
func (l lines) End() token.Pos { return l.to }

// typeSpec finds the declaration of a type at package level.
func typeSpec(f *program.File, tn *types.TypeName) (*ast.GenDecl, *ast.TypeSpec) {
	for _, d := range f.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok || g.Tok != token.TYPE {
			continue
		}
		for _, s := range g.Specs {
			if ts, ok := s.(*ast.TypeSpec); ok && ts.Name.Pos() == tn.Pos() {
				return g, ts
			}
		}
	}
	return nil, nil
}
