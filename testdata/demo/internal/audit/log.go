// Package audit writes down who changed what.
package audit

import (
	"context"
	"fmt"
	"io"
	"sync"

	"example.com/demo/internal/auth"
	"example.com/demo/internal/meta"
	"example.com/demo/internal/web"
)

// A Log writes one line per change. It is safe for concurrent use.
type Log struct {
	mu sync.Mutex
	w  io.Writer
}

// New returns a log that writes to w.
func New(w io.Writer) *Log {
	return &Log{w: w}
}

// Change records what the user in ctx did; only call it on authenticated requests.
func (l *Log) Change(ctx context.Context, what string) {
	u := ctx.Value("user").(*auth.User)
	session := "-"
	if s, ok := ctx.Value("session").(*web.Session); ok {
		session = s.ID
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.w, "%v %s@%v %s: %v %v (session %s, from %s, %s)\n",
		ctx.Value(web.RequestIDHeader), u.Name, ctx.Value("tenant"), what,
		ctx.Value("http.method"), ctx.Value("http.path"),
		session, meta.ClientIP(ctx), meta.Agent(ctx))
}
