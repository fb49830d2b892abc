// Package valuechain reports values that one function attaches to a context one after the other, three or more of them, that
// are only ever attached together and that other code reads together.
//
// # Why it is wrong
//
// A context is a linked list: each call of context.WithValue makes a link, and each look-up walks the
// links one by one, comparing keys, until it finds its own. Values that belong together cost a link, an
// allocation and a walk each, their absence has to be handled one by one, and nothing says that they belong together.
//
// # Example
//
//	ctx = context.WithValue(ctx, userKey, user)
//	ctx = context.WithValue(ctx, tenantKey, tenant)
//	ctx = context.WithValue(ctx, roleKey, role)
//
// Use instead
//
//	type identity struct {
//		user   *User
//		tenant string
//		role   Role
//	}
//
//	type identityKey struct{}
//
//	ctx = context.WithValue(ctx, identityKey{}, identity{user, tenant, role})
//
//	id, ok := ctx.Value(identityKey{}).(identity)
//
// # Which rows are reported
//
// A row counts when its calls stand in one block and each extends the context of the one before; when three of
// its keys or more are read by one function, by itself or through accessors; and when nothing else stores those keys, tests
// aside. A value that is also attached by itself, or in one branch only, is left where it is.
//
// # Fix safety
//
// The finding is to be mended by hand: what the struct is called, and what a reader does when it is absent, is
// not written in the program. Values that are stored as a map are the business of mapvalue.
package valuechain
