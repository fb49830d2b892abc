package census

import (
	"strings"
	"testing"
)

func TestWithArticle(t *testing.T) {
	for _, want := range []string{
		"an ID", "an id", "a user", "a User", "a *User", "an *Account", "an http.Header", "a URL", "a url.URL", "a uint", "an int", "a uuid.UUID",
		"an HTTPClient", "a map[string]any", "a jwt.MapClaims", "a []byte", "an *echo.Context", "an upper", "a string", "an RPC", "an error", "a tenant", "a v",
		"a UserID", "an XMLNode",
	} {
		_, name, _ := strings.Cut(want, " ")
		if got := WithArticle(name); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := Count(1, "other key") + ", " + Count(2, "other key"); got != "1 other key, 2 other keys" {
		t.Error(got)
	}
}
