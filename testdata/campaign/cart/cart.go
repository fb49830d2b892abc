// Package cart keeps what a customer wants to buy.
package cart

import (
	"context"
	"net/http"
)

// Owner makes the customer of a request known to what handles it.
func Owner(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), "customer", r.Header.Get("X-Customer"))
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// Of returns the lines of the customer's cart.
func Of(ctx context.Context, carts map[string][]string) []string {
	customer, _ := ctx.Value("customer").(string)
	return carts[customer]
}
