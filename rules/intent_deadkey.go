package rules

import (
	"strings"

	"github.com/ctxmend/ctxmend/rules/census"
)

// DropWrites asks for all places that store a value under keys to go: nothing reads it. Several keys are those that
// leave a declaration of their types without use together; where one of them stays, each goes by itself.
type DropWrites struct {
	Keys []*census.Key
}

// UnitID names the unit by the keys.
func (in *DropWrites) UnitID() string {
	var names []string
	for _, k := range in.Keys {
		name := k.Name()
		if k.Part != "" {
			name += "@" + k.Part
		}
		names = append(names, name)
	}
	return "deadkey:" + strings.Join(names, ",")
}
