package rules

import "github.com/ctxmend/ctxmend/rules/census"

// ContractKey asks for the old half of a staged key to be removed: every place of the built-in key lies
// in a function that looks up the typed key as well, and nobody else uses it.
type ContractKey struct {
	Key   *census.Key
	Sites []census.StagedSite
}

// UnitID names the unit by the old key.
func (in *ContractKey) UnitID() string {
	id := (&TypeKeys{Family: &census.Family{Keys: []*census.Key{in.Key}}}).UnitID()
	return id + " (old)"
}
