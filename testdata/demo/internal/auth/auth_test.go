package auth

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestMiddleware(t *testing.T) {
	users := map[string]*User{"t1": {Name: "ada", Tenant: "north"}}
	var got context.Context
	h := Middleware(users)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		got = r.Context()
	}))
	r := httptest.NewRequest("GET", "/", nil)
	r.Header.Set("Authorization", "Bearer t1")
	h.ServeHTTP(httptest.NewRecorder(), r)

	if u, _ := got.Value("user").(*User); u == nil || u.Name != "ada" {
		t.Errorf("user = %v, want ada", u)
	}
	if tenant := got.Value(TenantKey); tenant != "north" {
		t.Errorf("tenant = %v, want north", tenant)
	}
}

func TestRequireAdmin(t *testing.T) {
	h := RequireAdmin(http.NotFoundHandler())
	for _, tt := range []struct {
		ctx  context.Context
		want int
	}{
		{context.Background(), http.StatusForbidden},
		{context.WithValue(context.Background(), claimsKey, claims{}), http.StatusForbidden},
		{context.WithValue(context.Background(), claimsKey, claims{admin: true}), http.StatusNotFound},
	} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("DELETE", "/", nil).WithContext(tt.ctx))
		if w.Code != tt.want {
			t.Errorf("status %d, want %d", w.Code, tt.want)
		}
	}
}
