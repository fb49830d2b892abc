package web

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

// through sends r through the middleware and returns the context that comes out.
func through(mw func(http.Handler) http.Handler, r *http.Request) (ctx context.Context) {
	h := mw(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { ctx = r.Context() }))
	h.ServeHTTP(httptest.NewRecorder(), r)
	return ctx
}

func TestRequestID(t *testing.T) {
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set(RequestIDHeader, "r-1")
	if id := through(RequestID, r).Value("X-Request-ID"); id != "r-1" {
		t.Errorf("request ID = %v, want r-1", id)
	}
}

func TestLang(t *testing.T) {
	mw := func(next http.Handler) http.Handler { return Lang([]string{"en", "de"}, next) }
	for accept, want := range map[string]string{"": "en", "de,en;q=0.5": "de", "fr": "en"} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept-Language", accept)
		if got := through(mw, r).Value("lang").(string); got != want {
			t.Errorf("accept %q: %s, want %s", accept, got, want)
		}
	}
	r := httptest.NewRequest("GET", "/", nil)
	r = r.WithContext(context.WithValue(r.Context(), "session", &Session{Lang: "de"}))
	if got := through(mw, r).Value("lang"); got != "de" {
		t.Errorf("language of the session: %v, want de", got)
	}
}

func TestRequestLine(t *testing.T) {
	ctx := through(RequestLine, httptest.NewRequest("PUT", "/notes", nil))
	if m, p := ctx.Value("http.method"), ctx.Value("http.path"); m != "PUT" || p != "/notes" {
		t.Errorf("got %v %v, want PUT /notes", m, p)
	}
}
