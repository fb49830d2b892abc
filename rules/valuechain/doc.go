// Package valuechain reports values that are attached to a context one after the other, three or more of them, by one function or by a
// row of middlewares, and that other code reads together.
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
//	u, ok := ctx.Value(userKey).(*User)
//	return u, ok
//
// Use instead
//
//	type contextValues struct {
//		user   *User
//		tenant string
//		role   string
//	}
//
//	type contextValuesKey struct{}
//
//	ctx = context.WithValue(ctx, contextValuesKey{}, contextValues{user: user, tenant: tenant, role: role})
//
//	values, ok := ctx.Value(contextValuesKey{}).(contextValues)
//	return values.user, ok
//
// # Which rows are reported
//
// A row counts when its calls stand in one block and each extends the context of the one before, by a variable, a request
// (r = r.WithContext(...)) or a framework's context (c.SetUserContext(...)); when three of
// its keys or more are read by one function, by itself or through accessors; and when all rows that store one of those keys
// store the others as well. A key may also have a writer of its own, but not more of them than rows; tests do not count. A value that
// is attached in one branch only is left where it is.
//
// A call of a function that does nothing but attach what it is given, WithUser(ctx, u), counts as a link as well.
//
// Middlewares of one package, and other functions that attach one value each, make a row where one place nests their calls, hands
// them to one call or one after the other to the same one, or calls them in a row on one context; none of them may be used
// elsewhere without the others. Such a row is to be mended by hand, since a middleware is more than its value: it may answer by
// itself, and what it hands on to computes its own value when it has attached its. The finding says which it is.
//
// # What the fix does
//
// One struct type with a field for each value, and one empty struct type as its key, or a constant where --key-style asks for one, are
// declared where the keys are, or in the package of --key-package, which is made if need be. The calls of a row become one, in the place of the last; a value that would be computed at another time, or in another order, is
// kept in a variable where it is computed now. Functions such as WithUser that only rows called go. A writer that stores one of the values sets that field in a copy of
// the struct that the context carries, so the others stay what they are. Where some contexts carry a part of the
// values only and a reader asks, a field such as hasRole says whether the value is there. Readers become reads of fields, those of
// one context in one block by one look-up; a read that is more than that, without an assertion or with one that panics where the value
// may be missing, calls a function that returns what the context returned. Other packages call accessors, the struct is exported for them (see
// --accessors, --key-package). The old keys and their types go when nothing else uses them;
// constants beside them that count up and are nothing but keys count anew.
//
// # Fix safety
//
// Review. A reader finds what it found before, absence included, and a read that panicked still does. What it costs is for the
// reader of the diff to judge: names of the struct are made from those of the keys, and a writer of one value copies them
// all. Keys that importers can name go as well when a command of the program contains them, which is noted.
//
// # When it is blocked
//
//   - between: code uses a context that carries a part of the values, or may leave between them
//   - chain, scope, order: the calls of a row hang together in a way that cannot be undone
//   - twice: a row stores one of the values twice
//   - presence: nil is stored
//   - value-type: a key carries values of several types, or one is asserted to be of a type that is never stored (see keyclash):
//     the mistake has to be mended first, since nobody would see it behind a field
//   - reads: half of the reads or more, those of tests left out, lie in other packages and take a value as the context returns it;
//     each value would need an exported function that returns any
//   - context: a value is looked up in something with fewer methods than context.Context
//   - exported: a library's importers can name a key
//   - forwarder: a function whose callers choose the key stores it or looks it up
//   - dependency, store, dynamic, other-use, excluded-file, type-errors: not all places of a key are known (see builtinkey)
//   - generated, cgo, symlink: a place lies in a file that is not to be edited
//   - placement: the keys are declared in several packages, a package that needs the struct cannot import it, or cannot name the type of a value
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - comment: a comment inside an expression or on a line that goes would be lost
//   - conflict: another fix changes the same code
//   - does-not-compile, edit: a guard; the result would not type-check, or a file could not be edited as planned
//
// Values that are stored as a map are the business of mapvalue.
package valuechain
