// Package gitea is Gitea, and Forgejo, whose API is the same, as a forge.
package gitea

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"code.gitea.io/sdk/gitea"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// pageSize is the most that a server gives at once, unless it was told otherwise.
const pageSize = 50

// Forge is one Gitea server, spoken to as one user.
type Forge struct {
	base   string
	http   *http.Client
	token  forge.Secret
	now    func() time.Time
	labels sync.Mutex // held while labels are looked for and made, so that none is made twice
}

// New speaks to the server at o.Base.
func New(o polite.Options) (*Forge, error) {
	o.Scheme = "token"
	f := &Forge{base: strings.TrimSuffix(o.Base.String(), "/"), http: polite.Client(o), token: o.Token, now: time.Now}
	if o.Clock != nil {
		f.now = o.Clock.Now
	}
	_, err := f.client(context.Background())
	return f, err
}

// client returns a client for one call: the SDK keeps the context of its calls in the client. It is not asked for the version of the
// server, which would be another request each time: what is used here is old.
func (f *Forge) client(ctx context.Context) (*gitea.Client, error) {
	return gitea.NewClient(f.base, gitea.SetHTTPClient(f.http), gitea.SetContext(ctx), gitea.SetGiteaVersion(""), gitea.SetUserAgent("ctxmend"))
}

// repository returns a client for a repository, and its name's parts.
func (f *Forge) repository(ctx context.Context, full string) (c *gitea.Client, owner, name string, err error) {
	owner, name, ok := strings.Cut(full, "/")
	if !ok || !plain(owner) || !plain(name) {
		return nil, "", "", fmt.Errorf("%q is no name of a repository on Gitea, which are OWNER/NAME: %w", full, forge.ErrInvalid)
	}
	c, err = f.client(ctx)
	return c, owner, name, err
}

// plain reports whether a name is one that the API's paths can hold.
func plain(name string) bool {
	return name != "" && name != "." && name != ".." && !strings.Contains(name, "/")
}

// Access is how git gets in: Gitea looks at the token only.
func (f *Forge) Access() forge.Access {
	return forge.Access{Username: "oauth2", Token: f.token}
}

// Repository looks one up.
func (f *Forge) Repository(ctx context.Context, full string) (forge.Repository, error) {
	c, owner, name, err := f.repository(ctx, full)
	if err != nil {
		return forge.Repository{}, err
	}
	found, _, err := c.GetRepo(owner, name)
	if err != nil {
		return forge.Repository{}, polite.Cause(err)
	}
	return describe(found), nil
}

// Repositories finds what a query selects.
func (f *Forge) Repositories(ctx context.Context, query forge.Query) ([]forge.Repository, error) {
	c, err := f.client(ctx)
	if err != nil {
		return nil, err
	}
	search := func(o gitea.SearchRepoOptions) ([]*gitea.Repository, error) {
		return list(func(page gitea.ListOptions) ([]*gitea.Repository, *gitea.Response, error) {
			o.ListOptions, o.Sort, o.Order = page, "id", "asc"
			return c.SearchRepos(o)
		})
	}
	var found []*gitea.Repository
	switch {
	case query.Organization != "":
		found, err = list(func(page gitea.ListOptions) ([]*gitea.Repository, *gitea.Response, error) {
			return c.ListOrgRepos(query.Organization, gitea.ListOrgReposOptions{ListOptions: page})
		})
		if errors.Is(err, forge.ErrNotFound) {
			found, err = list(func(page gitea.ListOptions) ([]*gitea.Repository, *gitea.Response, error) {
				return c.ListUserRepos(query.Organization, gitea.ListReposOptions{ListOptions: page})
			})
		}
	case query.Topic != "":
		found, err = search(gitea.SearchRepoOptions{Keyword: query.Topic, KeywordIsTopic: true})
	case query.Search != "":
		found, err = search(gitea.SearchRepoOptions{Keyword: query.Search, KeywordInDescription: true})
	default:
		err = fmt.Errorf("a query for nothing: %w", forge.ErrInvalid)
	}
	if err != nil {
		return nil, err
	}
	all := make([]forge.Repository, 0, len(found))
	for _, r := range found {
		all = append(all, describe(r))
	}
	return forge.Sorted(all), nil
}

// list gets all pages of a list. Some name the next one in a header Link, some only say how many entries there are.
func list[T any](get func(gitea.ListOptions) ([]T, *gitea.Response, error)) ([]T, error) {
	seen := 0
	return polite.Pages(func(page int) ([]T, int, error) {
		some, resp, err := get(gitea.ListOptions{Page: page, PageSize: pageSize})
		if err != nil {
			return nil, 0, err
		}
		seen += len(some)
		total, err := strconv.Atoi(resp.Header.Get("X-Total-Count"))
		if len(some) > 0 && (resp.NextPage > page || err == nil && seen < total) {
			return some, page + 1, nil
		}
		return some, 0, nil
	})
}

// describe says of a repository what a campaign asks. Nobody can push to a mirror.
func describe(r *gitea.Repository) forge.Repository {
	d := forge.Repository{
		Name:          r.FullName,
		CloneURL:      r.CloneURL,
		WebURL:        r.HTMLURL,
		DefaultBranch: r.DefaultBranch,
		SizeKB:        r.Size,
		Archived:      r.Archived,
		Empty:         r.Empty,
		Fork:          r.Fork,
		CanPush:       r.Permissions != nil && r.Permissions.Push && !r.Mirror,
		NoPulls:       !r.HasPullRequests,
	}
	if d.Empty {
		d.DefaultBranch = ""
	}
	return d
}
