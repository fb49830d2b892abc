package rules

import (
	"fmt"

	"github.com/ctxmend/ctxmend/rules/census"
)

// JoinValues asks for values that are attached one by one to become the fields of one struct under one key.
type JoinValues struct {
	// Keys are those of the values, in the order of the first chain.
	Keys []*census.Key
	// Chains store them all, in ordinary files.
	Chains []*census.Chain
}

// UnitID names the unit by its first key and how many there are.
func (in *JoinValues) UnitID() string {
	return fmt.Sprintf("valuechain:%s and %d more", in.Keys[0].UnitName(), len(in.Keys)-1)
}
