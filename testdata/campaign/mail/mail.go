// Package mail writes to customers. It has nothing to be mended.
package mail

import "context"

type key struct{}

// With returns a context with the address of a customer.
func With(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, key{}, address)
}

// To returns the address of the customer.
func To(ctx context.Context) string {
	address, _ := ctx.Value(key{}).(string)
	return address
}
