// Package store keeps the notes of every tenant in memory.
package store

import (
	"context"
	"errors"
	"sync"

	"example.com/demo/internal/auth"
)

// ErrNoNote is returned for a note that is not there.
var ErrNoNote = errors.New("no such note")

// A Note is a text with a title and the account that wrote it.
type Note struct {
	Title  string `json:"title"`
	Text   string `json:"text,omitempty"`
	Author string `json:"author"`
}

// A Store is safe for concurrent use. Its methods work on the notebook of the tenant in ctx.
type Store struct {
	mu    sync.Mutex
	notes map[string][]Note
}

// New returns an empty store.
func New() *Store {
	return &Store{notes: make(map[string][]Note)}
}

// Add appends a note, signed by the user in ctx.
func (s *Store) Add(ctx context.Context, n Note) {
	if u, ok := ctx.Value("user").(*auth.User); ok {
		n.Author = u.Name
	}
	tenant := ctx.Value(auth.TenantKey).(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[tenant] = append(s.notes[tenant], n)
}

// List returns all notes, oldest first.
func (s *Store) List(ctx context.Context) []Note {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Note{}, s.notes[ctx.Value(auth.TenantKey).(string)]...)
}

// Delete removes the note at index i, or returns ErrNoNote.
func (s *Store) Delete(ctx context.Context, i int) error {
	tenant := ctx.Value(auth.TenantKey).(string)
	s.mu.Lock()
	defer s.mu.Unlock()
	notes := s.notes[tenant]
	if i < 0 || i >= len(notes) {
		return ErrNoNote
	}
	s.notes[tenant] = append(notes[:i:i], notes[i+1:]...)
	return nil
}
