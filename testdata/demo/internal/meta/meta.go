// Package meta notes where and when a request came in.
package meta

import (
	"context"
	"net"
	"net/http"
	"time"
)

func get(ctx context.Context, key string) any {
	return ctx.Value(key)
}

// Middleware notes the client and the time of arrival.
func Middleware(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := context.WithValue(r.Context(), "started", time.Now())
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err == nil {
			ctx = context.WithValue(ctx, "client_ip", host)
		}
		if ua := r.UserAgent(); ua != "" {
			ctx = context.WithValue(ctx, "agent", ua)
		}
		next.ServeHTTP(w, r.WithContext(ctx))
	})
}

// ClientIP returns the address of the client, "" if it is not known.
func ClientIP(ctx context.Context) string {
	ip, _ := get(ctx, "client_ip").(string)
	return ip
}

// Agent returns what the client calls itself, "-" if it does not say.
func Agent(ctx context.Context) string {
	if ua := get(ctx, "agent"); ua != nil {
		return ua.(string)
	}
	return "-"
}

// Elapsed returns the time since arrival, or 0 outside a request.
func Elapsed(ctx context.Context) time.Duration {
	if t, ok := get(ctx, "started").(time.Time); ok {
		return time.Since(t)
	}
	return 0
}
