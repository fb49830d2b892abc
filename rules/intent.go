package rules

import (
	"fmt"
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
)

// An Intent is a wanted change in terms of objects and syntax nodes, never text.
// The planner knows every intent. Findings that share an intent share a unit.
type Intent interface {
	// UnitID names the unit that carries the intent out, stable for the same input: `builtinkey:"user"`.
	UnitID() string
}

// TypeKeys asks for a family of built-in keys to become private typed keys, all sites at once.
type TypeKeys struct {
	Family *census.Family
}

// UnitID names the unit by the family's keys.
func (in *TypeKeys) UnitID() string {
	var names []string
	for _, k := range in.Family.Keys {
		name := k.Name()
		if !strings.HasPrefix(name, `"`) {
			name = k.Type + " " + name
		}
		if k.Part != "" {
			name += "@" + k.Part
		}
		names = append(names, name)
	}
	if len(names) > 4 {
		names = append(names[:3], fmt.Sprintf("%d more", len(names)-3))
	}
	return "builtinkey:" + strings.Join(names, ",")
}
