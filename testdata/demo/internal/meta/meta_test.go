package meta_test

import (
	"context"
	"testing"
	"time"

	"example.com/demo/internal/meta"
)

func TestEmptyContext(t *testing.T) {
	ctx := t.Context()
	if ip, ua, d := meta.ClientIP(ctx), meta.Agent(ctx), meta.Elapsed(ctx); ip != "" || ua != "-" || d != 0 {
		t.Errorf("got %q %q %v", ip, ua, d)
	}
}

func TestFilledContext(t *testing.T) {
	ctx := context.WithValue(t.Context(), "client_ip", "192.0.2.1")
	ctx = context.WithValue(ctx, "agent", "curl/8")
	ctx = context.WithValue(ctx, "started", time.Now().Add(-time.Minute))
	if ip, ua, d := meta.ClientIP(ctx), meta.Agent(ctx), meta.Elapsed(ctx); ip != "192.0.2.1" || ua != "curl/8" || d < time.Minute {
		t.Errorf("got %q %q %v", ip, ua, d)
	}
}
