package deadkey

import (
	_ "embed"
	"go/ast"
	"go/types"
	"slices"

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
	// orphaned caches orphans, when looked is set.
	orphaned []*census.Site
	looked   bool
}

// removable reports whether a key is only stored, importers cannot be the ones who read it, and no look-up seems to miss it.
func (d *dead) removable(k *census.Key) bool {
	role, ok := d.roles[k]
	return ok && role == census.Writer && !importersOnly(d.c, k) && d.missing(k) == nil
}

// missing returns a look-up of the program that asks for the very type that a key stores, under a key that nothing is stored under: it
// may well mean this one. Types that many values have, numbers, strings and interfaces, tell nothing.
func (d *dead) missing(k *census.Key) *census.Site {
	for _, s := range d.orphans() {
		if s.Key != k && d.stores(k, d.c.AssertedType(s.Lookup)) {
			return s
		}
	}
	return nil
}

// orphans returns the look-ups of the program that ask for a type of a package's own under a key that nothing is stored under.
func (d *dead) orphans() []*census.Site {
	if d.looked {
		return d.orphaned
	}
	d.looked = true
	for _, k := range d.c.Keys {
		if slices.ContainsFunc(k.Sites, func(s *census.Site) bool { return s.Role == census.Writer }) {
			continue
		}
		for _, s := range k.Sites {
			if s.Lookup == nil || !s.Pkg.World || s.File.Test {
				continue
			}
			if t := d.c.AssertedType(s.Lookup); t != nil && telling(t) {
				d.orphaned = append(d.orphaned, s)
			}
		}
	}
	return d.orphaned
}

// telling reports whether a type is one that a package made for its values.
func telling(t types.Type) bool {
	if p, ok := types.Unalias(t).(*types.Pointer); ok {
		t = p.Elem()
	}
	if _, ok := types.Unalias(t).(*types.Named); !ok {
		return false
	}
	switch t.Underlying().(type) {
	case *types.Basic, *types.Interface:
		return false
	}
	return true
}

// stores reports whether values of a type are stored under a key, outside of tests.
func (d *dead) stores(k *census.Key, t types.Type) bool {
	return slices.ContainsFunc(k.Sites, func(s *census.Site) bool {
		return s.Lookup != nil && s.Lookup.Value != nil && !s.File.Test && types.Identical(s.Lookup.Pkg.Info.TypeOf(s.Lookup.Value), t)
	})
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
	var missing *census.Site
	if role == census.Writer {
		missing = d.missing(k)
	}
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
		if missing != nil {
			f.Message += "; " + spell(d.c, missing.Key, missing) + ", under which nothing is stored, is looked up for the same type: if it means this key, use one for both"
			f.Related = []rules.Related{{File: missing.File, Pos: missing.Expr.Pos(), Message: "looked up here"}}
		}
		if fix != nil {
			f.Applicability, f.Status = fix.Applicability, ""
		}
		list = append(list, f)
	}
	return list
}

// spell writes a key as it stands at a site.
func spell(c *census.Census, k *census.Key, s *census.Site) string {
	if k.Basic == nil && !c.Shared(s) {
		return types.ExprString(s.Expr)
	}
	return k.Name()
}

// message says what is wrong with a key, as it is spelled at a site.
func message(c *census.Census, k *census.Key, s *census.Site, role census.Role, spelled bool) string {
	text := spell(c, k, s)
	switch {
	case role == census.Writer && spelled:
		return text + " is stored but never read; importers that read it by its text need an accessor, else remove it"
	case role == census.Writer:
		return text + " is stored but never read"
	case spelled:
		return text + " is read but never stored; importers that store it by its text need an accessor, else remove the look-up"
	case spellable(c, k):
		return text + " is read but never stored, unless importers do under its text: store it, or remove the look-up with what depends on it"
	}
	return text + " is read but never stored: the result is always nil; store it, or remove the look-up with what depends on it"
}

// spellable reports whether importers may hold the other half of a key, although a command of the program contains the first.
func spellable(c *census.Census, k *census.Key) bool { return k.Basic != nil && c.Half(k) != nil }

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
