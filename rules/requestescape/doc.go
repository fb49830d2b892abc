// Package requestescape reports goroutines that outlive the handler that starts them, and work with the context of its
// request.
//
// # Why it is wrong
//
// The server ends the context of a request when its handler has returned. Whatever a goroutine does with that context afterwards
// is broken off: the mail is not sent and the job is not stored, most often under load, when the handler is the faster one.
//
// # Example
//
//	func (s *Server) Order(w http.ResponseWriter, r *http.Request) {
//		go s.mail.Confirm(r.Context(), r.FormValue("id"))
//		w.WriteHeader(http.StatusAccepted)
//	}
//
// Use instead
//
//	func (s *Server) Order(w http.ResponseWriter, r *http.Request) {
//		go s.mail.Confirm(context.WithoutCancel(r.Context()), r.FormValue("id"))
//		w.WriteHeader(http.StatusAccepted)
//	}
//
// # What the fix does
//
// The goroutine gets context.WithoutCancel of the context: its values without its end. An argument is wrapped; a literal that
// captures the context gets a parameter for it.
//
// # What is no finding
//
//   - a goroutine that the handler waits for, by a group or a channel, and handlers that wait for anything once it is started:
//     a select, a receive, a loop that is endless, over a channel, or as long as a call with a context says so; or may wait by what it shares with the goroutine: a pool that it stops, a semaphore that it
//     fills, a method of what holds the group
//   - a goroutine that asks the context for its end, itself or by a function that waits for nothing else: it is there to see it
//   - a goroutine that may go on until the context ends: it works with it in a loop that has no condition, or one about what a call with a
//     context returns, in a loop over a channel or a function that it leaves on the way, or with what a call with a context opened: a channel,
//     an iterator
//   - log entries of log/slog, and functions of the program that only look values up: they do not mind an end
//   - a context that is a parameter: whose it is cannot be told here, but for the methods of a gRPC service that the program
//     registers, and interceptors. What consumes a queue has no type that tells it from others
//   - a comment at the place that explains the context; tests
//
// # Fix safety
//
// Review: the work goes on when the client has hung up. Give it a deadline of its own if it may hang.
//
// # When it is blocked
//
//   - go-version: context.WithoutCancel needs go 1.21 in go.mod
//   - own-end: the context has a deadline, a cancel function or a group of its own, which the goroutine would lose with the end of the request
//   - inherit: --goroutines inherit lets goroutines end with their caller
//   - edit: a group, a timer or a pool dictates the literal's parameters, and no line is free in front of it, or the file cannot
//     be edited as planned
//   - name: no name is free for the context
//   - cgo, symlink: the place lies in a file that is not to be edited
//   - type-errors: the package does not type-check
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code and goes first
//   - does-not-compile: the result would not type-check
package requestescape
