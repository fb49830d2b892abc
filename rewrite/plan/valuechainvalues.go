package plan

// readsValues blocks rows of which half of the reads or more, those of tests left out, lie in other packages and take no field but the value as
// the context returns it: each value would need an exported function that returns any, and nothing be gained.
func (jp *joinPlan) readsValues() error {
	var first *joinRead
	n, all := 0, 0
	for _, r := range jp.reads {
		if r.File.Test {
			continue
		}
		all++
		if r.takesField() || !jp.foreign(r.Site) {
			continue
		}
		if n++; first == nil {
			first = r
		}
	}
	if n == 0 || 2*n < all {
		return nil
	}
	return block("reads", first.File, first.Lookup.Call.Pos(), "%d of %d reads, such as this one, lie outside package %s and take a value as the context returns it, which would need an exported function that returns any; assert the type of what is read first", n, all, jp.home.path)
}

// takesField reports whether a read becomes one of a field.
func (r *joinRead) takesField() bool {
	return !r.byGetter && (r.assert != nil || r.isNil)
}
