package rules

import "github.com/ctxmend/ctxmend/rules/census"

// StructValue asks for the maps stored under one key to become values of a struct type.
type StructValue struct {
	Record *census.Record
}

// UnitID names the unit by the key.
func (in *StructValue) UnitID() string { return "mapvalue:" + in.Record.Key.UnitName() }
