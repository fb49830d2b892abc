package rules

import (
	"go/types"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
)

// NameKeys asks for keys of a type that others can write as well to get types of their own, all sites at once.
type NameKeys struct {
	// Type is the type that the keys have.
	Type types.Type
	// Pointers is set for variables that point to values without size: they get something to point to.
	Pointers bool
	Groups   []*KeyGroup
	// Notes say what a reviewer has to look at; with any, the fix is no longer safe.
	Notes []string
}

// A KeyGroup is the sites of one key to be.
type KeyGroup struct {
	Sites []*census.Site
	// Vars are variables that name the key and serve for nothing else.
	Vars []*types.Var
	// Alias is an alias of the unnamed type that serves for nothing but the key; nil for none.
	Alias *types.TypeName
	// PkgPath is the package that declares the type.
	PkgPath string
}

// UnitID names the unit by the type and the packages.
func (in *NameKeys) UnitID() string {
	var list []string
	for _, g := range in.Groups {
		name := g.PkgPath
		for _, v := range g.Vars {
			name += "." + v.Name()
		}
		if g.Alias != nil {
			name += "." + g.Alias.Name()
		}
		list = append(list, name)
	}
	return "sharedkey:" + types.TypeString(in.Type, func(p *types.Package) string { return p.Path() }) + "@" + strings.Join(list, ",")
}
