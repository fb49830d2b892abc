// Package splitkey reports one text that is used as a context key under two types, or beside an empty struct type, or a
// counted constant, named after it: what is stored under the one is looked up under the other, which is another key.
//
// # Why it is wrong
//
// A context compares keys with ==, and "user" does not equal contextKey("user"). A migration to a typed key that forgets
// one reader, or one test, compiles, and that reader finds nil for ever.
//
// # Example
//
//	const userKey contextKey = "user"
//
//	ctx = context.WithValue(ctx, userKey, u)
//	u, ok := ctx.Value("user").(*User)
//
// Use instead
//
//	u, ok := ctx.Value(userKey).(*User)
//
// and from another package an accessor
//
//	u, ok := auth.UserFrom(ctx)
//
// # What the fix does
//
// All places of the key of built-in type use the typed key. Of two typed keys the one that is both stored and looked up outside
// of tests stays, else the one that is stored; the other one where its package cannot be imported. Other packages use the key's name when it is exported, else an accessor, which is added
// when there is none. A call of a function that does nothing but look up the key it is handed, get(ctx, "user") or
// Get[*User](ctx, "user"), becomes that accessor too, or the look-up itself where the function asks for the old type. A
// constant, a type, and such a function that are left without use go, unless they are exported.
//
// # Fix safety
//
// Review: the look-up begins to find a value. A key is reported when it is only stored, or only looked up, and no
// dependency, no context type with a store of its own, no key computed at run time and no importer can be the other
// half; when exactly one key of the same text is used the other way round, in a program that contains both; and when
// what is stored can be what is asserted. A text that only tests look up is left alone: they ask whether it is gone; so
// is a text, or a key that tests declare, that only tests store and that mention nowhere again what they store: they
// ask that it is ignored. A text and an empty struct type of its name ("user" and userKey{}), or a constant of its name
// that is a number (userKey = iota), or two of those, are a pair only if what is stored under the one has the very type
// that is asserted of the other, and that type is declared in the program or both keys lack their other half.
//
// # When it is blocked
//
//   - forwarder: a place hands the key to a function that asks for the old type and does more than look it up
//   - placement: a place cannot name the key and is no look-up an accessor could replace
//   - dependency, store, dynamic, other-use, excluded-file, type-errors: as for builtinkey, when the key to be replaced is
//     used on both sides
//   - comment: a comment inside a look-up would be lost
//   - generated, vendored, cgo, symlink: a place lies in a file that is not to be edited
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package splitkey
