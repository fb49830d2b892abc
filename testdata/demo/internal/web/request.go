package web

import (
	"context"
	"net/http"
)

// requestContext answers for the request line as if it were a value of the context.
type requestContext struct {
	context.Context
	r *http.Request
}

func (c *requestContext) Value(key any) any {
	switch key {
	case "http.method":
		return c.r.Method
	case "http.path":
		return c.r.URL.Path
	}
	return c.Context.Value(key)
}

// RequestLine makes method and path of a request readable from its context.
func RequestLine(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		next.ServeHTTP(w, r.WithContext(&requestContext{r.Context(), r}))
	})
}
