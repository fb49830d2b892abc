// Package deadkey reports context keys that are stored and never read, and keys that are read and never stored.
//
// # Why it is wrong
//
// What nobody reads costs an allocation and one more step in every look-up behind it, and makes readers of the
// code search for a use that is not there. A key that nobody stores answers nil for ever, so the code
// behind it never runs: often the writer was renamed, or removed, and the reader forgotten.
//
// # Example
//
//	ctx = context.WithValue(ctx, startKey, time.Now())
//	return next(ctx, req)
//
// Use instead, when nothing reads startKey
//
//	_ = time.Now()
//	return next(ctx, req)
//
// # What the fix does
//
// The call of context.WithValue goes and its parent context takes its place; an assignment that is then without
// effect goes as a whole, and so does r.WithContext around it. What computing the stored value may
// do, besides giving a value, stays. A function that does nothing but store the value goes with its calls, unless importers
// or an interface may ask for it; a call of a function that takes the key goes when that function does nothing but store what
// it is handed. The declarations of the key and of its type go when nothing else uses them,
// unless they are exported; keys that are the last of their type go together. A key that is read and never
// stored is to be judged by hand, and so is one that is stored while a look-up under a key that nothing is stored under asks for
// the very type of its value, which the program declares or imports: that reader may mean it.
//
// # Fix safety
//
// Review. A key is reported only when every place where it can be made, handed on or looked up is seen:
// dependencies and what they are handed, context types with a store of their own, keys computed at run time and files
// left out of the build all count as readers and writers. Keys that importers can name are not
// reported, nor are keys of tests alone. Where importers can spell the key, and read it in packages that a command
// of the program contains, they will notice, and the fix says so; a library is left to a person. Code that prints a
// context, or compares two, can still tell. A call or another effect in what was stored stays as a statement; a panic
// through a nil pointer in it goes.
//
// # When it is blocked
//
//   - forwarder: the value is stored through a function that takes the key and does more than store
//   - accessor: a function that does nothing else may be called by importers, through an interface, or as a value, or
//     computes what it stores; remove it with its calls
//   - effects: the value is computed by a call in the middle of a larger expression, or several arguments are
//   - unused: a local variable would be left without use
//   - scope: a variable would only shadow another of the same value
//   - empty: nothing else stands in the block around it
//   - comment: a comment inside the call would be lost
//   - generated, vendored, cgo, symlink: a place lies in a file that is not to be edited
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package deadkey
