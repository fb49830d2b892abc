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
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Safe, rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, k := range pass.Census.Keys {
		why := shared(k.GoType)
		if why == "" || k.Object != nil {
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
