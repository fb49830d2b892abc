// Package trace numbers orders.
package trace

import "context"

// With returns a context in which ID finds id.
func With(ctx context.Context, id int) context.Context {
	return context.WithValue(ctx, "order", id)
}
