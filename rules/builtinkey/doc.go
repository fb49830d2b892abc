// Package builtinkey reports context keys of built-in type: strings, numbers and booleans, whether
// spelled as literals or reached through constants, variables, aliases, conversions,
// interface values or functions that pass a parameter on (forwarders). Reads are reported as well as writes.
//
// # Why it is wrong
//
// A context compares keys with ==. Two packages that both choose "user" share one value without
// knowing it: one overwrites what the other reads. The documentation of context.WithValue asks for
// a type of one's own for that reason.
//
// # Example
//
//	ctx = context.WithValue(ctx, "user", u)
//	u, ok := ctx.Value("user").(*User)
//
// Use instead, within one package
//
//	type contextKey string
//
//	const userKey contextKey = "user"
//
//	ctx = context.WithValue(ctx, userKey, u)
//	u, ok := ctx.Value(userKey).(*User)
//
// and from other packages the accessors that are added beside the key
//
//	ctx = auth.WithUser(ctx, u)
//	u, ok := auth.UserFrom(ctx)
//
// # What the fix does
//
// All places that write or read the key change together, tests included, or none does: half
// a migration compiles and reads nil for ever. When every place goes through one constant that is used only as a key,
// only its declaration is retyped. Literals in one package get a new declaration. When another package
// spells the key by itself, exported accessors are added in the package that owns the key; only the
// forms that are used, and none that the package has already. A package that only tests import owns no key of other code. A function whose parameter is the key gets a parameter of the key type, or
// converts it, so that calls which pass literals stay as they are.
//
// New keys look like those that the package has: constants of its key type, where no key of that type is made at run
// time or told from others by its type, empty struct types, or constants of an enumerated type, at the end, where
// nobody can see its numbers. --key-style struct, string or enum asks for another form.
//
// The same text is two keys where no program contains both: in the tests of packages that do not
// import each other, or in two main packages. Each gets a declaration of its own.
//
// Texts of tests that nobody stores, or nobody looks up, are no finding, nor are those that tests alone use beside a typed key of the
// same value or name: such a test makes sure that the text is none of the program's keys, which under a type of its own it would
// be whatever the program does. What tests store and the program reads changes with the program.
//
// A directive that silences a linter about the type of the key alone, //lint:ignore SA1029, goes.
//
// # In stages
//
// A key that a dependency uses, or that importers know by an exported constant, cannot change at once. With
// --stage expand its places go through accessors that store the value under the old key and
// a new, typed one, and look under the new one, then the old. Later runs report the old key as blocked
// (staged) with what it waits for; once nobody else uses it, --stage contract removes it.
//
// # Fix safety
//
// Safe when every place where the key can be written or read is seen: the stored values, their types,
// absence and panics stay what they were. Review when an exported constant of an importable package is
// the key, or an exported function takes it (importers elsewhere may use them), or when a key computed at
// run time may be this one. So it is when importers choose the key, or learn it, by any other thing they reach: a field,
// variable or table, the result of a function, a method that is promoted or behind an interface, an alias of an internal type, a constant made
// from the key or with its text. The note says which. Review as well when packages that others can import only read,
// or only write, tests aside: importers that spell the other half would notice, and get an accessor for it.
//
// # When it is blocked
//
//   - dependency: a package outside the program writes or reads the key, or is handed it
//   - store: a context type (a web framework's, for example) answers the key from a store of its own
//   - dynamic: a key computed at run time may be this one and nothing else writes (or reads) it; importers
//     store and look up under keys of their own by two functions of a package, of which only one would change; or a
//     template computes one, and the text is in a template
//   - other-use: the key's value also reaches code that is no look-up, or a template looks it up by its text: in a string
//     constant, or in a text file below a module's directory
//   - excluded-file: a file that the build configuration leaves out mentions the key
//   - type-errors: a package with the key does not type-check
//   - generated, vendored, cgo, symlink: a place lies in a file that is not to be edited
//   - forwarder: a generic function is told the key's built-in type by a type argument
//   - placement: no package can hold the key and be imported from everywhere it is needed
//   - staged: the old key of a migration in stages waits for others, or for --stage contract, and so does one that a function
//     looks up beside a typed key of the same text; or its places are of a form that cannot write and read two keys
//   - conflict: another fix changes the same code and goes first
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - comment: a comment inside a look-up would be lost
//   - startup: an import that goes is all that makes a program contain a package with an init function
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package builtinkey
