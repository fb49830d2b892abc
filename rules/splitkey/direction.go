package splitkey

import (
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// direction decides which key goes and which stays: the one with a type of its own stays and, of two such, the one that is
// both stored and looked up, else the one that is stored. Where the places of the one that would go cannot import its package, the
// other one stays.
func direction(prog *program.Program, s *census.Split) (from, to *census.Key) {
	switch {
	case s.Half.Basic != nil:
		return s.Half, s.Other
	case s.Other.Basic != nil:
		return s.Other, s.Half
	}
	from, to = s.Other, s.Half
	if !hasRole(s.Other, census.Reader) && hasRole(s.Half, census.Reader) || hasRole(s.Other, census.Reader) && hasRole(s.Other, census.Writer) {
		from, to = s.Half, s.Other
	}
	graph := prog.ImportGraph()
	if !reaches(graph, from, to) && reaches(graph, to, from) {
		return to, from
	}
	return from, to
}

// hasRole reports whether a key is stored, or looked up, outside of tests. A test of the one side stores what the other side stores
// in production: that makes it no owner.
func hasRole(k *census.Key, role census.Role) bool {
	has, tests := false, true
	for _, s := range k.Sites {
		if !s.File.Test {
			tests = false
			if s.Role == role {
				return true
			}
		}
		has = has || s.Role == role
	}
	return tests && has
}

// reaches reports whether every place of one key may import the package that declares another one's type.
func reaches(graph *program.ImportGraph, from, to *census.Key) bool {
	named, ok := types.Unalias(to.GoType).(*types.Named)
	if !ok || named.Obj().Pkg() == nil {
		return false
	}
	home := named.Obj().Pkg()
	for _, s := range from.Sites {
		if !s.Pkg.World || s.Pkg.Path == home.Path() {
			continue
		}
		if home.Name() == "main" || graph.CanImport(s.File, home.Path()) != nil {
			return false
		}
	}
	return true
}
