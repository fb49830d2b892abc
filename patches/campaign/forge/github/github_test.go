package github

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/forgetest"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

func service() forgetest.Service {
	return forgetest.Service{
		Scheme: "Bearer", Prefix: "/api/v3", Handler: serve,
		Open:  func(o polite.Options) (forge.Forge, error) { return New(o) },
		Teams: true, Strangers: true, Sizes: true,
		Opens: "/pulls", Comments: "/comments", Reviews: "/reviews", Checks: "/check-runs",
	}
}

// TestForge asks of GitHub what every forge has to do.
func TestForge(t *testing.T) { forgetest.Behave(t, service()) }

type object = map[string]any

// A hub shows a world as GitHub's documentation says.
type hub struct{ w *forgetest.World }

func serve(w *forgetest.World) http.Handler {
	h := hub{w}
	mux := http.NewServeMux()
	repo := func(pattern string, serve func(http.ResponseWriter, *http.Request, *forgetest.Repo)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v3/repos/{owner}/{repo}"+path, func(out http.ResponseWriter, r *http.Request) {
			found := w.Repo(r.PathValue("owner") + "/" + r.PathValue("repo"))
			if found == nil {
				refuse(out, 404, "Not Found")
				return
			}
			serve(out, r, found)
		})
	}
	pull := func(pattern string, serve func(http.ResponseWriter, *http.Request, *forgetest.Repo, *forgetest.Pull)) {
		repo(pattern, func(out http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
			number, _ := strconv.Atoi(r.PathValue("number"))
			p := in.Pull(number)
			if p == nil {
				refuse(out, 404, "Not Found")
				return
			}
			serve(out, r, in, p)
		})
	}
	mux.HandleFunc("GET /api/v3/orgs/{org}/repos", h.organization)
	mux.HandleFunc("GET /api/v3/users/{user}/repos", h.user)
	mux.HandleFunc("GET /api/v3/user", func(out http.ResponseWriter, _ *http.Request) { answer(out, 200, object{"login": forgetest.Me}) })
	mux.HandleFunc("GET /api/v3/search/repositories", h.search)
	repo("GET ", func(out http.ResponseWriter, _ *http.Request, in *forgetest.Repo) { answer(out, 200, describe1(in)) })
	repo("GET /commits", func(out http.ResponseWriter, _ *http.Request, in *forgetest.Repo) {
		if in.Empty {
			refuse(out, 409, "Git Repository is empty.")
			return
		}
		answer(out, 200, []object{{"sha": "1"}})
	})
	repo("GET /pulls", h.pulls)
	repo("POST /pulls", h.open)
	pull("GET /pulls/{number}", func(out http.ResponseWriter, _ *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
		answer(out, 200, h.pull(in, p, true))
	})
	pull("PATCH /pulls/{number}", h.edit)
	pull("GET /pulls/{number}/reviews", h.reviews)
	pull("POST /pulls/{number}/requested_reviewers", h.request)
	pull("GET /issues/{number}/comments", func(out http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		var all []object
		for _, c := range p.Comments {
			all = append(all, object{"body": c})
		}
		page(out, r, all)
	})
	pull("POST /issues/{number}/comments", func(out http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		p.Comments = append(p.Comments, read(r)["body"].(string))
		answer(out, 201, object{"id": len(p.Comments)})
	})
	pull("POST /issues/{number}/labels", h.label)
	pull("POST /issues/{number}/assignees", h.assign)
	repo("GET /commits/{sha}/status", h.status)
	repo("GET /commits/{sha}/check-runs", h.runs)
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, message string, errs ...object) {
	answer(w, status, object{"message": message, "errors": errs, "documentation_url": "https://docs.github.com/rest"})
}

func read(r *http.Request) object {
	var v object
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

func texts(v any) []string {
	var all []string
	list, _ := v.([]any)
	for _, e := range list {
		all = append(all, e.(string))
	}
	return all
}

// cut is the page asked for, with the header that leads to the next.
func cut(w http.ResponseWriter, r *http.Request, all []object) []object {
	q := r.URL.Query()
	size, number := 30, 1
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = min(n, 100)
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		number = n
	}
	from, to := min((number-1)*size, len(all)), min(number*size, len(all))
	if to < len(all) {
		q.Set("page", fmt.Sprint(number+1))
		w.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next", <http://%s%s?page=99>; rel="last"`, r.Host, r.URL.Path, q.Encode(), r.Host, r.URL.Path))
	}
	return append([]object{}, all[from:to]...)
}

func page(w http.ResponseWriter, r *http.Request, all []object) { answer(w, 200, cut(w, r, all)) }

// describe1 is a repository. GitHub names a default branch even where there is none, and never says that one is empty.
func describe1(r *forgetest.Repo) object {
	branch := r.DefaultBranch
	if branch == "" {
		branch = "main"
	}
	return object{
		"full_name": r.Name, "clone_url": r.CloneURL, "html_url": r.WebURL, "default_branch": branch, "size": r.SizeKB,
		"archived": r.Archived, "fork": r.Fork, "has_pull_requests": !r.NoPulls, "permissions": object{"pull": true, "push": r.CanPush, "admin": false},
	}
}

func (h hub) owned(owner string) []object {
	var all []object
	for _, r := range h.w.Repos {
		if strings.HasPrefix(r.Name, owner+"/") {
			all = append(all, describe1(r))
		}
	}
	return all
}

func (h hub) organization(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(h.w.Orgs, r.PathValue("org")) {
		refuse(w, 404, "Not Found")
		return
	}
	page(w, r, h.owned(r.PathValue("org")))
}

func (h hub) user(w http.ResponseWriter, r *http.Request) {
	if !h.w.Known(r.PathValue("user")) {
		refuse(w, 404, "Not Found")
		return
	}
	page(w, r, h.owned(r.PathValue("user")))
}

func (h hub) search(w http.ResponseWriter, r *http.Request) {
	var all []object
	for _, word := range strings.Fields(r.URL.Query().Get("q")) {
		topic, isTopic := strings.CutPrefix(word, "topic:")
		for _, in := range h.w.Repos {
			if isTopic && slices.Contains(in.Topics, topic) || !strings.Contains(word, ":") && strings.Contains(in.Name, word) {
				all = append(all, describe1(in))
			}
		}
	}
	answer(w, 200, object{"total_count": len(all), "incomplete_results": false, "items": cut(w, r, all)})
}

func (h hub) users(names []string) []object {
	all := []object{}
	for _, n := range names {
		all = append(all, object{"login": n, "id": h.w.UserID(n)})
	}
	return all
}

// pull is a pull request. Lists say less: not whether it was merged, only when, and nothing of merging it.
func (h hub) pull(in *forgetest.Repo, p *forgetest.Pull, whole bool) object {
	labels := []object{}
	for _, l := range p.Labels {
		labels = append(labels, object{"name": l})
	}
	teams := []object{}
	for _, t := range p.Teams {
		teams = append(teams, object{"slug": t, "name": "The " + t})
	}
	o := object{
		"number": p.Number, "html_url": fmt.Sprintf("%s/pull/%d", in.WebURL, p.Number), "title": p.Title, "body": strings.ReplaceAll(p.Body, "\n", "\r\n"),
		"draft": p.Draft, "labels": labels, "assignees": h.users(p.Assignees), "requested_reviewers": h.users(p.Reviewers), "requested_teams": teams,
		"head": object{"ref": p.Head, "sha": p.SHA, "repo": object{"full_name": p.HeadRepo}},
		"base": object{"ref": p.Base, "repo": object{"full_name": in.Name}}, "state": "closed", "merged_at": nil,
	}
	if p.Body == "" {
		o["body"] = nil
	}
	switch p.State {
	case forge.Open:
		o["state"] = "open"
	case forge.Merged:
		o["merged_at"] = "2031-01-01T00:00:00Z"
	}
	if !whole {
		return o
	}
	o["merged"] = p.State == forge.Merged
	switch {
	case p.Unknown:
		o["mergeable"], o["mergeable_state"] = nil, "unknown"
	case p.Conflicts:
		o["mergeable"], o["mergeable_state"] = false, "dirty"
	case p.Draft:
		o["mergeable"], o["mergeable_state"] = true, "draft"
	default:
		o["mergeable"], o["mergeable_state"] = true, "clean"
	}
	return o
}

func (h hub) pulls(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	q := r.URL.Query()
	owner, head, _ := strings.Cut(q.Get("head"), ":")
	var all []object
	for _, p := range slices.Backward(in.Pulls) {
		if (q.Get("state") == "all" || string(p.State) == q.Get("state")) && p.Head == head && strings.HasPrefix(p.HeadRepo, owner+"/") {
			all = append(all, h.pull(in, p, false))
		}
	}
	page(w, r, all)
}

func (h hub) open(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	ask := read(r)
	head, base := ask["head"].(string), ask["base"].(string)
	body, _ := ask["body"].(string)
	draft, _ := ask["draft"].(bool)
	p, exists := in.Open(head, base, ask["title"].(string), body, draft)
	if exists {
		owner, _, _ := strings.Cut(in.Name, "/")
		refuse(w, 422, "Validation Failed", object{"resource": "PullRequest", "code": "custom", "message": "A pull request already exists for " + owner + ":" + head + "."})
		return
	}
	answer(w, 201, h.pull(in, p, true))
}

func (h hub) edit(w http.ResponseWriter, r *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
	ask := read(r)
	for name, field := range map[string]*string{"title": &p.Title, "body": &p.Body, "base": &p.Base} {
		if v, ok := ask[name].(string); ok {
			*field = v
		}
	}
	if ask["state"] == "closed" {
		p.State = forge.Closed
	}
	answer(w, 200, h.pull(in, p, true))
}

func (h hub) reviews(w http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
	var all []object
	for i, review := range p.Reviews {
		state := map[forge.Opinion]string{forge.Comments: "COMMENTED", forge.Approves: "APPROVED", forge.Objects: "CHANGES_REQUESTED", forge.Withdrawn: "DISMISSED"}[review.Opinion]
		association := "MEMBER"
		if review.Stranger {
			association = "NONE"
		}
		all = append(all, object{"id": i, "state": state, "user": object{"login": review.User}, "author_association": association})
	}
	page(w, r, all)
}

// request asks for reviews: one name that is not accepted, and nobody is asked.
func (h hub) request(w http.ResponseWriter, r *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
	ask := read(r)
	owner, _, _ := strings.Cut(in.Name, "/")
	for _, name := range texts(ask["reviewers"]) {
		if !h.w.Known(name) {
			refuse(w, 422, "Reviews may only be requested from collaborators. One or more of the users or teams you specified is not a collaborator of the "+in.Name+" repository.")
			return
		}
	}
	for _, name := range texts(ask["team_reviewers"]) {
		if !slices.Contains(h.w.Teams[owner], name) {
			refuse(w, 422, "Could not resolve to a node with the global id of '"+name+"'.")
			return
		}
	}
	p.Reviewers = append(p.Reviewers, texts(ask["reviewers"])...)
	p.Teams = append(p.Teams, texts(ask["team_reviewers"])...)
	answer(w, 201, h.pull(in, p, true))
}

// label adds labels, and makes those that are not there.
func (h hub) label(w http.ResponseWriter, r *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
	var names []string
	_ = json.NewDecoder(r.Body).Decode(&names)
	var all []object
	for _, n := range names {
		if !slices.Contains(p.Labels, n) {
			p.Labels = append(p.Labels, n)
		}
		if !slices.Contains(in.Labels, n) && !slices.Contains(in.Shared, n) {
			in.Labels = append(in.Labels, n)
		}
	}
	for _, n := range p.Labels {
		all = append(all, object{"name": n})
	}
	answer(w, 200, all)
}

// assign assigns whom it knows, and says nothing of the others.
func (h hub) assign(w http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
	for _, n := range texts(read(r)["assignees"]) {
		if h.w.Known(n) {
			p.Assignees = append(p.Assignees, n)
		}
	}
	answer(w, 201, object{"number": p.Number, "assignees": h.users(p.Assignees)})
}

// checks are those of a commit.
func checks(in *forgetest.Repo, sha string) []forgetest.Check {
	for _, p := range in.Pulls {
		if p.SHA == sha {
			return p.Checks
		}
	}
	return nil
}

func (h hub) status(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	sum, all := forge.NoChecks, []object{}
	for _, c := range checks(in, r.PathValue("sha")) {
		if !c.Run {
			sum = sum.And(c.Sum)
			all = append(all, object{"context": c.Name, "state": word(c.Sum)})
		}
	}
	answer(w, 200, object{"state": word(sum), "total_count": len(all), "statuses": cut(w, r, all)})
}

func word(c forge.Checks) string {
	return map[forge.Checks]string{forge.NoChecks: "pending", forge.Pending: "pending", forge.Green: "success", forge.Red: "failure"}[c]
}

func (h hub) runs(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	var all []object
	for i, c := range checks(in, r.PathValue("sha")) {
		if !c.Run {
			continue
		}
		run := object{"id": i, "name": c.Name, "status": "completed"}
		switch c.Sum {
		case forge.Pending:
			run["status"] = []string{"queued", "in_progress"}[i%2]
		case forge.Green:
			run["conclusion"] = []string{"success", "neutral", "skipped"}[i%3]
		case forge.Red:
			run["conclusion"] = []string{"failure", "timed_out", "cancelled"}[i%3]
		}
		all = append(all, run)
	}
	answer(w, 200, object{"total_count": len(all), "check_runs": cut(w, r, all)})
}

// forgeOf opens GitHub over a handler.
func forgeOf(t *testing.T, handler http.HandlerFunc) *Forge {
	t.Helper()
	base, err := url.Parse("http://github.test/api/v3")
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(polite.Options{Base: base, Token: forge.NewSecret(forgetest.Token), Clock: forgetest.NewClock(), HTTP: forgetest.Client(handler)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestSearchLimits refuses a search that GitHub shows only a part of, and does not take an unfinished one for all.
func TestSearchLimits(t *testing.T) {
	result := object{"total_count": 1001, "items": []object{}}
	f := forgeOf(t, func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, result) })
	if _, err := f.Repositories(t.Context(), forge.Query{Topic: "go"}); !errors.Is(err, forge.ErrInvalid) || !strings.Contains(err.Error(), "1001") {
		t.Error(err)
	}
	result = object{"total_count": 1, "incomplete_results": true, "items": []object{}}
	if _, err := f.Repositories(t.Context(), forge.Query{Search: "go"}); err == nil || errors.Is(err, forge.ErrInvalid) {
		t.Error(err)
	}
}

// TestMoved finds the pull requests of a repository that has another owner now. GitHub redirects, and the filter by the old owner
// would find none.
func TestMoved(t *testing.T) {
	pull := object{"number": 4, "state": "closed", "head": object{"ref": "b", "repo": object{"full_name": "new/name"}}}
	f := forgeOf(t, func(w http.ResponseWriter, r *http.Request) {
		q := "?" + r.URL.RawQuery
		switch r.URL.Path {
		case "/api/v3/repos/old/name":
			http.Redirect(w, r, "/api/v3/repositories/7", http.StatusMovedPermanently)
		case "/api/v3/repos/old/name/pulls":
			http.Redirect(w, r, "/api/v3/repositories/7/pulls"+q, http.StatusMovedPermanently)
		case "/api/v3/repositories/7":
			answer(w, 200, object{"full_name": "new/name", "size": 1})
		case "/api/v3/repositories/7/pulls":
			answer(w, 200, []object{})
		case "/api/v3/repos/new/name/pulls":
			if r.URL.Query().Get("head") != "new:b" {
				t.Errorf("asks for %s", r.URL.RawQuery)
			}
			answer(w, 200, []object{pull})
		}
	})
	found, err := f.PullRequests(t.Context(), "old/name", "b")
	if err != nil || len(found) != 1 || found[0].Number != 4 {
		t.Error(found, err)
	}
}

// TestRunsHidden has a token that may not read check runs: GitHub's own judgement stands in for them.
func TestRunsHidden(t *testing.T) {
	for state, want := range map[string]forge.Checks{"clean": forge.Green, "unstable": forge.Pending, "blocked": forge.Pending} {
		f := forgeOf(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/check-runs"):
				refuse(w, 403, "Resource not accessible by personal access token")
			case strings.HasSuffix(r.URL.Path, "/status"):
				answer(w, 200, object{"state": "success", "total_count": 1})
			case strings.HasSuffix(r.URL.Path, "/reviews"):
				answer(w, 200, []object{})
			default:
				answer(w, 200, object{"number": 1, "state": "open", "mergeable": true, "mergeable_state": state, "head": object{"ref": "b", "sha": "1"}})
			}
		})
		status, err := f.Status(t.Context(), "a/b", 1)
		if err != nil || status.Checks != want {
			t.Errorf("%s: %s, %v", state, status.Checks, err)
		}
	}
}
