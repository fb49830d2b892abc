// Package dynamickey reports context keys of built-in type that are made at run time: the result of fmt.Sprintf, a part of a
// request, a claim, a struct tag, a name from configuration.
//
// # Why it is wrong
//
// Whoever chooses the text chooses which value is found or hidden, values of other packages included. Every such
// value is one more link in the list that each look-up walks, and no tool can tell who reads what: all keys of the type
// that are not written elsewhere have to stay as they are.
//
// # Example
//
//	for name, claim := range claims {
//		ctx = context.WithValue(ctx, name, claim)
//	}
//	id := ctx.Value("sub")
//
// Use instead
//
//	type claimsKey struct{}
//
//	ctx = context.WithValue(ctx, claimsKey{}, claims)
//	id := ctx.Value(claimsKey{}).(Claims)["sub"]
//
// # Fix safety
//
// The finding is to be mended by hand: the values need a home of their own, and every reader has to ask there.
//
// A key that a function takes from callers outside the program is no such key, nor is one of a type of the program's own: its
// values meet no others.
package dynamickey
