package web

import (
	"context"
	"net/http"
	"slices"
	"strings"
)

// Lang picks the language of the answer from what the client accepts and
// what its session says; offered[0] is the default.
func Lang(offered []string, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		lang := offered[0]
		if s, ok := r.Context().Value("session").(*Session); ok && s.Lang != "" {
			lang = s.Lang
		} else if l, _, _ := strings.Cut(r.Header.Get("Accept-Language"), ","); slices.Contains(offered, l) {
			lang = l
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), "lang", lang)))
	})
}
