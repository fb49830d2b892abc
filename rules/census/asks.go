package census

import (
	"go/types"
	"slices"
	"strings"
)

// admits reports whether a key of a type may come from a place: it has the methods that the types on the way ask for. Names are
// compared only, since the type may be that of another build configuration.
func (u *Unknown) admits(t types.Type) bool {
	if len(u.asks) == 0 {
		return true
	}
	methods := types.NewMethodSet(t)
	return !slices.ContainsFunc(u.asks, func(id string) bool {
		return !slices.ContainsFunc(slices.Collect(methods.Methods()), func(m *types.Selection) bool { return m.Obj().Id() == id })
	})
}

// withAsks adds the methods that a static type asks of what it holds.
func withAsks(asks []string, t types.Type) []string {
	iface, ok := t.Underlying().(*types.Interface)
	if !ok {
		return asks
	}
	for m := range iface.Methods() {
		if at, found := slices.BinarySearch(asks, m.Id()); !found {
			asks = slices.Insert(slices.Clone(asks), at, m.Id())
		}
	}
	return asks
}

// joined writes the methods that are asked for.
func joined(asks []string) string { return strings.Join(asks, ";") }
