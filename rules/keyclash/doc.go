// Package keyclash reports context keys whose values are not of the type that is asserted: an assertion that no
// stored value can pass, a stored value that no look-up accepts, and packages that hide each other's values under one text.
//
// # Why it is wrong
//
// The value of a key is of type any, so the compiler does not see that one package stores a string where another expects
// a *User: the two-valued assertion is false for ever, the other one panics.
//
// # Example
//
//	ctx = context.WithValue(ctx, userKey, u)
//	u, ok := ctx.Value(userKey).(User)
//
// Use instead, when u is a *User
//
//	u, ok := ctx.Value(userKey).(*User)
//
// # What the fix does
//
// Where one reading is clearly right, an assertion names the type that is stored, or a writer stores the
// type that every look-up asserts: by its address, its operand (&v becomes v), or a conversion. An assertion follows the
// writers when all of them store one type, or when other look-ups assert one of theirs, and when its result is used in ways that
// type allows; two types that have nothing to do with one another need a look-up that confirms the right one, or a result
// that is only asked for presence. A result of a named type goes back to the type beneath it by a conversion.
// Two packages that hide each other's values under one text get a private key each, when every place spells the key by
// itself and every look-up accepts what one of the packages stores and nothing that another one does.
//
// # Fix safety
//
// Review: the look-up begins to find a value. All other findings are to be mended by hand, since which of the two types is
// meant is not written in the program. A key is reported only when all
// writers of it are known and the type of everything they store is; a value whose type is an interface is
// followed to where it is made. What tests store by themselves is not reported.
//
// # When it is blocked
//
//   - placement: a type cannot be named where it is needed, or both keys would live in one package
//   - dependency, store, dynamic, other-use, excluded-file, type-errors: as for builtinkey, when a key is to be parted
//   - comment: a comment inside the edited code would be lost
//   - generated, vendored, cgo, symlink: a place lies in a file that is not to be edited
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package keyclash
