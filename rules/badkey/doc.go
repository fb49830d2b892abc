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
//	u, _ := ctx.Value([]byte("user")).(string)
//
// Use instead
//
//	type contextKey string
//
//	const userKey contextKey = "user"
//
//	ctx = context.WithValue(ctx, userKey, u)
//	u, _ := ctx.Value(userKey).(string)
//
// # What the fix does
//
// A text converted to a slice is plainly meant as a text. A type of the program that serves for nothing but such keys,
// type key []byte, becomes a string type, and no key that is made of it changes. A text in a type that is none of the program's
// becomes a constant of a private string type, at all places of the package at once; a variable that holds it
// becomes the constant. Keys of different types are different keys, whatever their texts: where a package has
// one text in two types, or two packages write the same one, a person has to say which are meant to be one. Whatever
// else cannot be compared is left to a person as well.
//
// # Fix safety
//
// Review: the program panics there today, so nothing can depend on what it does after that. A writer meets the readers
// that spell the same text in the same type, and no others.
//
// # When it is blocked
//
//   - dependency: a package outside the program uses such a key, or is handed it
//   - dynamic: a key computed at run time may be this one, and nothing else stores (or reads) it; or a key of the type
//     has a text that is not constant
//   - other-use: the key also reaches code that is no look-up
//   - excluded-file, type-errors: a file that was not type-checked uses a key that may be this one
//   - placement: no file of the package can hold the key
//   - generated, vendored, cgo, symlink: a place lies in a file that is not to be edited
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - comment: a comment would be lost; does-not-compile: the result would not type-check
package badkey
