package oracle

// feature adds a key with a type of its own, or one that should have it, and a misuse other than a built-in type.
func (g *gen) feature(id string, r rnd) {
	pickWeighted(r, []weighted[func(string, rnd)]{
		{5, g.record},
	})(id, r)
}
