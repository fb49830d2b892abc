package rules

import "github.com/ctxmend/ctxmend/rules/census"

// UnifyKeys asks for every place of one key to use another one with the same text.
type UnifyKeys struct {
	From, To *census.Key
}

// UnitID names the unit by both keys.
func (in *UnifyKeys) UnitID() string {
	id := "splitkey:" + in.From.Name()
	if in.From.Part != "" {
		id += "@" + in.From.Part
	}
	return id + "," + in.To.Name()
}
