package census

import (
	"go/ast"
	"slices"
)

// A Read is a look-up in the world that reads a value, with the keys it may look up as far as they are known.
type Read struct {
	*Lookup
	Keys []*Key
}

// Reads returns the calls that read in the world, each once, by file and position.
func (c *Census) Reads() []*Read {
	byCall := map[*ast.CallExpr]*Read{}
	var list []*Read
	note := func(lk *Lookup, k *Key) {
		if lk.Role != Reader || lk.Call == nil || !lk.Pkg.World {
			return
		}
		r := byCall[lk.Call]
		if r == nil {
			r = &Read{Lookup: lk}
			byCall[lk.Call] = r
			list = append(list, r)
		}
		if k != nil && !slices.Contains(r.Keys, k) {
			r.Keys = append(r.Keys, k)
		}
	}
	for _, k := range c.Keys {
		for _, s := range k.Sites {
			note(s.Lookup, k)
		}
	}
	for _, p := range c.Open {
		for _, lk := range p.Lookups {
			note(lk, nil)
		}
	}
	slices.SortFunc(list, func(x, y *Read) int {
		return compareIDs(c.Program.IDOf(x.Call.Rparen), c.Program.IDOf(y.Call.Rparen))
	})
	return list
}
