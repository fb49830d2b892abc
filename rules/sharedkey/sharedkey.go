package sharedkey

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "sharedkey"

// Rule reports context keys that other packages can spell as well.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Safe, rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, k := range pass.Census.Keys {
		why := shared(k.GoType)
		if why == "" || k.Object != nil || onlyPointer(pass.Census, k) || pass.Census.Decoy(k) {
			continue
		}
		j := judge(pass.Census, k)
		seen := map[ast.Expr]bool{}
		for _, site := range k.Sites {
			if site.Pkg.World && !seen[site.Expr] {
				seen[site.Expr] = true // one that serves for several look-ups is one place
				list = append(list, j.finding(site, why))
			}
		}
	}
	return list
}

// finding reports one site.
func (j *judgement) finding(site *census.Site, why string) *rules.Finding {
	f := &rules.Finding{
		Rule:          name,
		Message:       why,
		File:          site.File,
		Pos:           site.Expr.Pos(),
		End:           site.Expr.End(),
		Key:           j.key.Name(),
		Applicability: rules.Manual,
	}
	fix := j.fixes[site]
	if fix == nil {
		f.Message += "; " + j.manual
		f.Status = rules.NoFix
		return f
	}
	f.Fix, f.Applicability, f.Blocker = fix, fix.Applicability, j.blocker
	return f
}

// shared says why a key of type t is not one package's own; "" when it is.
func shared(t types.Type) string {
	if t == nil {
		return ""
	}
	switch t := types.Unalias(t).(type) {
	case *types.Struct:
		if types.Comparable(t) && !holdsOwn(t) {
			return fmt.Sprintf("a context key of the unnamed type %s equals that of every package that writes the same", t)
		}
	case *types.Pointer:
		if st, ok := t.Elem().Underlying().(*types.Struct); ok && st.NumFields() == 0 {
			return "a context key that points to a value without size may equal any other such pointer"
		}
	}
	return ""
}

// onlyPointer reports whether a key is the one pointer of a type of its package's own: there is no other that it may equal.
func onlyPointer(c *census.Census, k *census.Key) bool {
	ptr, ok := types.Unalias(k.GoType).(*types.Pointer)
	if !ok {
		return false
	}
	named, ok := types.Unalias(ptr.Elem()).(*types.Named)
	if !ok || named.Obj().Exported() || len(k.Sites) == 0 {
		return false
	}
	v := siteVar(k.Sites[0])
	if v == nil || v.Pkg() == nil || v.Parent() != v.Pkg().Scope() {
		return false
	}
	for _, s := range k.Sites {
		if w := siteVar(s); w == nil || w.Pos() != v.Pos() {
			return false
		}
	}
	for _, u := range c.Uses(named.Obj()) {
		if u.Pkg.Info.Defs[u.Ident] == nil && !declares(c, u, v) {
			return false
		}
	}
	return true
}

// declares reports whether a mention of a type belongs to the declaration of a variable.
func declares(c *census.Census, u census.Use, v *types.Var) bool {
	for n := ast.Node(u.Ident); n != nil; n = c.Parent(u.File, n) {
		if spec, ok := n.(*ast.ValueSpec); ok {
			return len(spec.Names) == 1 && spec.Names[0].Pos() == v.Pos()
		}
	}
	return false
}

// holdsOwn reports whether a struct type has an unexported field or a field of a named type: those tie it
// to a package.
func holdsOwn(st *types.Struct) bool {
	for f := range st.Fields() {
		if !f.Exported() {
			return true
		}
		if _, named := types.Unalias(f.Type()).(*types.Named); named {
			return true
		}
	}
	return false
}
