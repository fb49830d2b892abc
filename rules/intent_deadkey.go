package rules

import "github.com/ctxmend/ctxmend/rules/census"

// DropWrites asks for all places that store a value under a key to go: nothing reads it.
type DropWrites struct {
	Key *census.Key
}

// UnitID names the unit by the key.
func (in *DropWrites) UnitID() string {
	id := "deadkey:" + in.Key.Name()
	if in.Key.Part != "" {
		id += "@" + in.Key.Part
	}
	return id
}
