package keyclash

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
)

//go:embed doc.go
var doc string

const name = "keyclash"

// Rule reports keys whose values are not of the type that is asserted.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	var list []*rules.Finding
	for _, k := range pass.Census.Keys {
		if !pass.Census.Clear(k) {
			continue
		}
		stored, open := pass.Census.Stored(k)
		if open || len(stored) == 0 {
			continue
		}
		c := &clash{c: pass.Census, key: k, stored: stored}
		c.asserted, c.all = pass.Census.Assertions(k)
		list = append(list, c.failing()...)
		list = append(list, c.refused()...)
		list = append(list, c.overwritten()...)
	}
	return list
}

// A clash is what is known of one key's values.
type clash struct {
	c        *census.Census
	key      *census.Key
	stored   []census.Stored
	asserted []census.Assertion
	all      bool // nothing is done with a value but to assert its type
}

// failing reports the assertions that no stored value can pass.
func (c *clash) failing() []*rules.Finding {
	var failing []census.Assertion
	seen := map[ast.Expr]bool{}
	for _, a := range c.asserted {
		if seen[a.Expr] || !census.Decidable(a.Type) || c.passes(a.Type) {
			continue
		}
		seen[a.Expr] = true
		failing = append(failing, a)
	}
	fixes := c.mendFailing(failing)
	var list []*rules.Finding
	for _, a := range failing {
		outcome := "the assertion always fails"
		if a.Panics {
			outcome = "the assertion always panics"
		}
		pkg := a.Site.Lookup.Pkg
		what := "is never of type " + written(a.Type, pkg.Types)
		if types.IsInterface(a.Type) {
			what = "never implements " + written(a.Type, pkg.Types)
		}
		f := c.finding(a.Site, a.Expr, fmt.Sprintf("the value of %s %s, what is stored is %s: %s", c.text(a.Site), what, c.types(pkg.Types), outcome))
		for _, s := range c.stored {
			f.Related = related(f.Related, s.Site, "stored here as "+written(s.Type, s.Site.Pkg.Types))
		}
		list = append(list, mendedBy(f, fixes[a.Expr]))
	}
	return list
}

// mendedBy gives a finding a fix, if there is one.
func mendedBy(f *rules.Finding, fix *rules.Fix) *rules.Finding {
	if fix != nil {
		f.Fix, f.Applicability, f.Status = fix, fix.Applicability, ""
	}
	return f
}

// refused reports the stored values that no look-up accepts while others are accepted: someone hides the right value.
func (c *clash) refused() []*rules.Finding {
	if !c.all || len(c.asserted) == 0 {
		return nil
	}
	var bad []census.Stored
	for _, s := range c.stored {
		if !c.accepted(s) && s.Own && !s.Site.File.Test && s.Site.Lookup.Pkg.World {
			bad = append(bad, s)
		}
	}
	if len(bad) == 0 || !slices.ContainsFunc(c.stored, c.accepted) {
		return nil // or the look-ups have been reported
	}
	var list []*rules.Finding
	for _, s := range bad {
		pkg := s.Site.Lookup.Pkg
		f := c.finding(s.Site, s.Site.Lookup.Value, fmt.Sprintf("no look-up of %s accepts a value of type %s: all assert another type", c.text(s.Site), written(s.Type, pkg.Types)))
		for _, a := range c.asserted {
			f.Related = related(f.Related, a.Site, "asserted to be "+written(a.Type, a.Site.Lookup.Pkg.Types)+" here")
		}
		list = append(list, mendedBy(f, c.mendRefused(s)))
	}
	return list
}

// overwritten reports two packages that store values of different types under one text: each hides what the other
// stored. Look-ups that accept both types show that it is meant so.
func (c *clash) overwritten() []*rules.Finding {
	if c.key.Basic == nil || !c.all {
		return nil
	}
	var fix *rules.Fix
	var blocker *rules.Blocker
	if parts := c.c.Apart(c.key); parts != nil {
		fix = &rules.Fix{Title: "give each package a key of its own for " + c.key.Name(), Applicability: rules.Review, Intent: &rules.PartKey{Key: c.key, Parts: parts}}
		if len(c.key.Hazards) > 0 {
			h := c.key.Hazards[0]
			blocker = &rules.Blocker{Reason: h.Reason, Message: h.Message, File: h.File, Pos: h.Pos, Where: h.Where}
		}
	}
	var list []*rules.Finding
	reported := map[ast.Expr]bool{}
	for _, s := range c.stored {
		for _, t := range c.stored {
			if !c.hides(s, t) || reported[s.Site.Expr] {
				continue
			}
			reported[s.Site.Expr] = true
			pkg := s.Site.Lookup.Pkg.Types
			f := c.finding(s.Site, s.Site.Expr, fmt.Sprintf("packages %s and %s store values of different types under %s, %s and %s: each hides the other's; give each a key of its own",
				s.Site.Pkg.Path, t.Site.Pkg.Path, c.key.Name(), written(s.Type, pkg), written(t.Type, pkg)))
			f.Related = related(nil, t.Site, "stored here as "+written(t.Type, t.Site.Pkg.Types))
			f.Blocker = blocker
			list = append(list, mendedBy(f, fix))
		}
	}
	return list
}

// hides reports whether two stored values of different packages and types can meet.
func (c *clash) hides(s, t census.Stored) bool {
	if s.Site.Pkg.Path == t.Site.Pkg.Path || s.Site.File.Test || t.Site.File.Test || !s.Own || !t.Own || !s.Site.Pkg.World || !t.Site.Pkg.World {
		return false
	}
	if census.Accepts(s.Type, t.Type) || !c.accepted(s) || !c.accepted(t) || !c.c.InOneProgram(s.Site, t.Site) {
		return false
	}
	return !slices.ContainsFunc(c.asserted, func(a census.Assertion) bool {
		return census.Accepts(a.Type, s.Type) && census.Accepts(a.Type, t.Type)
	})
}

// passes reports whether some stored value passes an assertion.
func (c *clash) passes(t types.Type) bool {
	return slices.ContainsFunc(c.stored, func(s census.Stored) bool { return !census.Decidable(s.Type) || census.Accepts(t, s.Type) })
}

// accepted reports whether some look-up accepts a stored value.
func (c *clash) accepted(s census.Stored) bool {
	return slices.ContainsFunc(c.asserted, func(a census.Assertion) bool {
		return !census.Decidable(a.Type) || !census.Decidable(s.Type) || census.Accepts(a.Type, s.Type)
	})
}

func (c *clash) finding(s *census.Site, e ast.Expr, message string) *rules.Finding {
	return &rules.Finding{
		Rule: name, Message: message,
		File: s.Lookup.File, Pos: e.Pos(), End: e.End(),
		Key: c.key.Name(), KeyID: c.key.UnitName(), Applicability: rules.Manual, Status: rules.NoFix,
	}
}

// text is the key as it is spelled at a site, with its type when that is built in.
func (c *clash) text(s *census.Site) string {
	if c.key.Basic != nil || c.c.Shared(s) {
		return c.key.Name()
	}
	return types.ExprString(s.Expr)
}

// types lists what is stored.
func (c *clash) types(from *types.Package) string {
	var list []string
	for _, s := range c.stored {
		if t := written(s.Type, from); !slices.Contains(list, t) {
			list = append(list, t)
		}
	}
	if len(list) > 3 {
		list = append(list[:3], "others")
	}
	return strings.Join(list, ", ")
}

func written(t types.Type, from *types.Package) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == from {
			return ""
		}
		return p.Name()
	})
}

// maxRelated bounds the places listed with one finding.
const maxRelated = 20

func related(list []rules.Related, s *census.Site, message string) []rules.Related {
	if !s.Pkg.World || len(list) == maxRelated || slices.ContainsFunc(list, func(r rules.Related) bool { return r.Pos == s.Expr.Pos() }) {
		return list
	}
	return append(list, rules.Related{File: s.File, Pos: s.Expr.Pos(), Message: message})
}
