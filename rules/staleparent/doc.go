// Package staleparent reports contexts that are derived with a timeout, a deadline or a cancel function and that no call gets, while
// their parent is passed on.
//
// # Why it is wrong
//
// The timeout was meant for the calls below it, and none of them knows of it.
//
// # Example
//
//	short, cancel := context.WithTimeout(ctx, time.Second)
//	defer cancel()
//	if err := fetch(ctx); err != nil {
//		return errors.Join(err, short.Err())
//	}
//
// Use instead
//
//	short, cancel := context.WithTimeout(ctx, time.Second)
//	defer cancel()
//	if err := fetch(short); err != nil {
//		return errors.Join(err, short.Err())
//	}
//
// # What is no finding
//
//   - a derived context that any call gets, at any time, or that is stored or returned: the parent is then used on purpose
//   - calls where the derived context may have ended: after its end has been received or its cancel function called, deferred, or
//     when an error is handled that may come from it
//   - parents that goroutines get which the function does not wait for, tests that run in parallel, or calls that may register
//     a test's Cleanup
//   - a select that waits for the end of the derived context: it is a timer there; so it is where the function asks
//     itself whether it has ended, in a condition of a loop around the call or of a statement beside it, or keeps its Done channel
//   - a comment at the place that explains the context
//
// A derived context that is dropped, _, cancel := context.WithTimeout(ctx, d), is reported without a fix.
//
// # Fix safety
//
// Review: the calls now end with the derived context, and see its values.
//
// # When it is blocked
//
//   - cgo, symlink: the place lies in a file that is not to be edited
//   - type-errors: the package does not type-check
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code and goes first
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package staleparent
