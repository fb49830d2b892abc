// Package detachedgo reports goroutines that start from nothing, context.Background() or context.TODO(), where a context is in
// scope; and goroutines that loop for ever there without asking whether they should end.
//
// # Why it is wrong
//
// A goroutine that its caller waits for should end when the caller gives up: otherwise everybody waits for work that nobody
// wants. One that outlives its caller must not end with it, but still belongs to a request: its queries and log entries
// lack the trace and whatever else the context knows.
//
// # Example
//
//	func (s *Server) Show(w http.ResponseWriter, r *http.Request) {
//		id := r.FormValue("id")
//		text := make(chan string)
//		go func() {
//			t, _ := s.service.Load(context.Background(), id)
//			text <- t
//		}()
//		go s.service.Audit(context.Background(), id)
//		_, _ = w.Write([]byte(<-text))
//	}
//
// Use instead
//
//	func (s *Server) Show(w http.ResponseWriter, r *http.Request) {
//		id := r.FormValue("id")
//		text := make(chan string)
//		go func(ctx context.Context) {
//			t, _ := s.service.Load(ctx, id)
//			text <- t
//		}(r.Context())
//		go s.service.Audit(context.WithoutCancel(r.Context()), id)
//		_, _ = w.Write([]byte(<-text))
//	}
//
// # What the fix does
//
// How long a goroutine lives is decided by evidence, which the finding names. The function that starts it waits for it when it
// calls Wait of the group that counts it, receives from a channel that it sends on or closes, or does so through another
// goroutine that it waits for: it gets the context. Otherwise it outlives the function and gets context.WithoutCancel(ctx): the
// values without the end. --goroutines inherit passes the context everywhere, --goroutines detach its values alone, whatever the
// evidence.
//
// Evidence is proof only when the goroutine does nothing with a context behind what it tells: the send, the close or the Done is
// deferred, or the last thing that it does. The function has to come to its wait on every way from the start to its end, or to the end of
// a context that ends the goroutine's as well, and to receive as often as goroutines send: in a loop like the one that starts
// them, as many times as there are starts, once in each turn that starts one, or until the channel is closed. Otherwise it is unclear how long the goroutine lives; so it is
// when its channel or its group leaves the function or is another one by then, and when the function may wait by what it
// shares with the goroutine in another way, a pool or a semaphore.
//
// A literal of a go statement gets a parameter, a call an argument. Where a goroutine runs a function that takes no context and
// makes one, itself or through others, these get a parameter as with missingparam, and their other callers pass what they have.
// Literals that are handed to a group, a timer or a pool use the context around them, that of the group if it has one; what has
// to be asked for it, a request for example, is asked before they start when nobody waits for them. So is what gets another value later:
// ctx, cancel := context.WithTimeout(ctx, d) behind the start, or in the next turn of a loop.
//
// Goroutines are started by go statements, by Go of what has a Wait, by time.AfterFunc, and by Submit of a pool.
//
// # What is no finding
//
//   - a context that a test expects to see, as for freshctx: a mock is told that the call gets one made from nothing
//   - a goroutine that is given a context; deferred code in it, and what it does when it has received from Done
//   - a goroutine that is to finish though its context has ended: the function calls the cancel function before it waits, or defers it
//     behind a deferred wait, which then comes later; it waits for the end of the context first; or it starts goroutines in a loop that ends
//     with the context, or when a call in it that is given one fails, and waits behind the loop. A context in scope that this does not
//     end is passed instead
//   - a goroutine that receives from a channel, when something is sent on it, or the channel is closed while the goroutine goes on behind
//     that, where the context may have ended: after <-ctx.Done(), deferred, or with the error of a call that was given the context. It gets
//     the last word about what has failed
//   - a context that is stored, or whose cancel function is: it is the life of something; one that a function goes on with, by a
//     goroutine of its own for example, where the goroutine is waited for
//   - work in a goroutine that is waited for, but that others wait for as well, by an entry which they find
//   - in such a goroutine, a call on which the code behind it relies, as for freshctx: a lock that is given back whatever became of it
//   - a call that is repeated until it succeeds, as for freshctx, in a goroutine that is or may be waited for: nobody would come back from the wait
//   - work that is started in sync.Once and other functions that run at another time than they are written
//   - calls that roll back, unlock, close, shut down, deregister or undo; and what nobody waits for and a loop does that has no end, or that goes on until a
//     channel is closed: it serves a connection, or a queue, and not the call that has started it
//   - functions without a context that have a twin with one, and those whose calls cannot fail: they log
//   - a comment at the place that explains the context, or one of the function that says it uses one of its own
//   - a loop that can be left, that receives from a channel, or that hands a context to what it calls
//
// # Fix safety
//
// Review: a goroutine that is waited for now ends with its caller. Both kinds see the values of the context, a transaction for
// example, which must not be used when it has been committed.
//
// Endless loops are reported without a fix: the finding lies where the select belongs.
//
// # When it is blocked
//
//   - unclear: how long the goroutine lives is unclear; choose with --goroutines
//   - go-version: context.WithoutCancel needs go 1.21 in go.mod
//   - name: no name is free for the context; edit: no line is free in front of the goroutine's start
//   - comment: a comment inside the call would be lost
//   - cgo, symlink: the place lies in a file that is not to be edited
//   - type-errors: the package does not type-check
//   - foreign-interface, api, fixed-type and others of missingparam: a function on the way cannot get a parameter
//   - suppressed: a place carries a //ctxmend:ignore comment
//   - conflict: another fix changes the same code and goes first
//   - does-not-compile: the result would not type-check; edit: a file cannot be edited as planned
package detachedgo
