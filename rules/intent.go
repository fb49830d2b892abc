package rules

import "github.com/ctxmend/ctxmend/rules/census"

// TypeKeys asks for a family of built-in keys to become private typed keys, all sites at once.
type TypeKeys struct {
	Family *census.Family
}

func (*TypeKeys) intent() {}
