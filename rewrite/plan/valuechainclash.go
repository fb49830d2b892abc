package plan

import (
	"go/types"

	"github.com/ctxmend/ctxmend/rules/census"
)

// judgeTypes blocks values that are asserted to be of a type that is never stored: behind a function that returns any value, nobody
// would see any longer that the assertion fails. The mistake has to go first (keyclash).
func (jp *joinPlan) judgeTypes() error {
	for _, f := range jp.fields {
		list, _ := jp.census.Assertions(f.key)
		for _, a := range list {
			if !jp.stores(f, a.Type) {
				return block("value-type", a.Site.File, a.Expr.Pos(), "%s is asserted under %s here, and %s stored: the assertion always fails, which nobody would see behind a field; mend that first",
					census.TypeText(a.Type), f.key.Name(), census.TypeText(f.typ))
			}
		}
	}
	return nil
}

// stores reports whether an assertion on the value may succeed, as far as is known.
func (jp *joinPlan) stores(f *joinField, asserted types.Type) bool {
	if !census.Decidable(asserted) {
		return true
	}
	if !f.hidden() {
		return census.Accepts(asserted, f.typ)
	}
	stored, open := jp.census.Stored(f.key)
	for _, s := range stored {
		if !census.Decidable(s.Type) || census.Accepts(asserted, s.Type) {
			return true
		}
	}
	return open || len(stored) == 0
}
