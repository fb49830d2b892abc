// Package hosts opens a forge by its kind.
package hosts

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/gitea"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/github"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/gitlab"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// Kinds are the words for forges.
func Kinds() []string { return []string{"forgejo", "gitea", "github", "gitlab"} }

// Open speaks to the forge of a kind at a base URL, which is where people open it in a browser; empty for github.com and
// gitlab.com. Of the HTTP client, nil for the usual one, transport and timeout are used. Nothing is sent yet. One Forge serves a whole
// process, which then makes at most one change a second.
func Open(kind, baseURL string, token forge.Secret, client *http.Client) (forge.Forge, error) {
	return open(kind, baseURL, polite.Options{Token: token, HTTP: client})
}

func open(kind, baseURL string, o polite.Options) (forge.Forge, error) {
	if !slices.Contains(Kinds(), kind) {
		return nil, fmt.Errorf("there is no kind of forge %q; there are %s", kind, strings.Join(Kinds(), ", "))
	}
	var err error
	if o.Base, err = base(kind, baseURL); err != nil {
		return nil, err
	}
	var f forge.Forge
	switch kind {
	case "github":
		f, err = github.New(o)
	case "gitlab":
		f, err = gitlab.New(o)
	default:
		f, err = gitea.New(o)
	}
	if err != nil {
		return nil, err
	}
	return f, nil
}

// base is where the API of a forge lies, or what its client makes that of. An address that holds a password is not repeated.
func base(kind, given string) (*url.URL, error) {
	usual := map[string]string{"github": "https://api.github.com", "gitlab": "https://gitlab.com"}
	if given == "" {
		given = usual[kind]
	}
	if given == "" {
		return nil, fmt.Errorf("a %s server needs its address", kind)
	}
	u, err := url.Parse(given)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return nil, fmt.Errorf("the forge's address is not one that begins with https:// and names a host")
	case u.User != nil:
		return nil, fmt.Errorf("the address of %s must not hold a user or a password; the token has a place of its own", u.Host)
	case u.RawQuery != "" || u.Fragment != "":
		return nil, fmt.Errorf("the address of %s must not have ? or #", u.Host)
	}
	if kind != "github" {
		return u, nil
	}
	switch host := strings.ToLower(u.Hostname()); {
	case host == "github.com" || host == "www.github.com":
		return url.Parse(usual[kind])
	case strings.HasSuffix(host, ".ghe.com") && !strings.HasPrefix(host, "api."):
		// GitHub Enterprise Cloud with data residency.
		u.Host = "api." + u.Host
	case strings.HasPrefix(host, "api.") || strings.HasSuffix(strings.TrimSuffix(u.Path, "/"), "/api/v3"):
	default:
		u.Path = strings.TrimSuffix(u.Path, "/") + "/api/v3"
	}
	return u, nil
}
