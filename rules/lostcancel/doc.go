// Package lostcancel reports cancel functions that are dropped, or not called on every path through the function.
//
// # Why it is wrong
//
// A derived context, its timer and what waits for its end stay until the parent ends, which for the life of a server is never.
// The cancel function is to be called when the work is done, also when there is a timeout.
//
// # Example
//
//	func count(ctx context.Context) error {
//		short, _ := context.WithTimeout(ctx, time.Second)
//		return fetch(short)
//	}
//
// Use instead
//
//	func count(ctx context.Context) error {
//		short, cancel := context.WithTimeout(ctx, time.Second)
//		defer cancel()
//		return fetch(short)
//	}
//
// # What the fix does
//
// The cancel function gets a name, unless it has one, and is deferred on the line below. Calls of it that are there stay: calling it
// twice does no harm.
//
// # What is no finding
//
// A line with //nolint for all linters, for govet or for lostcancel: somebody has looked at it.
//
// # Fix safety
//
// Review: the context now ends when the function returns. With signal.NotifyContext the signals then do what they do by default: a second
// one may end the program while it shuts down.
//
// # When it is blocked
//
//   - kept: the context is stored, returned, or given to a goroutine that may outlive the function; or to a function value
//     or a method of an interface that may do so; or, with a function without results or a channel to send on, to code that is not there to be
//     seen: a subscription; what a call has made with it leaves the function and may need it then: a transaction, a
//     row, a reader, a process that is not waited for on every path; the cancel function itself is stored, returned or passed on;
//     a test's Cleanup, context.AfterFunc or a subtest that runs in parallel works with it: these run when the function has returned
//   - order: code that is deferred before works with the context, or with what a call has made with it, a transaction for example, or waits
//     for a goroutine that does: the cancel function would run first
//   - loop: a defer in a loop runs when the function returns, not when the turn ends
//   - name: no name is free for the cancel function
//   - edit: the statement declares nothing, or has no line below it; or the file cannot be edited as planned
//   - cgo, symlink: the place lies in a file that is not to be edited
//   - type-errors: the package does not type-check
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code and goes first
//   - does-not-compile: the result would not type-check
package lostcancel
