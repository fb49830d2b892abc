package oracle

// feature adds a key with a type of its own, or one that should have it, and a misuse other than a built-in type.
func (g *gen) feature(id string, r rnd) {
	pickWeighted(r, []weighted[func(string, rnd)]{
		{8, g.record}, {3, g.chain}, {3, g.halves}, {2, g.clash}, {2, g.unnamed}, {1, g.bad}, {3, g.dead}, {2, g.unchecked},
	})(id, r)
}
