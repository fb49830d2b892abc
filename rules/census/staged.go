package census

import (
	"go/ast"
)

// A StagedSite is a place of a built-in key inside a function that looks up, in the same role, a typed key
// with the same constant beside it: a migration in two stages, between them.
type StagedSite struct {
	Site *Site
	// Typed is the place of the typed key in the same function.
	Typed *Site
	Func  *ast.FuncDecl
}

// Staged returns the places of a built-in key in the world when all of them are staged, nil otherwise.
func (c *Census) Staged(k *Key) []StagedSite {
	if k.Basic == nil || k.Const == nil {
		return nil
	}
	var list []StagedSite
	for _, s := range k.Sites {
		if !s.Pkg.World {
			continue
		}
		decl := c.function(s)
		typed := c.typedBeside(s, decl, k.Value)
		if typed == nil {
			return nil
		}
		list = append(list, StagedSite{s, typed, decl})
	}
	return list
}

// typedBeside finds a look-up of a typed key with the given constant in a site's function.
func (c *Census) typedBeside(s *Site, decl *ast.FuncDecl, value string) *Site {
	if decl == nil || s.Lookup.Call == nil {
		return nil
	}
	for _, k := range c.Keys {
		if k.Basic != nil || k.Value != value {
			continue
		}
		for _, t := range k.Sites {
			if t.Role == s.Role && t.Lookup.Call != nil && t.File == s.File && c.function(t) == decl && sameValue(s, t) {
				return t
			}
		}
	}
	return nil
}

// sameValue reports whether two writers store the same variable; readers always agree.
func sameValue(s, t *Site) bool {
	if s.Role == Reader {
		return true
	}
	x, ok := ast.Unparen(s.Lookup.Value).(*ast.Ident)
	y, ok2 := ast.Unparen(t.Lookup.Value).(*ast.Ident)
	return ok && ok2 && s.Pkg.Info.Uses[x] != nil && s.Pkg.Info.Uses[x] == t.Pkg.Info.Uses[y]
}

// function returns the function declaration whose body holds a site's look-up itself, nil inside literals.
func (c *Census) function(s *Site) *ast.FuncDecl {
	if s.Lookup.Pkg != s.Pkg || s.Lookup.File != s.File {
		return nil
	}
	var n ast.Node = s.Expr
	for n != nil {
		n = c.Parent(s.File, n)
		switch d := n.(type) {
		case *ast.FuncLit:
			return nil
		case *ast.FuncDecl:
			return d
		}
	}
	return nil
}

// Foreign returns what keeps others from doing without the key: the hazards that a dependency is, when
// nothing else stands in the way; ok is false when something else does, or nothing.
func (f *Family) Foreign() (list []*Hazard, ok bool) {
	for _, h := range f.Hazards {
		if h.Reason != ReasonDependency {
			return nil, false
		}
	}
	return f.Hazards, len(f.Hazards) > 0
}

// ForeignWriter reports whether a dependency writes a key of the family.
func (f *Family) ForeignWriter() bool {
	for _, p := range f.Points {
		for _, lk := range p.Lookups {
			if lk.Role == Writer && !lk.Pkg.World {
				return true
			}
		}
	}
	return false
}
