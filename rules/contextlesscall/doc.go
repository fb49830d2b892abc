// Package contextlesscall reports calls of functions that take no context, beside a context in scope, where the
// same package or type has one that does: exec.Command and exec.CommandContext, db.Query and db.QueryContext.
//
// # Why it is wrong
//
// A query, a request or a process that does not know its caller's context goes on when the client has hung up
// or the deadline has passed, and whatever stops the caller cannot stop it.
//
// # Example
//
//	func (s *Store) Count(ctx context.Context) (n int, err error) {
//		err = s.db.QueryRow("SELECT count(*) FROM users").Scan(&n)
//		return n, err
//	}
//
// Use instead
//
//	func (s *Store) Count(ctx context.Context) (n int, err error) {
//		err = s.db.QueryRowContext(ctx, "SELECT count(*) FROM users").Scan(&n)
//		return n, err
//	}
//
// # What the fix does
//
// The counterpart is found by its signature: FooContext, FooWithContext or FooCtx in the package, or in the method set,
// of the function called, with a context in front of the same parameters and with the same results. Of the
// standard library these are known besides: net.Dial and net.DialTimeout become DialContext of a net.Dialer, net.LookupHost
// and the like the methods of net.DefaultResolver, Begin of a database becomes BeginTx(ctx, nil), tls.Dial
// DialContext of a tls.Dialer where the result may be a net.Conn.
//
// http.Get, Head, Post and PostForm, as functions and as methods of a client, become a request made with the context in front, and Do. An
// error of the request is handled as one of the call: the check behind it is written twice. Where there is none, or one that
// does not fit, the finding says what to write.
//
// # What is no finding
//
//   - places where the context may have ended, as for freshctx: deferred code, after <-ctx.Done(), the handling of an error that
//     may come from it, what comes while such an error is held or behind a process that ends with it; goroutines that nobody waits for, and functions that run at another time. Log entries of log/slog are written there as well
//   - what goes on when the function returns: a process that is started and not waited for on every path; results that are returned, stored or
//     handed to a goroutine, or to a function that runs when a context has ended, as one that stops a process in order does; a
//     counterpart in the program that stores the context, or starts what nobody waits for with it
//   - work for others as well, as for freshctx: an entry that others wait for, failures that are kept, stored or counted for others, what has been collected;
//     calls whose failure ends the program, outside of main and what only main calls
//   - a counterpart that sets something up: it cannot fail, and what it returns gets the context of each call by itself. What it does with its
//     own context, and whether callers share less than before, as the keys of a verifier, is not known
//   - a counterpart that returns nothing and may end early: one of the program that asks the context for its end, or passes it to what can
//     fail; one from elsewhere, unless it gets a text, as what writes a log does. Nobody would know that the work is not done
//   - a call on which the code behind it relies, as for freshctx: a lock that is given back whatever became of it, a failure that panics
//   - what is repeated until it succeeds, as for freshctx; a function whose counterpart is called with the context in another branch
//   - a request that gets its context by WithContext or Clone
//   - net.Listen: the context of a net.ListenConfig would end the look-up of the address only
//   - the counterpart itself, which may be made of the function
//   - a comment at the place that explains the context; tests
//
// # Fix safety
//
// Review: the call now ends with the context: a process is killed, a query is broken off, a transaction is rolled back.
//
// # When it is blocked
//
//   - comment: a comment would be lost
//   - effects: an argument that would be evaluated earlier or later has effects
//   - name: no name is free for the request; edit: it has no line for itself, or the form is no url.Values
//   - cgo, symlink: the place lies in a file that is not to be edited
//   - excluded: some builds contain the call and not the counterpart
//   - type-errors: the package does not type-check
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code and goes first
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package contextlesscall
