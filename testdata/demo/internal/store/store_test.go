package store_test

import (
	"context"
	"errors"
	"testing"

	"example.com/demo/internal/auth"
	"example.com/demo/internal/store"
)

func TestTenantsAreApart(t *testing.T) {
	s := store.New()
	north := context.WithValue(t.Context(), auth.TenantKey, "north")
	south := context.WithValue(t.Context(), "tenant", "south")
	s.Add(context.WithValue(north, "user", &auth.User{Name: "ada"}), store.Note{Title: "first"})

	if got := s.List(north); len(got) != 1 || got[0].Author != "ada" {
		t.Errorf("north: %v, want one note by ada", got)
	}
	if got := s.List(south); len(got) != 0 {
		t.Errorf("south: %v, want none", got)
	}
	if err := s.Delete(south, 0); !errors.Is(err, store.ErrNoNote) {
		t.Errorf("delete: %v, want %v", err, store.ErrNoNote)
	}
}

func TestNoTenantPanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a context without tenant was accepted")
		}
	}()
	store.New().List(t.Context())
}
