// Package missingparam reports functions that start from a fresh context although a caller, or a caller of a
// caller, has one.
//
// # Why it is wrong
//
// A context made by context.Background or context.TODO in the middle of a call chain is never cancelled, has no deadline and
// carries no values. The request ends, its work goes on; the trace breaks; a timeout set above has no effect
// below.
//
// # Example
//
//	func (s *Store) Load(id int) (*User, error) {
//		row := s.db.QueryRowContext(context.Background(), "SELECT name FROM users WHERE id = ?", id)
//		...
//	}
//
//	func (h *Handler) User(w http.ResponseWriter, r *http.Request) {
//		u, err := h.store.Load(42)
//		...
//	}
//
// Use instead
//
//	func (s *Store) Load(ctx context.Context, id int) (*User, error) {
//		row := s.db.QueryRowContext(ctx, "SELECT name FROM users WHERE id = ?", id)
//		...
//	}
//
//	func (h *Handler) User(w http.ResponseWriter, r *http.Request) {
//		u, err := h.store.Load(r.Context(), 42)
//		...
//	}
//
// # What the fix does
//
// The function gets a parameter ctx, and so does everything between it and the callers that have a context: methods with
// their interfaces and all other implementations, function literals, function types and the functions stored in them, the
// functions of other platforms. Calls pass the context they have. Callers that no context reaches make one on the spot,
// as the function did; a method handed to code outside the program is wrapped there. Goroutines pass
// what is at hand when their caller waits for them, context.WithoutCancel of it otherwise; deferred calls a context of their own.
//
// The statement that made the context goes. Comments above and behind it stay, unless they are a to-do or a directive.
//
// With --api preserve, the default, an exported function of a package that other modules can import keeps its
// signature. It gets a twin, FooContext, and becomes a deprecated wrapper marked go:fix inline, so that go fix moves
// importers over. --api break changes it.
//
// # What is no finding
//
//   - functions that only call their twin: Query beside QueryContext
//   - functions called to clean up: by defer, or after a context has ended; a context for calls that roll back, unlock, undo, close or
//     shut down
//   - a context for a call that is repeated until it succeeds, as for freshctx: by a loop of the function, or of one that calls it
//   - a context that a test expects to see, as for freshctx: a mock is told that the call gets one made from nothing
//   - a place with a comment that explains the context, or a function whose comment says that it uses one of its own
//   - a context that lives on when the function has returned: it is stored, a goroutine gets it, or it goes into the
//     making of a client, or of a request that is stored or whose answer is returned; a function that derives a context for its callers is judged by what they do with it
//   - what is made once and kept for all that come later, a client on first use for example: the first caller must not end it;
//     nor work that others wait for or whose failure they are given, nor what has been collected from many and is sent by the last;
//     nor calls whose failure is stored for others, puts the work off for them, or ends the program outside of main
//   - a call on which the code behind it relies, also that of a caller, as for freshctx: a lock that is given back whatever became of it,
//     a failure that panics
//   - a context that makes no difference to the work: only calls that cannot fail get it, logging for example, or calls of code
//     elsewhere whose results nobody looks at. Where the function gets a parameter for another reason, these use it too
//   - code that only goroutines reach, callbacks that may run later, main, init and tests
//   - tests
//
// # Fix safety
//
// review: work that went on when its caller gave up is now cancelled with it, and sees the values of its context.
//
// # When it is blocked
//
//   - foreign-interface, foreign-callback: code outside the program decides about the parameters of a function that has to
//     change
//   - api: importers may implement or use an interface, type or field that has to change (--api break)
//   - name-taken: the twin's name means something already, or would make a type satisfy another interface
//   - fixed-type, reflection: a function is stored in an interface, has no body in Go, is named by a directive, or may be found by
//     its name when the program runs
//   - mock, generated, vendored, cgo, symlink: a file that has to change is not to be edited; for mocks the commands
//     to run are named
//   - entry-point, has-context, gives-context: the run-time system calls a function on the way, it takes a context in another
//     place, or it is where callers get theirs from
//   - excluded, type-errors: a file that was not type-checked may use the function, or declares one of its own for another build
//   - spread-call: a call gets all its arguments from another call
package missingparam
