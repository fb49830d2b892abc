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
	d := &dead{c: pass.Census, roles: map[*census.Key]census.Role{}, fixes: map[*census.Key]*rules.Fix{}}
	for _, k := range pass.Census.Keys {
		if role, ok := pass.Census.Unpaired(k); ok {
			d.roles[k] = role
			d.keys = append(d.keys, k)
		}
	}
	var list []*rules.Finding
	for _, k := range d.keys {
		list = append(list, d.findings(k)...)
	}
	return list
}

// A dead is what is known of all keys without their other half.
type dead struct {
	c     *census.Census
	keys  []*census.Key
	roles map[*census.Key]census.Role
	// fixes are by the first key that they remove.
	fixes map[*census.Key]*rules.Fix
}

// removable reports whether a key is only stored, and importers cannot be the ones who read it.
func (d *dead) removable(k *census.Key) bool {
	role, ok := d.roles[k]
	return ok && role == census.Writer && !importersOnly(d.c, k)
}

// fix removes what stores a key, together with all other keys of its type, or of types declared with it, when those
// are to be removed as well: the declaration would be left without use.
func (d *dead) fix(k *census.Key) *rules.Fix {
	if !d.removable(k) {
		return nil
	}
	var group []*census.Key
	decl := d.c.KeyDecl(k)
	for _, other := range d.c.Keys {
		if other == k || decl != nil && d.c.KeyDecl(other) == decl {
			group = append(group, other)
		}
	}
	for _, other := range group {
		if !d.removable(other) {
			group = []*census.Key{k}
			break
		}
	}
	if fix := d.fixes[group[0]]; fix != nil {
		return fix
	}
	title := "remove what stores " + group[0].Spelled()
	if len(group) > 1 {
		title += ", and " + census.Count(len(group)-1, "more key")
	}
	fix := &rules.Fix{Title: title, Applicability: rules.Review, Intent: &rules.DropWrites{Keys: group}}
	d.fixes[group[0]] = fix
	return fix
}

// findings reports every place of an unpaired key.
func (d *dead) findings(k *census.Key) []*rules.Finding {
	spelled, role, fix := importersOnly(d.c, k), d.roles[k], d.fix(k)
	var list []*rules.Finding
	seen := map[ast.Expr]bool{}
	for _, s := range k.Sites {
		if !s.Pkg.World || seen[s.Expr] {
			continue
		}
		seen[s.Expr] = true
		f := &rules.Finding{
			Rule: name, Message: message(d.c, k, s, role, spelled),
			File: s.File, Pos: s.Expr.Pos(), End: s.Expr.End(),
			Key: k.Name(), KeyID: k.UnitName(), Applicability: rules.Manual, Status: rules.NoFix, Fix: fix,
		}
		if fix != nil {
			f.Applicability, f.Status = fix.Applicability, ""
		}
		list = append(list, f)
	}
	return list
}

// message says what is wrong with a key, as it is spelled at a site.
func message(c *census.Census, k *census.Key, s *census.Site, role census.Role, spelled bool) string {
	text := k.Name()
	if k.Basic == nil && !c.Shared(s) {
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
