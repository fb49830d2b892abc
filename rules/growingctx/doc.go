// Package growingctx reports ctx = WithX(ctx, ...) in a loop, or in a function that is called again and again, where ctx belongs
// to the code around it.
//
// # Why it is wrong
//
// Each context holds on to the one that it was derived from. With every turn the chain grows by one: each look-up
// goes through all of it, and what was stored or started for one turn is seen by all that follow.
//
// # Example
//
//	for _, id := range ids {
//		ctx = context.WithValue(ctx, idKey, id)
//		load(ctx)
//	}
//
// Use instead
//
//	for _, id := range ids {
//		ctx := context.WithValue(ctx, idKey, id)
//		load(ctx)
//	}
//
// # What is no finding
//
//   - a context that is to grow: it is used behind the loop, returned, or asked for by the loop's condition
//   - a variable that is declared inside
//   - a comment at the place that explains the context
//
// # Fix safety
//
// Review: a turn no longer sees what those before it have stored.
//
// # When it is blocked
//
//   - condition: the statement stands in a block of its own, outside which the turn uses the context
//   - used-before: the turn uses what the last one has made of the context
//   - read-elsewhere: others see what the statement stores: a function literal or deferred code that captures the variable, the next
//     turn of a loop around, or whoever has its address
//   - unused: nothing behind the statement uses the context: declaring it would not compile
//   - other-variable: the statement assigns to something else as well, a cancel function for example
//   - cgo, symlink: the place lies in a file that is not to be edited
//   - type-errors: the package does not type-check
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package growingctx
