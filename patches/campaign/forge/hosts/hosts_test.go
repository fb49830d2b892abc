package hosts

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/forgetest"
)

// TestAddresses opens forges by the addresses that people write, and looks where the requests go.
func TestAddresses(t *testing.T) {
	for _, c := range []struct{ kind, base, want string }{
		{"github", "", "https://api.github.com/repos/a/b"},
		{"github", "https://github.com/", "https://api.github.com/repos/a/b"},
		{"github", "https://api.github.com", "https://api.github.com/repos/a/b"},
		{"github", "https://git.example.com", "https://git.example.com/api/v3/repos/a/b"},
		{"github", "https://git.example.com:8443/", "https://git.example.com:8443/api/v3/repos/a/b"},
		{"github", "https://git.example.com/api/v3/", "https://git.example.com/api/v3/repos/a/b"},
		{"github", "https://acme.ghe.com", "https://api.acme.ghe.com/repos/a/b"},
		{"gitlab", "", "https://gitlab.com/api/v4/projects/a%2Fb?statistics=true"},
		{"gitlab", "https://lab.example.com/", "https://lab.example.com/api/v4/projects/a%2Fb?statistics=true"},
		{"gitlab", "https://example.com/gitlab", "https://example.com/gitlab/api/v4/projects/a%2Fb?statistics=true"},
		{"gitlab", "https://lab.example.com/api/v4", "https://lab.example.com/api/v4/projects/a%2Fb?statistics=true"},
		{"gitea", "http://localhost:3000", "http://localhost:3000/api/v1/repos/a/b"},
		{"forgejo", "https://example.com/git/", "https://example.com/git/api/v1/repos/a/b"},
	} {
		var asked []string
		client := forgetest.Client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if !strings.HasSuffix(r.Header.Get("Authorization"), " "+forgetest.Token) {
				t.Errorf("%s %s: no token", c.kind, c.base)
			}
			asked = append(asked, r.URL.String())
			_, _ = fmt.Fprint(w, `{"full_name":"a/b","path_with_namespace":"a/b","size":1}`)
		}))
		f, err := Open(c.kind, c.base, forge.NewSecret(forgetest.Token), client)
		if err != nil {
			t.Errorf("%s %s: %v", c.kind, c.base, err)
			continue
		}
		found, err := f.Repository(t.Context(), "a/b")
		if err != nil || found.Name != "a/b" || fmt.Sprint(asked) != "["+c.want+"]" {
			t.Errorf("%s %s: asks %v: %+v, %v", c.kind, c.base, asked, found, err)
		}
	}
}

// TestNoAddress refuses what is none, and repeats no password that it holds.
func TestNoAddress(t *testing.T) {
	for _, c := range []struct{ kind, base string }{
		{"bitbucket", ""}, {"", ""}, {"gitea", ""}, {"forgejo", ""}, {"gitlab", "lab.example.com"}, {"github", "ftp://git.example.com"}, {"gitea", "https://"},
		{"gitea", "https://bot:" + forgetest.Token + "@git.example.com"}, {"github", "https://" + forgetest.Token + "@git.example.com"},
		{"gitlab", "https://lab.example.com/?private_token=" + forgetest.Token}, {"gitlab", "https://lab.example.com/#" + forgetest.Token},
		{"gitlab", "https://bot:" + forgetest.Token + "@lab.example.com:port"}, {"gitea", "\x00" + forgetest.Token},
	} {
		f, err := Open(c.kind, c.base, forge.NewSecret(forgetest.Token), nil)
		if err == nil || f != nil {
			t.Errorf("%s %s is open", c.kind, c.base)
			continue
		}
		if strings.Contains(err.Error(), forgetest.Token) {
			t.Errorf("the token is in %q", err)
		}
	}
}
