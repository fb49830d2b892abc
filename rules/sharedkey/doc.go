// Package sharedkey reports context keys of a type that has no name of its own, such as struct{}{}: every
// package that writes the same expression uses the same key. Pointers to values without size are no better:
// they may all be equal.
//
// # Why it is wrong
//
// A context compares keys with ==. Two values of an unnamed struct type are equal wherever they are written, and
// the addresses of two variables of size zero may or may not be: the language leaves it open.
//
// # Example
//
//	ctx := context.WithValue(context.Background(), struct{}{}, &Session{"ann"})
//	s, ok := ctx.Value(struct{}{}).(*Session)
//
// Use instead
//
//	type sessionKey struct{}
//
//	ctx := context.WithValue(context.Background(), sessionKey{}, &Session{"ann"})
//	s, ok := ctx.Value(sessionKey{}).(*Session)
//
// # What the fix does
//
// The sites of the unnamed type get one private type with a name. A variable that serves for nothing but the key
// takes the type in its declaration, and its sites stay; an alias, type userKey = struct{}, loses its equals sign. When one package stores the value and others read it, the
// key stays one, and the package that stores exports its type. Two variables or aliases of one package, and packages that each
// store and read a value of their own, were meant to be keys of their own: they are parted.
//
// A variable that points to a value without size gets something to point to: &contextKey{"user"}, where contextKey is
// a struct with a name in it, as package net/http has it.
//
// # Fix safety
//
// Safe while one key stays one key. Review when keys are parted that were, or perhaps were, the same one: what was
// stored under one was found, or hidden, by the other. Review also when an exported variable changes its type, when
// importers can hand over the key by a field or function that they reach, or when a key computed at run time may be this one. So it is
// when packages that others can import only store under an unnamed type, or only look up, tests aside: importers can write that type.
//
// What is meant is left to a person where the program does not tell: values of several types under one struct{}{},
// several packages that store under it, a pointer made anew at each place, a variable that serves for other things, two names in a
// package beside places that spell the key without one or in other packages. A key that tests store and nobody looks up is no
// finding: they make sure that it is ignored.
//
// # When it is blocked
//
//   - dependency: a package outside the program uses the same key, or is handed it
//   - dynamic: a key computed at run time may be this one, and nothing else stores (or reads) it
//   - other-use: the key also reaches code that is no look-up, or code that tells its type from others
//   - excluded-file, type-errors: a file that was not type-checked uses a key that may be this one
//   - placement: the package that stores cannot be imported from where the key is read
//   - generated, vendored, cgo, symlink: a place lies in a file that is not to be edited
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - comment: a comment would be lost; does-not-compile: the result would not type-check
package sharedkey
