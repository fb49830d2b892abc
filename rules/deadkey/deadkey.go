package deadkey

import (
	_ "embed"
	"go/ast"
	"go/types"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "deadkey"

// Rule reports keys that are written and never read, or read and never written.
var Rule = &rules.Rule{Name: name, Doc: doc, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, k := range pass.Census.Keys {
		role, ok := pass.Census.Unpaired(k)
		if !ok {
			continue
		}
		list = append(list, findings(pass.Census, k, role)...)
	}
	return list
}

// findings reports every place of an unpaired key.
func findings(c *census.Census, k *census.Key, role census.Role) []*rules.Finding {
	spelled := importersOnly(c, k)
	var fix *rules.Fix
	if role == census.Writer && !spelled {
		fix = &rules.Fix{Title: "remove what stores " + k.Name(), Applicability: rules.Review, Intent: &rules.DropWrites{Key: k}}
	}
	var list []*rules.Finding
	seen := map[ast.Expr]bool{}
	for _, s := range k.Sites {
		if !s.Pkg.World || seen[s.Expr] {
			continue
		}
		seen[s.Expr] = true
		f := &rules.Finding{
			Rule: name, Message: message(k, s, role, spelled),
			File: s.File, Pos: s.Expr.Pos(), End: s.Expr.End(),
			Key: k.Name(), Applicability: rules.Manual, Status: rules.NoFix, Fix: fix,
		}
		if fix != nil {
			f.Applicability, f.Status = fix.Applicability, ""
		}
		list = append(list, f)
	}
	return list
}

// message says what is wrong with a key, as it is spelled at a site.
func message(k *census.Key, s *census.Site, role census.Role, spelled bool) string {
	text := k.Name()
	if k.Basic == nil {
		text = types.ExprString(s.Expr)
	}
	switch {
	case role == census.Writer && spelled:
		return text + " is stored but never read; importers that read it by its text need an accessor, else remove it"
	case role == census.Writer:
		return text + " is stored but never read"
	case spelled:
		return text + " is read but never stored; importers that store it by its text need an accessor, else remove the look-up"
	}
	return text + " is read but never stored: the result is always nil; store it, or remove the look-up with what depends on it"
}

// importersOnly reports whether the other half of a key that everybody can spell may well lie with importers: it
// stands in a package that they can import and that no main package of the world contains.
func importersOnly(c *census.Census, k *census.Key) bool {
	if k.Basic == nil {
		return false
	}
	for _, s := range k.Sites {
		if !s.File.Test && s.Pkg.World && census.Importable(s.Pkg) && !c.InProgram(s.Pkg) {
			return true
		}
	}
	return false
}
