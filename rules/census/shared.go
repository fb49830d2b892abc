package census

import "go/ast"

// Shared reports whether the expression of a site names other keys as well: a parameter, or a variable, that carries
// several.
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
		for _, k := range c.Keys {
			for _, at := range k.Sites {
				if have := c.keyAt[at.Expr]; have != nil && have != k {
					c.shared[at.Expr] = true
				}
				c.keyAt[at.Expr] = k
			}
		}
	})
}
