package audit

import (
	"context"
	"strings"
	"testing"

	"example.com/demo/internal/auth"
	"example.com/demo/internal/web"
)

func TestChange(t *testing.T) {
	var out strings.Builder
	ctx := context.WithValue(t.Context(), "user", &auth.User{Name: "ada"})
	ctx = context.WithValue(ctx, "X-Request-ID", "r-1")
	New(&out).Change(ctx, "added a note")

	ctx = context.WithValue(ctx, auth.TenantKey, "north")
	ctx = context.WithValue(ctx, "session", &web.Session{ID: "s-1"})
	ctx = context.WithValue(ctx, "client_ip", "192.0.2.1")
	New(&out).Change(ctx, "deleted a note")

	want := "r-1 ada@<nil> added a note: <nil> <nil> (session -, from , -)\n" +
		"r-1 ada@north deleted a note: <nil> <nil> (session s-1, from 192.0.2.1, -)\n"
	if out.String() != want {
		t.Errorf("log:\n%s\nwant:\n%s", out.String(), want)
	}
}
