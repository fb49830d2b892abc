// Package auth finds out who makes a request.
package auth

import (
	"context"
	"net/http"
	"strings"
)

// TenantKey is the context key of the tenant whose notebook a request is about.
const TenantKey = "tenant"

const claimsKey = "claims"

// A User is an account.
type User struct {
	Name   string `json:"name"`
	Tenant string `json:"tenant"`
	Admin  bool   `json:"admin"`
}

// claims is what the token of a request entitles it to.
type claims struct {
	token string
	admin bool
}

// Middleware lets requests with a known bearer token pass and puts the account into their context.
func Middleware(users map[string]*User) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
			u, ok := users[token]
			if !ok {
				http.Error(w, "unknown token", http.StatusUnauthorized)
				return
			}
			ctx := context.WithValue(r.Context(), claimsKey, claims{token: token, admin: u.Admin})
			ctx = context.WithValue(ctx, "user", u)
			ctx = context.WithValue(ctx, TenantKey, u.Tenant)
			next.ServeHTTP(w, r.WithContext(ctx))
		})
	}
}

// RequireAdmin lets only administrators pass.
func RequireAdmin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if c, ok := r.Context().Value(claimsKey).(claims); !ok || !c.admin {
			http.Error(w, "administrators only", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
