package census

import "go/ast"

// Shared reports whether the expression of a site names other keys as well: a parameter, a variable, or an element of a
// table, that carries several.
func (c *Census) Shared(s *Site) bool {
	c.placeKeys()
	return c.shared[s.Expr]
}

// NamesKey reports whether an expression is the place of a key.
func (c *Census) NamesKey(e ast.Expr) bool {
	c.placeKeys()
	return c.keyAt[e] != nil
}

func (c *Census) placeKeys() {
	c.sharing.Do(func() {
		c.keyAt, c.shared = map[ast.Expr]*Key{}, map[ast.Expr]bool{}
		note := func(e ast.Expr, k *Key) {
			if have := c.keyAt[e]; have != nil && have != k {
				c.shared[e] = true
			}
			c.keyAt[e] = k
		}
		for _, k := range c.Keys {
			for _, at := range k.Sites {
				note(at.Expr, k)
				if e := ast.Unparen(at.Lookup.Key); e != at.Expr {
					note(e, k)
				}
			}
		}
	})
}
