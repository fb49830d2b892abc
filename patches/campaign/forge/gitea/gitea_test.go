package gitea

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/forgetest"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// TestForge asks of Gitea what every forge has to do.
func TestForge(t *testing.T) {
	forgetest.Behave(t, forgetest.Service{
		Scheme: "token", Prefix: "/git", Handler: serve,
		Open:  func(o polite.Options) (forge.Forge, error) { return New(o) },
		Teams: true, Strangers: true, Sizes: true,
		Opens: "/pulls", Comments: "/comments", Reviews: "/reviews", Checks: "/statuses",
	})
}

type object = map[string]any

// A tea shows a world as Gitea does (1.25).
type tea struct{ w *forgetest.World }

func serve(w *forgetest.World) http.Handler {
	h := tea{w}
	mux := http.NewServeMux()
	repo := func(pattern string, serve func(http.ResponseWriter, *http.Request, *forgetest.Repo)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /git/api/v1/repos/{owner}/{repo}"+path, func(out http.ResponseWriter, r *http.Request) {
			found := w.Repo(r.PathValue("owner") + "/" + r.PathValue("repo"))
			if found == nil {
				refuse(out, 404, "The target couldn't be found.")
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
				refuse(out, 404, "The target couldn't be found.")
				return
			}
			serve(out, r, in, p)
		})
	}
	mux.HandleFunc("GET /git/api/v1/orgs/{org}/repos", func(out http.ResponseWriter, r *http.Request) {
		if !slices.Contains(w.Orgs, r.PathValue("org")) {
			refuse(out, 404, "The target couldn't be found.")
			return
		}
		page(out, r, h.owned(r.PathValue("org")), true)
	})
	mux.HandleFunc("GET /git/api/v1/users/{user}/repos", func(out http.ResponseWriter, r *http.Request) {
		if !w.Known(r.PathValue("user")) {
			refuse(out, 404, "user redirect does not exist")
			return
		}
		page(out, r, h.owned(r.PathValue("user")), true)
	})
	mux.HandleFunc("GET /git/api/v1/repos/search", h.search)
	mux.HandleFunc("GET /git/api/v1/orgs/{org}/labels", func(out http.ResponseWriter, r *http.Request) {
		if !slices.Contains(w.Orgs, r.PathValue("org")) {
			refuse(out, 404, "The target couldn't be found.")
			return
		}
		page(out, r, h.shared(r.PathValue("org")), false)
	})
	repo("GET ", func(out http.ResponseWriter, _ *http.Request, in *forgetest.Repo) { answer(out, 200, describe1(in)) })
	repo("GET /labels", func(out http.ResponseWriter, r *http.Request, in *forgetest.Repo) { page(out, r, own(in), false) })
	repo("POST /labels", func(out http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
		in.Labels = append(in.Labels, read(r)["name"].(string))
		answer(out, 201, own(in)[len(in.Labels)-1])
	})
	repo("GET /pulls", h.pulls)
	repo("POST /pulls", h.open)
	pull("GET /pulls/{number}", func(out http.ResponseWriter, _ *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
		answer(out, 200, h.pull(in, p))
	})
	pull("PATCH /pulls/{number}", h.edit)
	pull("GET /pulls/{number}/reviews", h.reviews)
	pull("POST /pulls/{number}/requested_reviewers", h.request)
	pull("GET /issues/{number}/comments", func(out http.ResponseWriter, _ *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		all := []object{}
		for _, c := range p.Comments {
			all = append(all, object{"body": c})
		}
		// All of them, however many.
		out.Header().Set("X-Total-Count", fmt.Sprint(len(all)))
		answer(out, 200, all)
	})
	pull("POST /issues/{number}/comments", func(out http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		p.Comments = append(p.Comments, read(r)["body"].(string))
		answer(out, 201, object{"id": len(p.Comments)})
	})
	pull("POST /issues/{number}/labels", h.label)
	repo("GET /commits/{sha}/statuses", h.statuses)
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json;charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func refuse(w http.ResponseWriter, status int, message string) {
	answer(w, status, object{"message": message, "url": "http://gitea.test/api/swagger"})
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

// cut is the page asked for. Every list says how long it is, some name the next page as well.
func cut(w http.ResponseWriter, r *http.Request, all []object, link bool) []object {
	q := r.URL.Query()
	size, number := 30, 1
	if n, err := strconv.Atoi(q.Get("limit")); err == nil && n > 0 {
		size = min(n, 50)
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		number = n
	}
	from, to := min((number-1)*size, len(all)), min(number*size, len(all))
	w.Header().Set("X-Total-Count", fmt.Sprint(len(all)))
	if link && to < len(all) {
		w.Header().Set("Link", fmt.Sprintf(`<http://gitea.test%s?page=%d>; rel="next",<http://gitea.test%s?page=9>; rel="last"`, r.URL.Path, number+1, r.URL.Path))
	}
	return append([]object{}, all[from:to]...)
}

func page(w http.ResponseWriter, r *http.Request, all []object, link bool) {
	answer(w, 200, cut(w, r, all, link))
}

func describe1(r *forgetest.Repo) object {
	branch := r.DefaultBranch
	if branch == "" {
		branch = "main"
	}
	owner, name, _ := strings.Cut(r.Name, "/")
	return object{
		"id": 1, "name": name, "full_name": r.Name, "owner": object{"login": owner}, "clone_url": r.CloneURL, "html_url": r.WebURL, "default_branch": branch,
		"size": r.SizeKB, "archived": r.Archived, "fork": r.Fork, "empty": r.Empty, "mirror": false, "has_pull_requests": !r.NoPulls, "permissions": object{"pull": true, "push": r.CanPush, "admin": false},
	}
}

func (h tea) owned(owner string) []object {
	var all []object
	for _, r := range h.w.Repos {
		if strings.HasPrefix(r.Name, owner+"/") {
			all = append(all, describe1(r))
		}
	}
	return all
}

func (h tea) search(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	var all []object
	for _, in := range h.w.Repos {
		if q.Get("topic") == "true" && slices.Contains(in.Topics, q.Get("q")) || q.Get("topic") != "true" && strings.Contains(in.Name, q.Get("q")) {
			all = append(all, describe1(in))
		}
	}
	answer(w, 200, object{"ok": true, "data": cut(w, r, all, true)})
}

// own and shared are the labels of a repository and of an organisation, whose numbers are different ones.
func own(in *forgetest.Repo) []object {
	all := []object{}
	for i, l := range in.Labels {
		all = append(all, object{"id": i + 1, "name": l, "color": "0e8a8a"})
	}
	return all
}

func (h tea) shared(organization string) []object {
	all := []object{}
	for _, in := range h.w.Repos {
		if strings.HasPrefix(in.Name, organization+"/") {
			for i, l := range in.Shared {
				all = append(all, object{"id": 100 + i, "name": l})
			}
		}
	}
	return all
}

func users(names []string) []object {
	all := []object{}
	for _, n := range names {
		all = append(all, object{"login": n})
	}
	return all
}

// pull is a pull request. Where the branch is gone the reference is Gitea's own.
func (h tea) pull(in *forgetest.Repo, p *forgetest.Pull) object {
	labels := []object{}
	for _, l := range p.Labels {
		labels = append(labels, object{"name": l})
	}
	teams := []object{}
	for _, t := range p.Teams {
		teams = append(teams, object{"name": t})
	}
	title, ref, id := p.Title, p.Head, 1
	if p.Draft {
		title = "WIP: " + title
	}
	if p.BranchGone {
		ref = fmt.Sprintf("refs/pull/%d/head", p.Number)
	}
	if p.HeadRepo != in.Name {
		id = 2
	}
	state := "closed"
	if p.State == forge.Open {
		state = "open"
	}
	updated := h.w.Clock.Now()
	if !p.Unknown {
		updated = updated.Add(-time.Hour)
	}
	return object{
		"number": p.Number, "html_url": fmt.Sprintf("%s/pull/%d", in.WebURL, p.Number), "title": title, "body": p.Body, "draft": p.Draft, "labels": labels,
		"assignees": users(p.Assignees), "requested_reviewers": users(p.Reviewers), "requested_reviewers_teams": teams, "state": state, "merged": p.State == forge.Merged,
		"mergeable": !p.Conflicts && !p.Unknown && !p.Draft, "updated_at": updated.Format(time.RFC3339),
		"head": object{"label": p.Head, "ref": ref, "sha": p.SHA, "repo_id": id}, "base": object{"label": p.Base, "ref": p.Base, "repo_id": 1, "repo": describe1(in)},
	}
}

func (h tea) pulls(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	var all []object
	for _, p := range in.Pulls {
		if r.URL.Query().Get("state") == "all" || p.State == forge.Open {
			all = append(all, h.pull(in, p))
		}
	}
	page(w, r, all, true)
}

// retitle takes the mark of a draft from a title.
func retitle(p *forgetest.Pull, title string) {
	p.Title, p.Draft = strings.CutPrefix(title, "WIP: ")
}

func (h tea) open(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	ask := read(r)
	p, exists := in.Open(ask["head"].(string), ask["base"].(string), "", ask["body"].(string), false)
	if exists {
		refuse(w, 409, fmt.Sprintf("pull request already exists for these targets [id: 1, issue_id: %d, head_repo_id: 1, base_repo_id: 1, head_branch: %s, base_branch: %s]", p.Number, p.Head, p.Base))
		return
	}
	retitle(p, ask["title"].(string))
	answer(w, 201, h.pull(in, p))
}

func (h tea) edit(w http.ResponseWriter, r *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
	ask := read(r)
	if title, _ := ask["title"].(string); title != "" {
		retitle(p, title)
	}
	if body, ok := ask["body"].(string); ok {
		p.Body = body
	}
	if base, _ := ask["base"].(string); base != "" {
		p.Base = base
	}
	if ask["assignees"] != nil {
		names := texts(ask["assignees"])
		for _, n := range names {
			if !h.w.Known(n) {
				refuse(w, 422, "Assignee does not exist: [name: "+n+"]")
				return
			}
		}
		p.Assignees = names
	}
	if ask["state"] == "closed" {
		if p.State == forge.Merged {
			refuse(w, 412, "cannot change state of this pull request, it was already merged")
			return
		}
		p.State = forge.Closed
	}
	answer(w, 201, h.pull(in, p))
}

func (h tea) reviews(w http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
	all := []object{}
	for i, review := range p.Reviews {
		state := map[forge.Opinion]string{forge.Comments: "COMMENT", forge.Approves: "APPROVED", forge.Objects: "REQUEST_CHANGES", forge.Withdrawn: "REQUEST_CHANGES"}[review.Opinion]
		all = append(all, object{"id": i, "state": state, "user": object{"login": review.User}, "official": !review.Stranger, "dismissed": review.Opinion == forge.Withdrawn})
	}
	for _, n := range p.Reviewers {
		all = append(all, object{"id": len(all), "state": "REQUEST_REVIEW", "user": object{"login": n}})
	}
	page(w, r, all, false)
}

func (h tea) request(w http.ResponseWriter, r *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
	ask := read(r)
	owner, _, _ := strings.Cut(in.Name, "/")
	for _, n := range texts(ask["reviewers"]) {
		if !h.w.Known(n) {
			refuse(w, 404, "UserNotExist")
			return
		}
		p.Reviewers = append(p.Reviewers, n)
	}
	for _, n := range texts(ask["team_reviewers"]) {
		if !slices.Contains(h.w.Teams[owner], n) {
			refuse(w, 404, "TeamNotExist")
			return
		}
		p.Teams = append(p.Teams, n)
	}
	answer(w, 201, []object{})
}

func (h tea) label(w http.ResponseWriter, r *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
	ids, _ := read(r)["labels"].([]any)
	for _, id := range ids {
		n := int(id.(float64))
		switch {
		case n >= 100:
			p.Labels = append(p.Labels, in.Shared[n-100])
		case n >= 1:
			p.Labels = append(p.Labels, in.Labels[n-1])
		}
	}
	all := []object{}
	for _, l := range p.Labels {
		all = append(all, object{"name": l})
	}
	answer(w, 200, all)
}

// statuses are those of a commit, the newest first, with those that were replaced.
func (h tea) statuses(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	word := map[forge.Checks]string{forge.Pending: "pending", forge.Green: "success", forge.Red: "failure"}
	all := []object{}
	for _, p := range in.Pulls {
		if p.SHA != r.PathValue("sha") {
			continue
		}
		for i, c := range p.Checks {
			if c.Before != "" {
				all = append(all, object{"id": 2*i + 1, "context": c.Name, "status": word[c.Before]})
			}
			all = append(all, object{"id": 2*i + 2, "context": c.Name, "status": word[c.Sum]})
		}
	}
	slices.Reverse(all)
	page(w, r, all, true)
}
