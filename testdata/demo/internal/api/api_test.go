package api_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"example.com/demo/internal/api"
	"example.com/demo/internal/audit"
	"example.com/demo/internal/auth"
	"example.com/demo/internal/config"
	"example.com/demo/internal/store"
)

func TestService(t *testing.T) {
	cfg := &config.Config{
		Users: map[string]*auth.User{
			"t1": {Name: "ada", Tenant: "north"},
			"t2": {Name: "bob", Tenant: "north", Admin: true},
		},
		Languages:   []string{"en", "de"},
		Experiments: []int{7, 12},
		ShortList:   7,
	}
	var log strings.Builder
	h := api.New(cfg, store.New(), audit.New(&log))
	for _, tt := range []struct {
		method, path, token, body string
		status                    int
		want                      string
	}{
		{"GET", "/notes", "", "", http.StatusUnauthorized, "unknown token"},
		{"POST", "/notes", "t1", `{"title":"first","text":"hello"}`, http.StatusCreated, ""},
		{"POST", "/notes", "t1", `{}`, http.StatusBadRequest, "Titel fehlt (r-1)"},
		{"GET", "/notes", "t1", "", http.StatusOK, `[{"title":"first","author":"ada"}]`},
		{"GET", "/notes", "t2", "", http.StatusOK, `[{"title":"first","text":"hello","author":"ada"}]`},
		{"DELETE", "/notes/0", "t1", "", http.StatusForbidden, "administrators only"},
		{"DELETE", "/notes/0", "t2", "", http.StatusOK, ""},
		{"DELETE", "/notes/0", "t2", "", http.StatusNotFound, "Notiz nicht gefunden (r-1)"},
	} {
		r := httptest.NewRequest(tt.method, tt.path, strings.NewReader(tt.body))
		r.Header.Set("Authorization", "Bearer "+tt.token)
		r.Header.Set("Accept-Language", "de")
		r.Header.Set("X-Request-ID", "r-1")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if got := strings.TrimSpace(w.Body.String()); w.Code != tt.status || got != tt.want {
			t.Errorf("%s %s by %s: %d %s, want %d %s", tt.method, tt.path, tt.token, w.Code, got, tt.status, tt.want)
		}
	}
	want := `r-1 ada@north added "first": POST /notes (session -, from 192.0.2.1, -)
r-1 bob@north deleted a note: DELETE /notes/0 (session -, from 192.0.2.1, -)
`
	if log.String() != want {
		t.Errorf("log:\n%s\nwant:\n%s", log.String(), want)
	}
}

func TestSessionLanguage(t *testing.T) {
	cfg := &config.Config{
		Users:     map[string]*auth.User{"t1": {Name: "ada", Tenant: "north"}},
		Languages: []string{"en"},
	}
	r := httptest.NewRequest("GET", "/notes", nil)
	r.Header.Set("Authorization", "Bearer t1")
	r.AddCookie(&http.Cookie{Name: "session", Value: "s-1"})
	r.AddCookie(&http.Cookie{Name: "lang", Value: "de"})
	w := httptest.NewRecorder()
	api.New(cfg, store.New(), audit.New(&strings.Builder{})).ServeHTTP(w, r)
	if got := w.Header().Get("Content-Language"); got != "de" {
		t.Errorf("language %q, want de", got)
	}
}
