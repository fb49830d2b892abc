// Package freshctx reports context.Background() and context.TODO() handed to a call where a context is in scope: a
// parameter, that of a request or of a web framework, that of a test.
//
// # Why it is wrong
//
// Work that starts from nothing goes on when nobody waits for it any longer: the client has hung up, the deadline
// has passed. It also loses what the context carries: the trace, the request's logger, the user.
//
// # Example
//
//	func (s *Server) Profile(w http.ResponseWriter, r *http.Request) {
//		u, err := s.users.Find(context.Background(), r.FormValue("id"))
//		...
//	}
//
// Use instead
//
//	func (s *Server) Profile(w http.ResponseWriter, r *http.Request) {
//		u, err := s.users.Find(r.Context(), r.FormValue("id"))
//		...
//	}
//
// Functions that do nothing but return what context.Background or context.TODO gives count as these, unless their comment explains why.
//
// # What is no finding
//
// Some work must not end with its caller, and is left alone:
//
//   - deferred code, a test's Cleanup, context.AfterFunc, and what comes after <-ctx.Done(), after the cancel function or
//     after Wait of the group that the context belongs to: the context may have ended there. A variable that holds ctx.Done() counts,
//     and so does a channel that is closed when a context has ended
//   - what comes behind a call that returns because a context has ended, and does not say so by an error: of a function of the program or
//     a literal that waits for it, or that ends a loop with it; of another one, or of an interface or function value, that gets nothing but a
//     context, its channel, functions, durations and channels, and returns nothing. And what comes behind Wait of a group that counts goroutines which work
//     until then
//   - what comes behind a loop that ends with a context: by its condition, by break or goto where ctx.Err() is not nil, where an error is
//     that of a context, or where a call that is given one fails
//   - what comes behind a loop over a channel that belongs to a context, over an iterator that does and whose errors do not leave the function,
//     and over rows or lines that do, until they have been asked for their error
//   - what comes behind a call of what a goroutine or AfterFunc works on when it has waited for the end of a context, a server that it closes
//     for example, unless the function leaves for every error of that call; behind a loop whose condition asks what is set there, or the
//     deadline of a context
//   - what comes while a variable holds the error of a call that was given the context and no statement has left the function, or the
//     turn of a loop, because of it; what the error is gathered, stored or counted in holds it as well, also where a goroutine does so that is
//     waited for, and so does what is received from a channel of errors, and a number, a text or a bool of a function that deals with errors itself
//   - what comes behind a process, or other work that was made with the context, when no statement has left the function because of its error
//   - closures that are called in such a place, and functions that get the context there from a caller, or from a caller's caller
//   - what handles the error of a call that was given the context, or that reads the body of a request or writes a response, and calls that roll back, unlock, close, shut down, deregister or undo
//   - goroutines that make their own, which rule detachedgo looks at; those that nobody waits for, also when one of them waits for
//     another; those that are waited for by a function that asks itself whether its context has ended, calls a
//     cancel function in between, also deferred behind the deferred wait, starts them in a loop that ends with the context, to let them
//     finish, or sends them what to work on where the context may have ended
//   - functions that run at another time than they are written:
//     sync.Once, singleflight, callbacks, iterators; and those that would see another value of the variable, since it is assigned to
//     when the function literal has been made
//   - a context that is stored, returned or started with, also by a function behind a function value or an interface, or whose
//     cancel function is; a call whose result is
//     stored in a package variable, in the receiver, or leaves the function and may need the context there: a client, a connection, a
//     transaction, a row, a cache entry; a process that is not waited for on every path
//   - a context that is given, with a function without results or a channel to send on, to code that is not there to be seen: a subscription
//     lives as long as its context
//   - work for others as well: callers find an entry that was made before the call, and wait for it; what a call returns is kept for
//     them, also when it has failed; a call gets what the receiver has collected, which is thrown away afterwards; its failure is stored or counted
//     in the receiver or a package variable, there or by a method of it; what the function has asked for gets another value behind it, whether
//     it fails or not
//   - a call whose failure ends the program, outside of main and what only main calls
//   - a call on which the code behind it relies: it returns an error alone, or nothing, that is dropped or leaves things as they are, and
//     what it is a method of, or what it hands its context to, is given back behind it or by deferred code: a lock, a place in a
//     semaphore; it comes behind goroutines that give theirs back, and waits for them; or its failure panics
//   - a call that is repeated until it succeeds: by a loop that has no other way out but what the failure of other calls opens, around the call,
//     around a call of its function, or in a function that is given the literal around it. It would fail for ever when the context has ended.
//     A loop that counts its turns, looks at the clock, asks the context or goes over something is none
//   - a context that tests expect to see: in tests of a package where one that is made from nothing is handed to what may compare it, as a
//     mock is told its arguments, by a parameter of any value; and for calls that such a mock expects, by its method of the same name or
//     by a text, at once or further down. A context with a caller behind it equals itself alone, and the test would fail
//   - a call that another branch makes with the context in scope, of a function from elsewhere with the same other arguments; a
//     variable that is given the one in scope on another way: somebody has chosen
//   - ctx = context.Background() where ctx may be nil, and parameters to which nil comes: a call passes it, a variable or a field that was never
//     set, or what it was given as nil itself; a struct that embeds a context and is made without one
//   - a function without a context in scope: also one whose body only calls its twin that takes ctx
//   - a comment at the place says why, or that of the function says that it uses one of its own
//   - tests, and functions that tests call, that register a Cleanup, and modules before go 1.24, which have no t.Context; calls of a function that registers one,
//     itself or by what it calls, and of functions from elsewhere and function values that may do so
//
// # What the fix does
//
// The context in scope takes the place of the fresh one: of several, the one that is given or derived by a value,
// innermost first, before one with a timeout of its own. A parameter named _ gets its name. ctx := context.Background() where an
// outer ctx is in scope goes, as long as nothing is assigned to the inner one, and leaves comments above and behind it where they are, unless they
// say what was to be done; so does a
// statement without a comment that puts a fresh context in the place of the parameter, whatever that is. All places of one test change
// together.
// A function of the program that only made fresh contexts stays, also when nothing calls it any longer.
//
// # Fix safety
//
// Review: the work now ends when the caller gives up, and sees the values of the caller's context, a transaction for
// example.
//
// # When it is blocked
//
//   - comment: a comment inside the call would be lost
//   - cgo, symlink: the place lies in a file that is not to be edited
//   - type-errors: the package does not type-check
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code and goes first
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package freshctx
