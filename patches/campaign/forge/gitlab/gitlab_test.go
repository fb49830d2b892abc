package gitlab

import (
	"encoding/json"
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

// TestForge asks of GitLab what every forge has to do.
func TestForge(t *testing.T) {
	forgetest.Behave(t, forgetest.Service{
		Scheme: "Bearer", Prefix: "/lab", Handler: serve,
		Open:  func(o polite.Options) (forge.Forge, error) { return New(o) },
		Opens: "/merge_requests", Comments: "/notes", Reviews: "/approvals", Checks: "/reviewers",
	})
}

type object = map[string]any

// A lab shows a world as GitLab's documentation says.
type lab struct{ w *forgetest.World }

func serve(w *forgetest.World) http.Handler {
	h := lab{w}
	mux := http.NewServeMux()
	repo := func(pattern string, serve func(http.ResponseWriter, *http.Request, *forgetest.Repo)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /lab/api/v4/projects/{id}"+path, func(out http.ResponseWriter, r *http.Request) {
			found := w.Repo(r.PathValue("id"))
			if found == nil {
				answer(out, 404, object{"message": "404 Project Not Found"})
				return
			}
			serve(out, r, found)
		})
	}
	merge := func(pattern string, serve func(http.ResponseWriter, *http.Request, *forgetest.Repo, *forgetest.Pull)) {
		method, path, _ := strings.Cut(pattern, " ")
		repo(method+" /merge_requests/{iid}"+path, func(out http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
			number, _ := strconv.Atoi(r.PathValue("iid"))
			p := in.Pull(number)
			if p == nil {
				answer(out, 404, object{"message": "404 Not found"})
				return
			}
			serve(out, r, in, p)
		})
	}
	mux.HandleFunc("GET /lab/api/v4/groups/{id}/projects", h.group)
	mux.HandleFunc("GET /lab/api/v4/users/{id}/projects", func(out http.ResponseWriter, r *http.Request) {
		if !w.Known(r.PathValue("id")) {
			answer(out, 404, object{"message": "404 User Not Found"})
			return
		}
		page(out, r, h.owned(r.PathValue("id"), nil))
	})
	mux.HandleFunc("GET /lab/api/v4/projects", h.projects)
	mux.HandleFunc("GET /lab/api/v4/users", func(out http.ResponseWriter, r *http.Request) {
		all := []object{}
		if n := r.URL.Query().Get("username"); w.Known(n) {
			all = append(all, object{"id": w.UserID(n), "username": n})
		}
		page(out, r, all)
	})
	repo("GET ", func(out http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
		o := h.project(in)
		o["permissions"] = object{"project_access": nil, "group_access": object{"access_level": level(in)}}
		if r.URL.Query().Get("statistics") == "true" {
			o["statistics"] = object{"repository_size": in.SizeKB << 10}
		}
		answer(out, 200, o)
	})
	repo("GET /merge_requests", h.merges)
	repo("POST /merge_requests", h.open)
	merge("GET ", func(out http.ResponseWriter, _ *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
		answer(out, 200, h.merge(in, p, true))
	})
	merge("PUT ", h.edit)
	merge("GET /approvals", func(out http.ResponseWriter, _ *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		by := []object{}
		for user, said := range latest(p) {
			if said == forge.Approves {
				by = append(by, object{"user": object{"username": user}})
			}
		}
		// Nobody has to approve, so it is approved.
		answer(out, 200, object{"iid": p.Number, "approved": true, "approvals_required": 0, "approved_by": by})
	})
	merge("GET /reviewers", func(out http.ResponseWriter, _ *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		all := []object{}
		for user, said := range latest(p) {
			state := map[forge.Opinion]string{forge.Objects: "requested_changes", forge.Approves: "approved", forge.Withdrawn: "unreviewed"}[said]
			all = append(all, object{"user": object{"username": user}, "state": state})
		}
		answer(out, 200, all)
	})
	merge("GET /notes", func(out http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		var all []object
		for i, c := range p.Comments {
			all = append(all, object{"id": i, "body": c})
		}
		page(out, r, all)
	})
	merge("POST /notes", func(out http.ResponseWriter, r *http.Request, _ *forgetest.Repo, p *forgetest.Pull) {
		p.Comments = append(p.Comments, read(r)["body"].(string))
		answer(out, 201, object{"id": len(p.Comments)})
	})
	return mux
}

func answer(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func read(r *http.Request) object {
	var v object
	_ = json.NewDecoder(r.Body).Decode(&v)
	return v
}

// page answers with the page asked for: by number, with headers, or, asked for keyset pagination, by the last id, with a link.
func page(w http.ResponseWriter, r *http.Request, all []object) {
	q := r.URL.Query()
	size, number := 20, 1
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil {
		size = min(n, 100)
	}
	if q.Get("pagination") == "keyset" {
		after, _ := strconv.Atoi(q.Get("id_after"))
		all = slices.DeleteFunc(all, func(o object) bool { return o["id"].(int) <= after })
		if len(all) > size {
			all = all[:size]
			q.Set("id_after", fmt.Sprint(all[size-1]["id"]))
			w.Header().Set("Link", fmt.Sprintf(`<http://gitlab.test%s?%s>; rel="next"`, r.URL.Path, q.Encode()))
		}
		answer(w, 200, append([]object{}, all...))
		return
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil {
		number = n
	}
	from, to := min((number-1)*size, len(all)), min(number*size, len(all))
	w.Header().Set("X-Page", fmt.Sprint(number))
	w.Header().Set("X-Next-Page", "")
	if to < len(all) {
		w.Header().Set("X-Next-Page", fmt.Sprint(number+1))
	}
	answer(w, 200, append([]object{}, all[from:to]...))
}

func level(r *forgetest.Repo) int {
	if r.CanPush {
		return 40
	}
	return 20
}

// project is a project as lists show it.
func (h lab) project(r *forgetest.Repo) object {
	o := object{
		"id": slices.Index(h.w.Repos, r) + 1, "path_with_namespace": r.Name, "http_url_to_repo": r.CloneURL, "web_url": r.WebURL,
		"default_branch": r.DefaultBranch, "archived": r.Archived, "empty_repo": r.Empty,
	}
	o["merge_requests_access_level"] = map[bool]string{false: "enabled", true: "disabled"}[r.NoPulls]
	if r.Fork {
		o["forked_from_project"] = object{"id": 4711}
	}
	return o
}

func (h lab) owned(owner string, keep func(*forgetest.Repo) bool) []object {
	var all []object
	for _, r := range h.w.Repos {
		if strings.HasPrefix(r.Name, owner+"/") && (keep == nil || keep(r)) {
			all = append(all, h.project(r))
		}
	}
	return all
}

func (h lab) group(w http.ResponseWriter, r *http.Request) {
	if !slices.Contains(h.w.Orgs, r.PathValue("id")) {
		answer(w, 404, object{"message": "404 Group Not Found"})
		return
	}
	least, _ := strconv.Atoi(r.URL.Query().Get("min_access_level"))
	page(w, r, h.owned(r.PathValue("id"), func(in *forgetest.Repo) bool { return level(in) >= least }))
}

func (h lab) projects(w http.ResponseWriter, r *http.Request) {
	q := r.URL.Query()
	all := []object{}
	for _, in := range h.w.Repos {
		if q.Get("membership") == "true" && (q.Get("topic") == "" || slices.Contains(in.Topics, q.Get("topic"))) && strings.Contains(in.Name, q.Get("search")) {
			all = append(all, h.project(in))
		}
	}
	page(w, r, all)
}

func (h lab) users(names []string) []object {
	all := []object{}
	for _, n := range names {
		all = append(all, object{"id": h.w.UserID(n), "username": n})
	}
	return all
}

// latest is what everybody said last: GitLab keeps no more.
func latest(p *forgetest.Pull) map[string]forge.Opinion {
	said := map[string]forge.Opinion{}
	for _, r := range p.Reviews {
		if r.Opinion != forge.Comments {
			said[r.User] = r.Opinion
		}
	}
	return said
}

// merge is a merge request. Lists say nothing of pipelines.
func (h lab) merge(in *forgetest.Repo, p *forgetest.Pull, whole bool) object {
	title, from := p.Title, 1
	if p.Draft {
		title = "Draft: " + title
	}
	if p.HeadRepo != in.Name {
		from = 2
	}
	o := object{
		"iid": p.Number, "web_url": fmt.Sprintf("%s/pull/%d", in.WebURL, p.Number), "title": title, "description": p.Body, "draft": p.Draft,
		"labels": append([]string{}, p.Labels...), "assignees": h.users(p.Assignees), "reviewers": h.users(p.Reviewers), "sha": p.SHA,
		"source_branch": p.Head, "target_branch": p.Base, "source_project_id": from, "target_project_id": 1, "project_id": 1,
		"state": map[forge.State]string{forge.Open: "opened", forge.Merged: "merged", forge.Closed: "closed"}[p.State], "has_conflicts": p.Conflicts,
	}
	switch {
	case p.State != forge.Open:
		o["detailed_merge_status"] = "not_open"
	case p.Unknown:
		o["detailed_merge_status"] = "checking"
	case p.Conflicts:
		o["detailed_merge_status"] = "conflict"
	case p.Draft:
		o["detailed_merge_status"] = "draft_status"
	default:
		o["detailed_merge_status"] = "mergeable"
	}
	if whole && len(p.Checks) > 0 {
		sum := forge.NoChecks
		for _, c := range p.Checks {
			sum = sum.And(c.Sum)
		}
		o["head_pipeline"] = object{"sha": p.SHA, "ref": p.Head, "status": map[forge.Checks]string{forge.Green: "success", forge.Red: "failed", forge.Pending: "running"}[sum]}
	}
	return o
}

func (h lab) merges(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	q := r.URL.Query()
	var all []object
	for _, p := range slices.Backward(in.Pulls) {
		if q.Get("state") == "all" && q.Get("scope") == "all" && (q.Get("source_branch") == "" || p.Head == q.Get("source_branch")) {
			all = append(all, h.merge(in, p, false))
		}
	}
	page(w, r, all)
}

// retitle takes the mark of a draft from a title.
func retitle(p *forgetest.Pull, title string) {
	p.Title, p.Draft = strings.CutPrefix(title, "Draft: ")
}

func (h lab) open(w http.ResponseWriter, r *http.Request, in *forgetest.Repo) {
	ask := read(r)
	p, exists := in.Open(ask["source_branch"].(string), ask["target_branch"].(string), "", "", false)
	if exists {
		answer(w, 409, object{"message": []string{fmt.Sprintf("Another open merge request already exists for this source branch: !%d", p.Number)}})
		return
	}
	retitle(p, ask["title"].(string))
	h.set(in, p, ask)
	answer(w, 201, h.merge(in, p, true))
}

// set takes over what a request says.
func (h lab) set(in *forgetest.Repo, p *forgetest.Pull, ask object) {
	if text, ok := ask["description"].(string); ok {
		for l := range strings.Lines(text) {
			if len(l) > 1 && l[0] == '/' && l[1] >= 'a' && l[1] <= 'z' {
				p.State = forge.Closed // whatever the quick action was
			}
		}
		p.Body = text
	}
	for _, field := range []string{"labels", "add_labels"} {
		if names, _ := ask[field].(string); names != "" {
			for n := range strings.SplitSeq(names, ",") {
				if !slices.Contains(p.Labels, n) {
					p.Labels = append(p.Labels, n)
				}
				if !slices.Contains(in.Labels, n) && !slices.Contains(in.Shared, n) {
					in.Labels = append(in.Labels, n)
				}
			}
		}
	}
	for field, people := range map[string]*[]string{"assignee_ids": &p.Assignees, "reviewer_ids": &p.Reviewers} {
		if ids, ok := ask[field].([]any); ok {
			*people = nil
			for _, id := range ids {
				*people = append(*people, h.w.UserOf(int(id.(float64))))
			}
		}
	}
}

func (h lab) edit(w http.ResponseWriter, r *http.Request, in *forgetest.Repo, p *forgetest.Pull) {
	ask := read(r)
	if title, ok := ask["title"].(string); ok {
		retitle(p, title)
	}
	if base, ok := ask["target_branch"].(string); ok {
		p.Base = base
	}
	if ask["state_event"] == "close" {
		p.State = forge.Closed
	}
	h.set(in, p, ask)
	answer(w, 200, h.merge(in, p, true))
}

// forgeOf opens GitLab over a handler.
func forgeOf(t *testing.T, handler http.HandlerFunc) *Forge {
	t.Helper()
	base, err := url.Parse("http://gitlab.test")
	if err != nil {
		t.Fatal(err)
	}
	f, err := New(polite.Options{Base: base, Token: forge.NewSecret(forgetest.Token), Clock: forgetest.NewClock(), HTTP: forgetest.Client(handler)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// TestPipelines goes through the states of pipelines, and those of another commit.
func TestPipelines(t *testing.T) {
	for _, c := range []struct {
		sha, ref, status string
		want             forge.Checks
	}{
		{"1", "b", "success", forge.Green}, {"1", "b", "skipped", forge.Green}, {"1", "b", "failed", forge.Red}, {"1", "b", "canceled", forge.Red},
		{"1", "b", "manual", forge.Pending}, {"1", "b", "created", forge.Pending}, {"1", "b", "waiting_for_resource", forge.Pending},
		{"0", "b", "success", forge.Pending}, {"2", "refs/merge-requests/1/merge", "success", forge.Green}, {"2", "refs/merge-requests/1/merge", "failed", forge.Red},
	} {
		f := forgeOf(t, func(w http.ResponseWriter, r *http.Request) {
			switch {
			case strings.HasSuffix(r.URL.Path, "/approvals"):
				answer(w, 200, object{})
			case strings.HasSuffix(r.URL.Path, "/reviewers"):
				answer(w, 200, []object{})
			default:
				answer(w, 200, object{"iid": 1, "state": "opened", "sha": "1", "head_pipeline": object{"sha": c.sha, "ref": c.ref, "status": c.status}})
			}
		})
		if status, err := f.Status(t.Context(), "a/b", 1); err != nil || status.Checks != c.want {
			t.Errorf("%v: %s, %v", c, status.Checks, err)
		}
	}
}

// TestOneReviewer has a GitLab without a licence, which keeps one reviewer and says nothing.
func TestOneReviewer(t *testing.T) {
	f := forgeOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/api/v4/users" {
			answer(w, 200, []object{{"id": len(r.URL.Query().Get("username")), "username": r.URL.Query().Get("username")}})
			return
		}
		answer(w, 201, object{"iid": 1, "state": "opened", "reviewers": []object{{"id": 1, "username": "a"}}})
	})
	opened, err := f.Open(t.Context(), "a/b", forge.Request{Head: "h", Base: "b", Title: "t", Reviewers: []string{"a", "bb"}})
	if err != nil || len(opened.Refused) != 1 || !strings.Contains(opened.Refused[0], "1 of 2") {
		t.Errorf("%+v, %v", opened, err)
	}
}

// TestSubgroups knows projects by names of any depth.
func TestSubgroups(t *testing.T) {
	f := forgeOf(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.EscapedPath() != "/api/v4/projects/a%2Fb%2Fc" {
			t.Errorf("asks for %s", r.URL.EscapedPath())
		}
		answer(w, 200, object{"path_with_namespace": "a/b/c"})
	})
	if found, err := f.Repository(t.Context(), "a/b/c"); err != nil || found.Name != "a/b/c" {
		t.Error(found, err)
	}
}
