// Package hiddenparam reports values that a function needs and gets inside a context from callers in the same program.
//
// # Why it is wrong
//
// What a function cannot work without belongs into its signature. Inside a context nobody sees it: the compiler accepts a
// call without it, which then panics or fails when the program runs; tests have to know what to put in; its type is asserted
// over and over. Contexts are for what crosses code that knows nothing of it, from a server to a handler for example.
//
// # Example
//
//	func WithUser(ctx context.Context, u *User) context.Context {
//		return context.WithValue(ctx, userKey{}, u)
//	}
//
//	func UserFrom(ctx context.Context) (*User, bool) {
//		u, ok := ctx.Value(userKey{}).(*User)
//		return u, ok
//	}
//
//	func save(ctx context.Context, text string) error {
//		user, ok := UserFrom(ctx)
//		if !ok {
//			return errors.New("no user")
//		}
//		...
//	}
//
//	func publish(ctx context.Context, text string) error {
//		ctx, cancel := context.WithCancel(ctx)
//		defer cancel()
//		return save(ctx, text)
//	}
//
//	func main() {
//		ann := &User{"ann"}
//		ctx := WithUser(context.Background(), ann)
//		if err := publish(ctx, "hello"); err != nil {
//			...
//		}
//	}
//
// Use instead
//
//	func save(ctx context.Context, user *User, text string) error {
//		...
//	}
//
//	func publish(ctx context.Context, user *User, text string) error {
//		ctx, cancel := context.WithCancel(ctx)
//		defer cancel()
//		return save(ctx, user, text)
//	}
//
//	func main() {
//		ann := &User{"ann"}
//		ctx := context.Background()
//		if err := publish(ctx, ann, "hello"); err != nil {
//			...
//		}
//	}
//
// # What the fix does
//
// Every context that reaches a reader is followed back to where the value was stored in it: through variables, derived
// contexts, functions that return contexts, function literals, and calls of functions, methods and methods of interfaces. The
// functions on the way, and no others, get a parameter behind their context; interfaces change with all their
// implementations, tests with the code that they call. Calls pass the variable that was stored; what was computed on the spot,
// or may change until then, gets a variable. Where all readers take the zero value for an absent one, as they do for flags, calls
// that have none pass that. Readers use the parameter, and what they did for want of the value goes. When the
// last reader has gone, so does everything that stores the value, with accessors, the key, and its type.
//
// With --api preserve, the default, signatures that importers may rely on stay, and so do accessors that they may call.
// --api break changes them.
//
// # What is no finding
//
//   - values that code can do without: no reader panics or returns an error when the value is missing, and none is steered by it
//   - values of types that the program does not declare: loggers, spans, transactions. Of basic types, strings and numbers
//     among them, only what a function cannot work without or is steered by
//   - values that cross code which only contexts cross: some place stores them for a handler, a callback, a goroutine pool or
//     a stored context, and no static call leads from there to a reader. Authentication in middleware is of this kind
//   - values that only methods without results are called on, as on what takes notes
//   - values that more than ten functions would have to pass on
//   - values that only tests store, or read
//
// # Fix safety
//
// review: a reader no longer notices a missing value, since it cannot be missing; code in other modules that stores or reads
// the value by the same key does not do so any more.
//
// # When it is blocked
//
//   - absent: a reader is reached with a context that lacks the value
//   - several: a reader is reached with one value or another, depending on what happened before
//   - unclear: a function literal that may run at any time assigns to a variable that holds the context, or it cannot be followed
//     for another reason that is named
//   - request, interface, stored, channel: the context of a reader comes from a request, an implementation of an interface,
//     a field or a variable of the package, a channel
//   - foreign-interface, foreign-callback, function-value: code outside the program, or whoever holds a function value,
//     calls a function on the way
//   - forwarder, dynamic, dependency and the other reasons of builtinkey: who stores and reads the value is not known
//   - writer: a function makes the value and stores it, and those who use its context do not see the value
//   - form: what is read goes on as any, or whether it is there is asked in a way that cannot be settled
//   - type: readers expect different types, or whether an interface is nil is told from whether it is there
//   - api: importers may call a function that changes or goes (--api break)
//   - effects, scope, comment, empty, unused, accessor: removing what stores the value takes a hand
//   - mock, generated, vendored, cgo, symlink, excluded, type-errors: a file that has to change is not to be edited, or was not
//     read
package hiddenparam
