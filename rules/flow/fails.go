package flow

import "go/types"

// CanFail reports whether the results of a call can tell that it was cancelled: an error is among them, or something that
// can be asked for one, as what a query returns.
func CanFail(results types.Type) bool {
	if results == nil {
		return false
	}
	found := false
	for _, t := range resultTypes(results) {
		if isError(t) {
			return true
		}
		set := types.NewMethodSet(t)
		if named, ok := types.Unalias(t).(*types.Named); ok && !types.IsInterface(t) {
			set = types.NewMethodSet(types.NewPointer(named))
		}
		for i := range set.Len() {
			if fn, ok := set.At(i).Obj().(*types.Func); ok {
				for v := range fn.Signature().Results().Variables() {
					found = found || types.Implements(v.Type(), errorType)
				}
			}
		}
	}
	return found
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)
