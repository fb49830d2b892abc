// Package mapvalue reports maps that are used as records and travel in a context: stored under a
// key, taken out with a type assertion, and read by constant indexes.
//
// # Why it is wrong
//
// A map says nothing about what is in it. A misspelt index compiles and reads nil, every read of a map[string]any needs a type
// assertion that fails at run time, and each map costs several allocations for every request. All holders of the
// context share it: one that writes while another reads crashes the program.
//
// # Example
//
//	ctx = context.WithValue(ctx, userKey, map[string]any{"id": 1, "name": "ann"})
//
//	m := ctx.Value(userKey).(map[string]any)
//	fmt.Println(m["id"].(int), m["name"])
//
// Use instead
//
//	type userInfo struct {
//		id   int
//		name string
//	}
//
//	ctx = context.WithValue(ctx, userKey, userInfo{id: 1, name: "ann"})
//
//	m := ctx.Value(userKey).(userInfo)
//	fmt.Println(m.id, m.name)
//
// # What the fix does
//
// A struct type named after the key is declared beside it, with a field for each index that is set or read.
// Literals, calls of make, declarations, parameters and results that name the map's type name the struct's,
// indexes become fields, and assertions on what is read go where the field has that type. All places change
// together, tests included, or none does. The type is exported when other packages need it. Where a map is written after
// others may hold it, they share the struct by a pointer. The key is not touched: one of built-in type gets its type, style and package
// (see --key-style, --key-package) from builtinkey, and the struct follows it in the same run. A map type that the program declares for the record becomes
// the struct where it is declared. Constants for indexes, and aliases of the map's type, go when nothing else uses them and importers
// cannot.
//
// # Fix safety
//
// Safe when every use of the map is seen, every index is constant, every map sets what is read of it, and nothing
// writes to a map after it was stored. Review when a field has to stay of the map's element type, when
// a field is read although the context may hold no map (that panicked, and becomes zero), when the struct is shared by a
// pointer, or when an exported function has the map in its signature.
//
// # When it is blocked
//
//   - escapes: the map reaches code where it has to be a map: a field, a function of another module, an interface value
//   - presence: the program asks whether a field is there, compares a map with nil that is not shared by a pointer, leaves fields out that are
//     read, or reads one that nothing sets, as it does where an index is misspelt
//   - shared: the map is written where others may hold it already, and read where there may be none: a pointer would panic
//   - value-type: the key carries other values as well, or no field has one type everywhere
//   - map-type: the map is of a dependency's type, such as jwt.MapClaims or http.Header, or of one that has methods or other uses
//   - key: the key is of a built-in type and several packages use it; it has to get a type first (builtinkey)
//   - forwarder: a function whose callers choose the key looks it up
//   - unread: nothing in the program stores the map that is read
//   - dependency, store, dynamic, other-use, excluded-file, type-errors: not all places of the key are known (see builtinkey)
//   - generated, cgo, symlink: a place lies in a file that is not to be edited
//   - placement: a package that names the struct cannot import the one that has the key
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - comment: a comment inside an expression that changes would be lost
//   - conflict: another fix changes the same code, and has to go first
//   - does-not-compile, edit: a guard; the result would not type-check, or a file could not be edited as planned
//
// Maps that are indexed by what is not constant, ranged over or counted are tables, and no findings. Neither is a map with
// elements of one type that nobody stores in the modules at hand: whoever does knows what else is in it.
package mapvalue
