package web

import (
	"context"
	"net/http"
)

// A Session is what the browser remembers between requests.
type Session struct {
	ID   string
	Lang string
}

// Sessions reads the session cookies of a request, if there are any.
func Sessions(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		if c, err := r.Cookie("session"); err == nil {
			s := &Session{ID: c.Value}
			if l, err := r.Cookie("lang"); err == nil {
				s.Lang = l.Value
			}
			ctx = context.WithValue(ctx, "session", s)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}
