// Package storedctx reports contexts that are kept where they outlive the call they belong to: in a field of a
// value that a constructor returns, in a map of values, in a package variable.
//
// # Why it is wrong
//
// A context belongs to one call: it ends when its caller gives up, and it carries what that caller knows. A method
// that works with the context of the call that made its receiver cannot be cancelled by whoever calls it, and may find
// a context that ended long ago.
//
// # Example
//
//	type Store struct {
//		ctx context.Context
//		db  *sql.DB
//	}
//
//	func NewStore(ctx context.Context, db *sql.DB) *Store { return &Store{ctx: ctx, db: db} }
//
//	func (s *Store) Delete(id int) error {
//		_, err := s.db.ExecContext(s.ctx, "DELETE FROM t WHERE id = ?", id)
//		return err
//	}
//
// Use instead
//
//	type Store struct{ db *sql.DB }
//
//	func NewStore(db *sql.DB) *Store { return &Store{db: db} }
//
//	func (s *Store) Delete(ctx context.Context, id int) error {
//		_, err := s.db.ExecContext(ctx, "DELETE FROM t WHERE id = ?", id)
//		return err
//	}
//
// # What is no finding
//
// Some types keep a context for good reason, and are left alone:
//
//   - the context is the life of the value: a cancel function, a channel to close or a group of goroutines lies
//     beside it, it is derived where it is stored, a goroutine is started with it, or its end is waited for
//   - the type is one of many that are started and ended by the methods of one interface: its context is that of the program
//   - the type is a context, hands its context out, or exchanges it, as http.Request does with Context and WithContext
//   - the methods that need it are dictated by an interface without ctx, io.Reader for example, from outside the program
//     or one that many types implement: there is no parameter that could be added
//   - a method of the type stores the context that it is given: Run, for example, after a constructor put a placeholder there
//   - the value belongs to the call that is given the context: a method of another type returns it, as a client returns an iterator
//   - the value is gone when the call is: what the constructor returns is used on the spot
//   - options and messages: structs without methods that work with the context
//   - a comment at the type or the field speaks of the context: whoever wrote it has thought about it
//   - calls that cannot fail, logging for example
//   - tests
//
// # Fix safety
//
// There is no fix yet: each method, and all its callers, need a ctx parameter. The finding names the methods,
// and the places where the context is kept and used. A package variable with a context derived together with its cancel
// function is the life of the program, and no finding.
package storedctx
