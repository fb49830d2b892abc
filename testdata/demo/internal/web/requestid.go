// Package web has the parts of request handling that do not depend on what is served.
package web

import (
	"context"
	"crypto/rand"
	"net/http"
)

// RequestIDHeader names the header that carries the number of a request,
// and its value in the context.
const RequestIDHeader = "X-Request-ID"

// RequestID gives every request a number, that of its sender if it has one.
func RequestID(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.Header.Get(RequestIDHeader)
		if id == "" {
			id = rand.Text()
		}
		w.Header().Set(RequestIDHeader, id)
		ctx := context.WithValue(r.Context(), RequestIDHeader, id)
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
