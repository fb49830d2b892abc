package plan

import (
	"go/ast"
	"go/token"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ctxmend/ctxmend/rules/program"
)

// functionBehind returns the function declared on the line after another one, nil for none.
func (jp *joinPlan) functionBehind(f *program.File, decl *ast.FuncDecl) *ast.FuncDecl {
	i := slices.Index(f.AST.Decls, ast.Decl(decl))
	if i < 0 || i+1 == len(f.AST.Decls) {
		return nil
	}
	next, ok := f.AST.Decls[i+1].(*ast.FuncDecl)
	if !ok || next.Doc != nil || jp.line(decl.End())+1 != jp.line(next.Pos()) {
		return nil
	}
	return next
}

func (jp *joinPlan) line(pos token.Pos) int { return jp.prog.Fset.PositionFor(pos, false).Line }

// inOneLine reports whether a function has its body on the line of its signature, which gofmt aligns with those above and below.
func (jp *joinPlan) inOneLine(decl *ast.FuncDecl) bool {
	return decl.Body != nil && jp.line(decl.Pos()) == jp.line(decl.End())
}

// alignFunctions gives the functions in one line that stay the space before their bodies that gofmt gives them when their
// neighbours have gone or become longer.
func (jp *joinPlan) alignFunctions() error {
	files := map[*program.File]bool{}
	for _, s := range jp.places() {
		if files[s.File] || !s.File.World {
			continue
		}
		files[s.File] = true
		for _, d := range s.File.AST.Decls {
			if first, ok := d.(*ast.FuncDecl); ok && jp.inOneLine(first) {
				jp.alignFrom(s.File, first)
			}
		}
	}
	return nil
}

// alignFrom aligns the functions that stand in lines below each other, when a function is the first of them.
func (jp *joinPlan) alignFrom(f *program.File, first *ast.FuncDecl) {
	if i := slices.Index(f.AST.Decls, ast.Decl(first)); i > 0 {
		if before, ok := f.AST.Decls[i-1].(*ast.FuncDecl); ok && jp.inOneLine(before) && jp.functionBehind(f, before) == first {
			return
		}
	}
	var block, run []*ast.FuncDecl
	for d := first; d != nil && jp.inOneLine(d); d = jp.functionBehind(f, d) {
		block = append(block, d)
	}
	if !slices.ContainsFunc(block, func(d *ast.FuncDecl) bool { return jp.rewritten[d] }) || !jp.aligned(f, block) {
		return
	}
	for _, d := range block {
		switch {
		case !jp.rewritten[d]:
			run = append(run, d)
		case !jp.gone[d]:
			jp.align(f, run)
			run = nil
		}
	}
	jp.align(f, run)
}

// width counts the letters of a function's line before the space in front of its body.
func (jp *joinPlan) width(f *program.File, d *ast.FuncDecl) int {
	return utf8.RuneCountInString(jp.lineBefore(f, d.Type.End()))
}

// gap is the space between a function's signature and its body.
func (jp *joinPlan) gap(f *program.File, d *ast.FuncDecl) string {
	return string(f.Src[jp.offset(f, d.Type.End()):jp.offset(f, d.Body.Lbrace)])
}

// aligned reports whether functions have the space that gofmt gives them.
func (jp *joinPlan) aligned(f *program.File, list []*ast.FuncDecl) bool {
	widest := jp.widest(f, list)
	return !slices.ContainsFunc(list, func(d *ast.FuncDecl) bool {
		return jp.gap(f, d) != strings.Repeat(" ", widest-jp.width(f, d)+1)
	})
}

func (jp *joinPlan) widest(f *program.File, list []*ast.FuncDecl) int {
	widest := 0
	for _, d := range list {
		widest = max(widest, jp.width(f, d))
	}
	return widest
}

// align gives functions that stand below each other the space that gofmt gives them.
func (jp *joinPlan) align(f *program.File, list []*ast.FuncDecl) {
	widest := jp.widest(f, list)
	for _, d := range list {
		if want := strings.Repeat(" ", widest-jp.width(f, d)+1); jp.gap(f, d) != want {
			jp.splice(f, d.Type.End(), d.Body.Lbrace, Lit(want))
		}
	}
}
