// Package uncheckedread reports reads of context values whose type assertion panics when the context does
// not carry the value: ctx.Value(key).(T) without the second result.
//
// # Why it is wrong
//
// Whether a context carries a value is decided far away, by the order of middlewares or by a
// test that forgot one. The assertion of a nil interface panics, and the message names neither
// the key nor the function that should have stored the value.
//
// # Example
//
//	func Greet(ctx context.Context) (string, error) {
//		user := ctx.Value(userKey).(*User)
//		return "hello " + user.Name, nil
//	}
//
// Use instead
//
//	func Greet(ctx context.Context) (string, error) {
//		user, ok := ctx.Value(userKey).(*User)
//		if !ok {
//			return "", errors.New("no user in context")
//		}
//		return "hello " + user.Name, nil
//	}
//
// # What the fix does
//
// The assertion takes its two-valued form, and absence is handled as the function handles errors: a function
// whose last result is an error returns one, made with the package that the function, or its file, makes errors
// with; an HTTP handler that answers with http.Error does so with status 500. An assertion inside a larger
// expression moves to a variable of its own in front of the statement.
//
// Where another fix makes the read a call of an accessor, the two results come first and the accessor has them as well. A
// read that this rule cannot mend, or may not at the level asked for, becomes a call of an accessor that panics in its place.
//
// Reads are left alone where the panic is meant or cannot happen: in tests, in functions called Must... or whose
// documentation speaks of panicking, below a recover, after the value has been stored or its presence checked
// in the same function, by a function that it calls with the context, or by all callers of an unexported one. A function that does nothing but read and says that it panics is one finding, left to people, as long as
// some caller does not say so.
//
// # Fix safety
//
// Review: where the program panicked, the function now returns an error, and so it does when the value
// has another type. What happens when the value is there stays the same.
//
// # When it is blocked
//
//   - no-error-result: the function has no way to report an error; its signature has to change first
//   - error-style: the function makes its errors with something that needs more than a text
//   - statement: the read stands where nothing can be put in front of it, in the condition of a loop for example,
//     or behind calls that would then run after it
//   - conflict: another fix changes the same code
//   - layout: several statements share the line
//   - type-errors: the package does not type-check
//   - generated, vendored, cgo, symlink: the file is not to be edited
//   - suppressed: the place carries a //ctxmend:ignore comment
//   - does-not-compile: the result would not type-check
package uncheckedread
