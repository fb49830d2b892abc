package program

import (
	"errors"
	"fmt"
	"runtime/debug"
)

// A PanicError is a mistake in ctxmend, met while it worked on something. It is returned like any other
// error, so that a hostile program, or one that nobody has thought of, does not bring down whoever asked.
type PanicError struct {
	// Doing tells what was going on: "rule builtinkey", "checking package example.com/m/auth".
	Doing string
	Value any    // what was passed to panic
	Stack []byte // where
}

func (e *PanicError) Error() string {
	if e.Doing == "" {
		return fmt.Sprintf("internal error: %v", e.Value)
	}
	return fmt.Sprintf("internal error in %s: %v", e.Doing, e.Value)
}

// Doing calls run. Should it panic, the innermost call of Doing has said during what. Catch makes an error of it.
func Doing(what string, run func()) {
	defer func() {
		if r := recover(); r != nil {
			panic(asPanicError(what, r))
		}
	}()
	run()
}

// Catch, when it is deferred, turns a panic into an error.
func Catch(err *error) {
	if r := recover(); r != nil {
		*err = asPanicError("", r)
	}
}

func asPanicError(what string, r any) *PanicError {
	var e *PanicError
	if err, ok := r.(error); ok && errors.As(err, &e) {
		if e.Doing == "" {
			e.Doing = what
		}
		return e
	}
	return &PanicError{Doing: what, Value: r, Stack: debug.Stack()}
}
