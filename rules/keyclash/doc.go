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
//	ctx = context.WithValue(ctx, userIDKey, strconv.Itoa(id))
//	id, ok := ctx.Value(userIDKey).(int)
//
// Use instead
//
//	ctx = context.WithValue(ctx, userIDKey, id)
//	id, ok := ctx.Value(userIDKey).(int)
//
// # Fix safety
//
// The finding is to be mended by hand: which of the two types is meant is not written in the program. It is reported only when all
// writers of the key are known and the type of everything they store is; a value whose type is an interface is
// followed to where it is made. What tests store by themselves is not reported.
package keyclash
