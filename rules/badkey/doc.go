// Package badkey reports context keys that cannot be compared: slices, maps, functions, and structs
// or arrays that hold one.
//
// # Why it is wrong
//
// context.WithValue panics when its key is not comparable, and a look-up with such a key panics
// as soon as it meets a value stored under the same type. The compiler does not notice, since the key is
// passed as an interface value.
//
// # Example
//
//	ctx = context.WithValue(ctx, []byte("user"), u)
//
// Use instead
//
//	type contextKey string
//
//	const userKey contextKey = "user"
//
//	ctx = context.WithValue(ctx, userKey, u)
//
// # Fix safety
//
// There is no fix: the program panics there today, so what was meant has to be decided by a person.
package badkey
