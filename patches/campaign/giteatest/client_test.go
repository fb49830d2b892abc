package giteatest

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"testing"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/forgetest"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/gitea"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// TestClient asks of a real Gitea what the forge's own tests ask of servers that answer as one.
func TestClient(t *testing.T) {
	s := serve(t, "")
	token := s.user("bot")
	base, err := url.Parse(s.url)
	if err != nil {
		t.Fatal(err)
	}
	f, err := gitea.New(polite.Options{Base: base, Token: forge.NewSecret(token), Clock: forgetest.NewClock()})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ada", "bob", "cyd"} {
		s.user(name)
	}
	team := s.organization("acme", "bot", "ada", "cyd")
	c := client{t: t, s: s, f: f}
	c.repositories()
	c.life(team)
	c.statuses()
	c.refusals(base)
}

// organization makes an organisation with a team named gophers of those who may write to all of it, and returns the team's number.
func (s *server) organization(name string, members ...string) int {
	s.t.Helper()
	s.do("POST", "/orgs", object{"username": name})
	team := s.do("POST", "/orgs/"+name+"/teams", object{
		"name": "gophers", "permission": "write", "includes_all_repositories": true,
		"units": []string{"repo.code", "repo.pulls", "repo.issues"},
	})
	id := int(team["id"].(float64))
	for _, m := range members {
		s.do("PUT", fmt.Sprintf("/teams/%d/members/%s", id, m), nil)
	}
	return id
}

type client struct {
	t *testing.T
	s *server
	f forge.Forge
}

func (c *client) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

// repositories are listed over several pages, with what matters of each.
func (c *client) repositories() {
	c.t.Helper()
	s := c.s
	for i := range 53 {
		s.do("POST", "/orgs/acme/repos", object{"name": fmt.Sprintf("empty-%02d", i)})
	}
	for _, name := range []string{"app", "archived"} {
		s.do("POST", "/orgs/acme/repos", object{"name": name, "auto_init": true, "default_branch": "trunk", "readme": "Default"})
	}
	s.do("PATCH", "/repos/acme/archived", object{"archived": true})
	s.do("POST", "/user/repos", object{"name": "thing", "auto_init": true, "readme": "Default"})
	s.do("POST", "/repos/ops/thing/forks", object{"organization": "acme"})
	s.do("POST", "/user/repos", object{"name": "secret", "private": true})
	s.do("PUT", "/repos/ops/thing/topics/context", nil)

	all, err := c.f.Repositories(c.t.Context(), forge.Query{Organization: "acme"})
	c.must(err)
	if len(all) != 56 {
		c.t.Fatalf("%d repositories", len(all))
	}
	look := func(name string) forge.Repository {
		i := slices.IndexFunc(all, func(r forge.Repository) bool { return r.Name == name })
		if i < 0 {
			c.t.Fatalf("no %s", name)
		}
		one, err := c.f.Repository(c.t.Context(), name)
		c.must(err)
		if one != all[i] {
			c.t.Errorf("listed as %+v, alone %+v", all[i], one)
		}
		one.SizeKB = 0
		return one
	}
	of := func(name string) forge.Repository {
		return forge.Repository{Name: name, CloneURL: s.url + "/" + name + ".git", WebURL: s.url + "/" + name, DefaultBranch: "trunk", CanPush: true}
	}
	app, archived, fork, empty := of("acme/app"), of("acme/archived"), of("acme/thing"), of("acme/empty-07")
	archived.Archived, fork.Fork, fork.DefaultBranch, empty.Empty, empty.DefaultBranch = true, true, "main", true, ""
	for _, want := range []forge.Repository{app, archived, fork, empty} {
		if got := look(want.Name); got != want {
			c.t.Errorf("got %+v\nwant %+v", got, want)
		}
	}
	theirs, err := c.f.Repositories(c.t.Context(), forge.Query{Organization: "ops"})
	c.must(err)
	if len(theirs) != 1 || theirs[0].CanPush || theirs[0].Name != "ops/thing" {
		c.t.Errorf("of ops: %+v", theirs)
	}
	for _, q := range []forge.Query{{Topic: "context"}, {Search: "thin"}} {
		found, err := c.f.Repositories(c.t.Context(), q)
		c.must(err)
		if !slices.ContainsFunc(found, func(r forge.Repository) bool { return r.Name == "ops/thing" }) || len(found) > 2 {
			c.t.Errorf("%+v: %+v", q, found)
		}
	}
}

const branch = "ctxmend/keys/builtinkey-1"

func request() forge.Request {
	return forge.Request{
		Head: branch, Base: "trunk", Title: "Keys of their own", Body: "Why.\n\n```diff\n-a\n+b\n```\n",
		Labels: []string{"ctxmend", "shared"}, Reviewers: []string{"ada", "acme/gophers", "bot", "nobody"}, Assignees: []string{"cyd", "nobody"},
	}
}

// life follows a pull request from its opening to its merge, and a second one to its end.
func (c *client) life(team int) {
	c.t.Helper()
	s, ctx := c.s, c.t.Context()
	s.do("POST", "/orgs/acme/labels", object{"name": "shared", "color": "#00aabb"})
	s.commit(s.root, "acme/app", "trunk", branch, map[string]string{"a.txt": "a\n"})
	opened, err := c.f.Open(ctx, "acme/app", request())
	c.must(err)
	p := s.do("GET", "/repos/acme/app/pulls/1", nil)
	for field, want := range map[string]any{"title": request().Title, "body": request().Body, "draft": false, "state": "open"} {
		if p[field] != want {
			c.t.Errorf("%s: %v", field, p[field])
		}
	}
	names := func(field, name string) []string {
		var all []string
		for _, e := range s.do("GET", "/repos/acme/app/pulls/1", nil)[field].([]any) {
			all = append(all, e.(object)[name].(string))
		}
		slices.Sort(all)
		return all
	}
	c.same("labels", names("labels", "name"), []string{"ctxmend", "shared"})
	c.same("reviewers", names("requested_reviewers", "login"), []string{"ada"})
	c.same("teams", names("requested_reviewers_teams", "name"), []string{"gophers"})
	c.same("assignees", names("assignees", "login"), []string{"cyd"})
	if len(opened.Refused) != 3 {
		c.t.Errorf("refused: %q", opened.Refused)
	}
	if _, err := c.f.Open(ctx, "acme/app", request()); !errors.Is(err, forge.ErrExists) {
		c.t.Errorf("a second one: %v", err)
	}

	// Somebody adds a label; ctxmend has something new to say.
	s.do("POST", "/repos/acme/app/labels", object{"name": "by hand", "color": "#00aabb"})
	s.do("POST", "/repos/acme/app/issues/1/labels", object{"labels": []string{"by hand"}})
	again := request()
	again.Title, again.Body = "Better keys", "Because."
	_, err = c.f.Update(ctx, "acme/app", 1, again)
	c.must(err)
	if p := s.do("GET", "/repos/acme/app/pulls/1", nil); p["title"] != again.Title || p["body"] != again.Body {
		c.t.Errorf("updated to %v: %v", p["title"], p["body"])
	}
	c.same("labels", names("labels", "name"), []string{"by hand", "ctxmend", "shared"})
	if n := len(s.list("/repos/acme/app/labels")); n != 2 {
		c.t.Errorf("%d labels", n)
	}

	// It is merged, and its branch goes.
	s.do("POST", "/repos/acme/app/pulls/1/merge", object{"Do": "merge", "delete_branch_after_merge": true})
	merged, err := c.f.Status(ctx, "acme/app", 1)
	c.must(err)
	if merged.State != forge.Merged || merged.Head != branch || merged.HeadSHA == "" {
		c.t.Errorf("merged: %+v", merged)
	}

	// Another of the same branch, as a draft, which is withdrawn; twice. Gitea closes what is open for a branch that goes some time after it has gone.
	s.deleted("acme/app", branch)
	s.commit(s.root, "acme/app", "trunk", branch, map[string]string{"b.txt": "b\n"})
	again.Draft = true
	second, err := c.f.Open(ctx, "acme/app", again)
	c.must(err)
	if p := s.do("GET", "/repos/acme/app/pulls/2", nil); p["draft"] != true || p["title"] != "WIP: Better keys" || second.Title != "Better keys" || !second.Draft {
		c.t.Errorf("a draft: %v, %+v", p["title"], second)
	}
	for range 2 {
		c.must(c.f.Close(ctx, "acme/app", 2, "Not now."))
	}
	said := s.list("/repos/acme/app/issues/2/comments")
	if p := s.do("GET", "/repos/acme/app/pulls/2", nil); p["state"] != "closed" || p["merged"] != false || len(said) != 1 || said[0]["body"] != "Not now." {
		c.t.Errorf("closed: %v, %v", p["state"], said)
	}
	all, err := c.f.PullRequests(ctx, "acme/app", branch)
	c.must(err)
	if len(all) != 2 || all[0].Number != 2 || all[0].State != forge.Closed || all[1].State != forge.Merged || all[1].Head != branch {
		c.t.Errorf("all of the branch: %+v", all)
	}
}

func (c *client) same(what string, got, want []string) {
	c.t.Helper()
	if !slices.Equal(got, want) {
		c.t.Errorf("%s: %q, want %q", what, got, want)
	}
}

// statuses are what people and checks say of a pull request, one after the other.
func (c *client) statuses() {
	c.t.Helper()
	s, ctx := c.s, c.t.Context()
	s.commit(s.root, "acme/app", "trunk", "status", map[string]string{"c.txt": "ours\n"})
	opened, err := c.f.Open(ctx, "acme/app", forge.Request{Head: "status", Base: "trunk", Title: "x"})
	c.must(err)
	path := fmt.Sprintf("/repos/acme/app/pulls/%d", opened.Number)
	look := func(what string, approved, changes bool, checks forge.Checks) {
		c.t.Helper()
		status, err := c.f.Status(ctx, "acme/app", opened.Number)
		c.must(err)
		if status.Approved != approved || status.ChangesRequested != changes || status.Checks != checks {
			c.t.Errorf("%s: approved %t, changes requested %t, checks %s", what, status.Approved, status.ChangesRequested, status.Checks)
		}
	}
	review := func(user, event string) {
		s.as("user:"+user, "POST", path+"/reviews", object{"event": event, "body": "so"})
	}
	check := func(name, state string) {
		s.do("POST", "/repos/acme/app/statuses/"+opened.HeadSHA, object{"context": name, "state": state})
	}
	look("at first", false, false, forge.NoChecks)
	check("build", "pending")
	look("under way", false, false, forge.Pending)
	check("build", "failure")
	check("lint", "success")
	look("a bad check", false, false, forge.Red)
	check("build", "success")
	look("good again", false, false, forge.Green)
	review("bob", "APPROVED")
	look("the word of a stranger", false, false, forge.Green)
	review("ada", "REQUEST_CHANGES")
	look("changes requested", false, true, forge.Green)
	review("cyd", "APPROVED")
	look("two of two minds", false, true, forge.Green)
	review("ada", "APPROVED")
	look("both approve", true, false, forge.Green)
	for _, r := range s.list(path + "/reviews") {
		if r["state"] == "APPROVED" && r["user"].(object)["login"] == "cyd" {
			s.do("POST", fmt.Sprintf("%s/reviews/%v/dismissals", path, r["id"]), object{"message": "no"})
		}
	}
	look("one approval left", true, false, forge.Green)

	// The base moves in the same place.
	s.commit(s.root, "acme/app", "trunk", "", map[string]string{"c.txt": "theirs\n"})
	for range 100 {
		if s.do("GET", path, nil)["mergeable"] == false {
			break
		}
	}
	status, err := c.f.Status(ctx, "acme/app", opened.Number)
	c.must(err)
	if !status.Conflicts || status.Mergeable {
		c.t.Errorf("conflicts: %+v", status)
	}
}

// refusals have their meaning.
func (c *client) refusals(base *url.URL) {
	c.t.Helper()
	ctx := c.t.Context()
	for what, err := range map[string]error{
		"a repository that is not there": second(c.f.Repository(ctx, "acme/nothing")),
		"one that is hidden":             second(c.f.Repository(ctx, "ops/secret")),
		"a pull request":                 second(c.f.Status(ctx, "acme/app", 99)),
		"its closing":                    c.f.Close(ctx, "acme/app", 99, "no"),
		"a branch":                       second(c.f.Open(ctx, "acme/app", forge.Request{Head: "nowhere", Base: "trunk", Title: "x"})),
	} {
		if !errors.Is(err, forge.ErrNotFound) {
			c.t.Errorf("%s: %v", what, err)
		}
	}
	f, err := gitea.New(polite.Options{Base: base, Token: forge.NewSecret("0123456789012345678901234567890123456789")})
	c.must(err)
	if _, err := f.Repository(ctx, "acme/app"); !errors.Is(err, forge.ErrUnauthorized) {
		c.t.Errorf("a wrong token: %v", err)
	}
}

func second[T any](_ T, err error) error { return err }
