package rules

// A LocalIntent is an intent that only changes how one function does its work: no key, no signature and no declaration that
// another function could see. It can be carried out where nothing is known of the program but the function's package.
type LocalIntent interface {
	Intent
	local()
}

func (*DeferCancel) local()     {}
func (*UseDerived) local()      {}
func (*UseContext) local()      {}
func (*ShadowContext) local()   {}
func (*PassToGoroutine) local() {}
func (*CallTwins) local()       {}
