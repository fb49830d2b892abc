package flow

import (
	"go/ast"
	"go/token"
	"go/types"
	"iter"
	"regexp"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A Birth is a call of context.Background or context.TODO in the world, or of a function there that does nothing else.
type Birth struct {
	Pkg  *program.Package
	File *program.File
	Call *ast.CallExpr
}

// Births returns the places of the world where a context is made from nothing, each once, in files that are
// neither generated nor vendored.
func (f *Flow) Births() []*Birth {
	f.births.Do(func() {
		f.EachCall(func(pkg *program.Package, file *program.File, call *ast.CallExpr) {
			if f.Fresh(pkg, call) {
				f.birthList = append(f.birthList, &Birth{pkg, file, call})
			}
		})
	})
	return f.birthList
}

// Fresh reports whether an expression makes a context from nothing: it calls context.Background, context.TODO, or a function of
// the world whose body only returns what they give.
func (f *Flow) Fresh(pkg *program.Package, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok || len(call.Args) > 0 {
		return false
	}
	fn := census.Callee(pkg.Info, call)
	return fn != nil && (makesContext(fn) || f.wrapsBirth(fn))
}

// Born is the name of the function of package context that an expression calls, Background for those that do so by a function
// of the world.
func Born(pkg *program.Package, call *ast.CallExpr) string {
	if fn := census.Callee(pkg.Info, call); fn != nil && makesContext(fn) {
		return fn.Name()
	}
	return "Background"
}

// BornBy writes the function that makes a context from nothing as messages do, whatever its package is called where it is used.
func BornBy(pkg *program.Package, call *ast.CallExpr) string {
	if fn := census.Callee(pkg.Info, call); fn != nil && makesContext(fn) {
		return "context." + fn.Name()
	}
	return Callee(call)
}

// makesContext reports whether a function is context.Background or context.TODO.
func makesContext(fn *types.Func) bool {
	return fn.Pkg() != nil && fn.Pkg().Path() == "context" && (fn.Name() == "Background" || fn.Name() == "TODO")
}

// wrapsBirth reports whether a function of the world does nothing but return a context made from nothing. A method by which
// others ask for a context is none, nor is a function whose comment explains why.
func (f *Flow) wrapsBirth(fn *types.Func) bool {
	fn = fn.Origin()
	if wraps, ok := f.wrapping[fn]; ok {
		return wraps
	}
	f.wrapping[fn] = false // while it is being looked at
	sig := fn.Signature()
	if !niladic(sig) || !IsContext(sig.Results().At(0).Type()) || sig.Recv() != nil && Carries(sig.Recv().Type()) {
		return false
	}
	b := f.body(fn)
	if b == nil || len(b.decl.Body.List) != 1 || explains(b.decl.Doc.Text()) {
		return false
	}
	ret, ok := b.decl.Body.List[0].(*ast.ReturnStmt)
	f.wrapping[fn] = ok && len(ret.Results) == 1 && f.Fresh(b.pkg, ret.Results[0]) && !f.OnPurpose(b.file, ret.Pos())
	return f.wrapping[fn]
}

// EachCall visits the calls in the world's files that people write, each once, in the order of the source.
func (f *Flow) EachCall(visit func(*program.Package, *program.File, *ast.CallExpr)) {
	f.readCalls()
	for _, c := range f.callList {
		visit(c.pkg, c.file, c.call)
	}
}

// readCalls lists the calls that [Flow.EachCall] visits, and the go statements among them.
func (f *Flow) readCalls() {
	f.calls.Do(func() {
		f.goes = map[*ast.CallExpr]*ast.GoStmt{}
		f.EachFile(func(pkg *program.Package, file *program.File) {
			ast.Inspect(file.AST, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					f.goes[n.Call] = n
				case *ast.CallExpr:
					f.callList = append(f.callList, callAt{pkg, file, n})
				}
				return true
			})
		})
	})
}

// goStmt returns the go statement that a call belongs to, if any.
func (f *Flow) goStmt(file *program.File, call *ast.CallExpr) *ast.GoStmt {
	if f.Package(file) == nil || !written(file) {
		stmt, _ := f.census.Parent(file, call).(*ast.GoStmt)
		return stmt
	}
	f.readCalls() // asking what encloses each call of a large program takes much memory
	return f.goes[call]
}

// A callAt is a call with where it stands.
type callAt struct {
	pkg  *program.Package
	file *program.File
	call *ast.CallExpr
}

// EachFile visits the world's files that people write, each once, with the package of the first configuration that
// contains it.
func (f *Flow) EachFile(visit func(*program.Package, *program.File)) {
	for _, file := range f.prog.Files {
		if pkg := f.Package(file); pkg != nil && written(file) {
			visit(pkg, file)
		}
	}
}

// written reports whether people of this world write a file.
func written(file *program.File) bool {
	return file.AST != nil && !file.Generated && !file.Vendored
}

// Comment returns the text of the comments that stand on the line of a position, or directly above it.
func (f *Flow) Comment(file *program.File, pos token.Pos) string {
	line := file.Tok.PositionFor(pos, false).Line
	var b strings.Builder
	for _, g := range file.AST.Comments {
		first, last := file.Tok.PositionFor(g.Pos(), false).Line, file.Tok.PositionFor(g.End(), false).Line
		if last == line-1 || first <= line && line <= last {
			for _, c := range g.List {
				if !strings.HasPrefix(c.Text, "//ctxmend:") { // which says so by itself
					b.WriteString(c.Text) // directives as well: nolint
					b.WriteByte('\n')
				}
			}
		}
	}
	return b.String()
}

// nolint matches a directive of golangci-lint and the names of the linters that it silences; without names, all.
var nolint = regexp.MustCompile(`^//\s?nolint(?::([\w-]+(?:,[\w-]+)*))?(?:\s|//|$)`)

// Waived reports whether a //nolint directive on the line of a position silences one of these linters.
func (f *Flow) Waived(file *program.File, pos token.Pos, linters ...string) bool {
	line := file.Tok.PositionFor(pos, false).Line
	for _, g := range file.AST.Comments {
		for _, c := range g.List {
			if file.Tok.PositionFor(c.Pos(), false).Line != line {
				continue
			}
			m := nolint.FindStringSubmatch(c.Text)
			if m == nil {
				continue
			}
			for name := range strings.SplitSeq(m[1], ",") {
				if name == "" || name == "all" || slices.Contains(linters, name) {
					return true
				}
			}
		}
	}
	return false
}

// OnPurpose reports whether a comment at a place, or above the statement that goes on to there, explains why the context there is another
// one: whoever wrote it has thought about it. What is left to do is no explanation. That of the function counts as well.
func (f *Flow) OnPurpose(file *program.File, pos token.Pos) bool {
	path := Path(file, pos)
	text := f.Comment(file, pos)
	if start := statementStart(path, pos); start != pos {
		text += f.Comment(file, start)
	}
	text = strings.ToLower(text)
	for _, todo := range []string{"todo", "fixme", "xxx"} {
		if strings.Contains(text, todo) {
			return false
		}
	}
	return strings.Contains(text, "context") || strings.Contains(text, "ctx") || strings.Contains(text, "background") || explains(text) || documented(path)
}

// statementStart returns where the statement begins that a place is an operand or an argument of; pos itself when it is an element of a
// literal, of a table for one, since a comment above that is about all of them.
func statementStart(path []ast.Node, pos token.Pos) token.Pos {
	for _, n := range path {
		switch n := n.(type) {
		case *ast.CompositeLit, *ast.FuncLit, *ast.BlockStmt:
			return pos
		case ast.Stmt:
			return n.Pos()
		}
	}
	return pos
}

// detached matches what the comment of a function says of a context that has nothing to do with its caller's.
var detached = regexp.MustCompile(`detach|outliv|decoupl|independent|regardless|` +
	`\b(?:background|fresh|own|separate) (?:context|ctx)\b|\balready (?:be |been )?cancell?ed|\b(?:even|also) (?:if|when|after)\b.*\bcancell?ed`)

// documented reports whether the comment of the function around a place says that it makes a context from nothing, or one that does
// not end with its caller's, and so that this is known to whoever calls it. Other words about contexts are no sign: most such comments are about
// those that the function is given.
func documented(path []ast.Node) bool {
	for _, n := range path {
		d, ok := n.(*ast.FuncDecl)
		if !ok {
			continue
		}
		text := strings.ToLower(d.Doc.Text())
		if strings.Contains(text, "context.background") {
			return true
		}
		for sentence := range sentences(text) {
			if (strings.Contains(sentence, "context") || strings.Contains(sentence, "ctx")) && detached.MatchString(sentence) {
				return true
			}
		}
	}
	return false
}

// sentences yields the sentences of a comment, each as one line.
func sentences(text string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for paragraph := range strings.SplitSeq(text, "\n\n") {
			for s := range strings.SplitSeq(strings.Join(strings.Fields(paragraph), " "), ". ") {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// explains reports whether a comment tells why a context has no end, or another one.
func explains(text string) bool {
	text = strings.ToLower(text)
	for _, word := range []string{"cancel", "detach", "timeout", "deadline", "outlive", "nolint"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// Callee writes what a call calls as messages do: Find, db.Query, s.store.Load.
func Callee(call *ast.CallExpr) string {
	fun := ast.Unparen(call.Fun)
	switch e := fun.(type) {
	case *ast.IndexExpr:
		fun = e.X
	case *ast.IndexListExpr:
		fun = e.X
	case *ast.FuncLit:
		return "the function"
	}
	if text := types.ExprString(fun); len(text) <= 40 && !strings.Contains(text, "\n") {
		return text
	}
	if sel, ok := fun.(*ast.SelectorExpr); ok {
		return sel.Sel.Name
	}
	return "the call"
}

// CleansUp reports whether a call ends or takes back something: that must happen also when the caller has given up. No type
// tells these from others.
func CleansUp(call *ast.CallExpr) bool {
	callee := Callee(call)
	callee = strings.ToLower(callee[strings.LastIndexByte(callee, '.')+1:])
	for _, verb := range []string{"rollback", "unlock", "release", "shutdown", "close", "stop", "disconnect", "cleanup", "teardown", "flush", "abort", "revoke", "terminate", "deregister", "unregister", "unsubscribe", "unmount", "umount", "undo", "nack", "logout"} {
		if strings.HasPrefix(callee, verb) {
			return true
		}
	}
	return false
}
