package storedctx

import (
	"cmp"
	_ "embed"
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "storedctx"

// Rule reports contexts that are kept where they outlive the call they belong to.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: alone, Default: true, Levels: []rules.Applicability{rules.Manual}, Run: run}

// alone reports whether nobody outside of the package can use what holds the context.
func alone(_ *rules.Pass, f *rules.Finding) bool {
	name := string(f.File.Src[f.File.Tok.Offset(f.Pos):f.File.Tok.Offset(f.End)])
	return token.IsIdentifier(name) && !token.IsExported(name)
}

func run(pass *rules.Pass) []*rules.Finding {
	f := &finder{census: pass.Census, seen: map[token.Pos]bool{}}
	for _, cfg := range pass.Program.Configs {
		f.cfg = cfg
		for _, pkg := range cfg.Packages {
			if !pkg.World || pkg.Info == nil {
				continue
			}
			for _, file := range pkg.Files {
				if file.AST != nil && !file.Test && !file.Generated && !file.Vendored {
					f.file(pkg, file)
				}
			}
		}
	}
	return f.list
}

// A finder looks for kept contexts in one program.
type finder struct {
	census *census.Census
	cfg    *program.Config
	seen   map[token.Pos]bool
	list   []*rules.Finding
}

func (f *finder) file(pkg *program.Package, file *program.File) {
	for _, d := range file.AST.Decls {
		g, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range g.Specs {
			switch s := s.(type) {
			case *ast.TypeSpec:
				if st, ok := s.Type.(*ast.StructType); ok {
					f.structType(pkg, file, g, s, st)
				}
			case *ast.ValueSpec:
				if g.Tok == token.VAR {
					f.variable(pkg, file, s)
				}
			}
		}
	}
	ast.Inspect(file.AST, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			f.mapLiteral(pkg, file, n)
		case *ast.AssignStmt:
			f.mapElement(pkg, file, n)
		}
		return true
	})
}

func (f *finder) report(file *program.File, at ast.Node, related []rules.Related, format string, args ...any) {
	if f.seen[at.Pos()] {
		return
	}
	f.seen[at.Pos()] = true
	f.list = append(f.list, &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf(format, args...),
		File:          file,
		Pos:           at.Pos(),
		End:           at.End(),
		Applicability: rules.Manual,
		Status:        rules.NoFix,
		Related:       related,
	})
}

// isContext reports whether t is context.Context.
func isContext(t types.Type) bool {
	if t == nil {
		return false
	}
	named, ok := types.Unalias(t).(*types.Named)
	return ok && named.Obj().Name() == "Context" && named.Obj().Pkg() != nil && named.Obj().Pkg().Path() == "context"
}

// variable reports a package variable that holds a context, unless it is one that the package derives
// together with its cancel function: the life of the program, for example.
func (f *finder) variable(pkg *program.Package, file *program.File, spec *ast.ValueSpec) {
	for i, id := range spec.Names {
		v, ok := pkg.Info.Defs[id].(*types.Var)
		if !ok || id.Name == "_" || !isContext(v.Type()) {
			continue
		}
		if len(spec.Values) == 1 && len(spec.Names) > 1 || f.derivedSomewhere(v) {
			continue
		}
		what := "whoever uses it can be neither cancelled nor told apart"
		if i < len(spec.Values) && fresh(pkg, spec.Values[i]) {
			what = "what uses it cannot be cancelled by anybody"
		}
		var uses []rules.Related
		for _, u := range f.census.Uses(v) {
			if u.Pkg.Info.Defs[u.Ident] == nil && len(uses) < maxRelated && u.Pkg.World && !u.File.Test {
				uses = append(uses, rules.Related{File: u.File, Pos: u.Ident.Pos(), Message: "used here"})
			}
		}
		if len(uses) > 0 {
			f.report(file, id, uses, "package variable %s holds a context: %s; take a ctx parameter where it is used", id.Name, what)
		}
	}
}

// maxRelated bounds the places listed with one finding.
const maxRelated = 20

// derivedSomewhere reports whether a variable is assigned a context that was derived with a cancel function, or is
// handed on by address.
func (f *finder) derivedSomewhere(v *types.Var) bool {
	return slices.ContainsFunc(f.census.Uses(v), func(u census.Use) bool {
		parent, child := f.census.Outer(u.File, f.census.NameExpr(u.File, u.Ident))
		switch p := parent.(type) {
		case *ast.AssignStmt:
			return slices.ContainsFunc(p.Lhs, func(e ast.Expr) bool { return ast.Node(e) == child }) && len(p.Rhs) == 1 && len(p.Lhs) > 1
		case *ast.UnaryExpr:
			return p.Op == token.AND
		}
		return false
	})
}

// fresh reports whether an expression calls context.Background or context.TODO.
func fresh(pkg *program.Package, e ast.Expr) bool {
	call, ok := ast.Unparen(e).(*ast.CallExpr)
	if !ok {
		return false
	}
	fn := census.Callee(pkg.Info, call)
	return fn != nil && fn.Pkg() != nil && fn.Pkg().Path() == "context" && (fn.Name() == "Background" || fn.Name() == "TODO")
}

const inMap = "whoever takes it out cannot be sure to find it, nor that it is still alive; pass it as a parameter"

// mapLiteral reports contexts among the values of a map of any.
func (f *finder) mapLiteral(pkg *program.Package, file *program.File, lit *ast.CompositeLit) {
	if !anyMap(pkg.Info.TypeOf(lit)) {
		return
	}
	for _, e := range lit.Elts {
		if kv, ok := e.(*ast.KeyValueExpr); ok && isContext(pkg.Info.TypeOf(kv.Value)) {
			f.report(file, kv.Value, nil, "a context goes into a map of values: %s", inMap)
		}
	}
}

// mapElement reports m["ctx"] = ctx, and contexts of callers that a map of contexts keeps.
func (f *finder) mapElement(pkg *program.Package, file *program.File, as *ast.AssignStmt) {
	if len(as.Lhs) != len(as.Rhs) {
		return
	}
	for i, lhs := range as.Lhs {
		ix, ok := ast.Unparen(lhs).(*ast.IndexExpr)
		if !ok || !isContext(pkg.Info.TypeOf(as.Rhs[i])) {
			continue
		}
		if anyMap(pkg.Info.TypeOf(ix.X)) {
			f.report(file, as.Rhs[i], nil, "a context goes into a map of values: %s", inMap)
			continue
		}
		here := at{file, pkg, as}
		fn := f.function(here)
		if contextMap(pkg.Info.TypeOf(ix.X)) && !isLocal(pkg, ix.X) && fn != nil && f.source(here, fn, as.Rhs[i], 0) == parameter {
			f.report(file, as.Rhs[i], nil, "the context of a caller goes into a map that outlives the call: %s", inMap)
		}
	}
}

// contextMap reports whether t is a map whose values are contexts.
func contextMap(t types.Type) bool {
	if t == nil {
		return false
	}
	m, ok := t.Underlying().(*types.Map)
	return ok && isContext(m.Elem())
}

// isLocal reports whether an expression names a variable of a function.
func isLocal(pkg *program.Package, e ast.Expr) bool {
	id, ok := ast.Unparen(e).(*ast.Ident)
	if !ok {
		return false
	}
	v, ok := pkg.Info.Uses[id].(*types.Var)
	return ok && v.Parent() != pkg.Types.Scope()
}

// anyMap reports whether t is a map whose values may be anything.
func anyMap(t types.Type) bool {
	if t == nil {
		return false
	}
	m, ok := t.Underlying().(*types.Map)
	if !ok {
		return false
	}
	i, ok := m.Elem().Underlying().(*types.Interface)
	return ok && i.Empty()
}

// structType judges the context fields of a struct type.
func (f *finder) structType(pkg *program.Package, file *program.File, decl *ast.GenDecl, spec *ast.TypeSpec, st *ast.StructType) {
	grouped := decl.Lparen.IsValid()
	tn, ok := pkg.Info.Defs[spec.Name].(*types.TypeName)
	if !ok {
		return
	}
	for _, field := range st.Fields.List {
		if onPurpose(spec.Doc, spec.Comment, field.Doc, field.Comment) || !grouped && onPurpose(decl.Doc) {
			continue
		}
		for _, id := range field.Names {
			v, ok := pkg.Info.Defs[id].(*types.Var)
			if !ok || !isContext(v.Type()) {
				continue
			}
			h := &holder{finder: f, pkg: pkg, obj: tn, field: v}
			if !h.shape() && h.keeps() {
				f.reportField(file, id, h)
			}
		}
	}
}

// onPurpose reports whether a comment speaks of the context: whoever wrote it has thought about it.
func onPurpose(docs ...*ast.CommentGroup) bool {
	return slices.ContainsFunc(docs, func(doc *ast.CommentGroup) bool {
		if doc == nil {
			return false
		}
		text := strings.ToLower(doc.Text())
		return strings.Contains(text, "ctx") || strings.Contains(text, "context")
	})
}

func (f *finder) reportField(file *program.File, id *ast.Ident, h *holder) {
	var related []rules.Related
	for _, k := range h.kept {
		related = append(related, rules.Related{File: k.File, Pos: k.Pos, Message: "kept here"})
	}
	for i, r := range h.reads {
		if i < maxRelated {
			related = append(related, rules.Related{File: r.File, Pos: r.Pos, Message: "used here"})
		}
	}
	slices.SortStableFunc(related, func(a, b rules.Related) int {
		return cmp.Or(strings.Compare(a.File.Rel, b.File.Rel), cmp.Compare(a.Pos, b.Pos))
	})
	if len(h.passedBy) > 0 {
		verbs := "is handed one, works"
		if len(h.passedBy) > 1 {
			verbs = "are handed one, work"
		}
		f.report(file, id, related, "%s keeps a context, and %s, which %s with the one kept; use the caller's", h.obj.Name(), list(h.passedBy), verbs)
		return
	}
	whose := "the context of the call that made it"
	if h.made == len(h.kept) {
		whose = "a context made from nothing"
	}
	f.report(file, id, related, "%s keeps %s: %s can be neither cancelled nor given values by the caller; pass ctx to the method", h.obj.Name(), whose, list(h.methods))
}

// list writes up to three names.
func list(names []string) string {
	if len(names) > 3 {
		return fmt.Sprintf("%s and %d more methods", strings.Join(names[:2], ", "), len(names)-2)
	}
	if len(names) > 1 {
		return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
	}
	return names[0]
}
