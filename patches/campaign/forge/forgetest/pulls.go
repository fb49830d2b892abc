package forgetest

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// branch is the one that most pull requests here are of.
const branch = "ctxmend/builtinkey/1"

// request is a usual one.
func request() forge.Request {
	return forge.Request{
		Head: branch, Base: "trunk", Title: "Keys of their own", Body: "Why.\n\n/close\n\n```go\n// text\n```\n",
		Labels: []string{"ctxmend", "shared one", "ready"}, Reviewers: []string{"@ada", "bob"}, Assignees: []string{"cyd"},
	}
}

func open(b *behaviour) {
	r := b.app()
	r.Labels, r.Shared = []string{"bug", "ready"}, []string{"shared one"}
	ask := request()
	if b.s.Teams {
		ask.Reviewers = append(ask.Reviewers, "team/gophers", "acme/gophers")
	}
	opened, err := b.f.Open(b.t.Context(), "acme/app", ask)
	b.must(err)
	p := r.Pull(1)
	want := forge.PullRequest{
		Number: 1, URL: r.WebURL + "/pull/1", State: forge.Open, Head: branch, HeadSHA: p.SHA, Base: "trunk", Title: ask.Title, Body: p.Body,
		Labels: []string{"ctxmend", "ready", "shared one"},
	}
	same(b, "pull request", opened, want)
	if plain := strings.ReplaceAll(p.Body, `\/`, "/"); plain != ask.Body {
		b.t.Errorf("the body became %q", p.Body)
	}
	slices.Sort(p.Labels)
	same(b, "labels", p.Labels, want.Labels)
	slices.Sort(p.Reviewers)
	same(b, "reviewers", p.Reviewers, []string{"ada", "bob"})
	same(b, "assignees", p.Assignees, []string{"cyd"})
	if b.s.Teams {
		same(b, "teams", p.Teams, []string{"gophers"})
	}
	labels := slices.Clone(r.Labels)
	slices.Sort(labels)
	same(b, "labels of the repository", labels, []string{"bug", "ctxmend", "ready"})

	listed, err := b.f.PullRequests(b.t.Context(), "acme/app", branch)
	b.must(err)
	same(b, "listed", listed, []forge.PullRequest{want})
}

func draft(b *behaviour) {
	ask := request()
	ask.Draft = true
	opened, err := b.f.Open(b.t.Context(), "acme/app", ask)
	b.must(err)
	if p := b.app().Pull(1); !opened.Draft || opened.Title != ask.Title || !p.Draft || p.Title != ask.Title {
		b.t.Errorf("opened %+v as %+v", opened, p)
	}
	status, err := b.f.Status(b.t.Context(), "acme/app", 1)
	b.must(err)
	if !status.Draft || status.Mergeable || status.Conflicts {
		b.t.Errorf("status %+v", status)
	}
}

func exists(b *behaviour) {
	ask := forge.Request{Head: branch, Base: "trunk", Title: "one"}
	_, err := b.f.Open(b.t.Context(), "acme/app", ask)
	b.must(err)
	_, err = b.f.Open(b.t.Context(), "acme/app", ask)
	b.is(err, forge.ErrExists)
	if n := len(b.app().Pulls); n != 1 {
		b.t.Errorf("%d pull requests", n)
	}
	// Once it is closed another one is possible. Whether it is right is not the forge's to say.
	b.app().Pull(1).State = forge.Closed
	_, err = b.f.Open(b.t.Context(), "acme/app", ask)
	b.must(err)
}

func unknownPeople(b *behaviour) {
	ask := request()
	ask.Reviewers = []string{"nobody", "ada", "strangers/team", "team/unknown"}
	ask.Assignees = []string{"noone", "cyd"}
	opened, err := b.f.Open(b.t.Context(), "acme/app", ask)
	b.must(err)
	p := b.app().Pull(1)
	same(b, "reviewers", p.Reviewers, []string{"ada"})
	same(b, "assignees", p.Assignees, []string{"cyd"})
	all := strings.Join(opened.Refused, "\n")
	for _, name := range []string{"nobody", "strangers/team", "team/unknown", "noone"} {
		if !strings.Contains(all, name) {
			b.t.Errorf("nothing says that %s was refused:\n%s", name, all)
		}
	}
	if strings.Contains(all, "ada") {
		b.t.Errorf("ada was refused:\n%s", all)
	}
}

// openBroken loses the answer to the first request: the service has opened the pull request, and nobody knows.
func openBroken(b *behaviour) {
	for _, f := range []Fault{{Abort: true, After: true}, {Half: true, After: true}, {Status: 502, After: true}, {Abort: true}} {
		r := b.w.Repo("acme/service-001")
		r.Pulls = nil
		f.Method, f.Path, f.Times = http.MethodPost, b.s.Opens, 1
		b.w.Faults = []*Fault{&f}
		_, err := b.f.Open(b.t.Context(), r.Name, request())
		b.retriable(err)
		opened, err := b.f.Open(b.t.Context(), r.Name, request())
		if f.After {
			b.is(err, forge.ErrExists)
			listed, err := b.f.PullRequests(b.t.Context(), r.Name, branch)
			b.must(err)
			if len(listed) != 1 || len(r.Pulls) != 1 {
				b.t.Fatalf("%d pull requests, %d listed", len(r.Pulls), len(listed))
			}
			opened, err = b.f.Update(b.t.Context(), r.Name, listed[0].Number, request())
			b.must(err)
		} else {
			b.must(err)
		}
		same(b, "labels", opened.Labels, []string{"ctxmend", "ready", "shared one"})
		if len(r.Pulls) != 1 || len(r.Pulls[0].Reviewers) != 2 || len(r.Pulls[0].Assignees) != 1 {
			b.t.Errorf("%+v", r.Pulls[0])
		}
	}
}

func pulls(b *behaviour) {
	r := b.app()
	// Many of others, then ours in every state, one of a fork's branch of the same name, and one whose branch is gone.
	for i := range 110 {
		r.Add(Pull{Head: fmt.Sprintf("feature-%d", i), Title: "x"})
	}
	r.Add(Pull{Head: branch, Title: "first", State: forge.Closed, BranchGone: true})
	r.Add(Pull{Head: branch, Title: "second", State: forge.Merged, BranchGone: true})
	r.Add(Pull{Head: branch, Title: "of a fork", HeadRepo: "acme/fork"})
	r.Add(Pull{Head: branch + "0", Title: "of another branch"})
	r.Add(Pull{Head: branch, Title: "third", Labels: []string{"b", "a"}})
	listed, err := b.f.PullRequests(b.t.Context(), "acme/app", branch)
	b.must(err)
	var got []string
	for _, p := range listed {
		got = append(got, fmt.Sprintf("%d %s %s %s %s %v", p.Number, p.State, p.Title, p.Head, p.Base, p.Labels))
	}
	want := []string{
		"115 open third " + branch + " trunk [a b]",
		"112 merged second " + branch + " trunk []",
		"111 closed first " + branch + " trunk []",
	}
	same(b, "listed", got, want)
	none, err := b.f.PullRequests(b.t.Context(), "acme/app", "no-such-branch")
	b.must(err)
	if len(none) != 0 {
		b.t.Errorf("listed %v", none)
	}
	_, err = b.f.PullRequests(b.t.Context(), "acme/nothing", branch)
	b.is(err, forge.ErrNotFound)
}

func update(b *behaviour) {
	r := b.app()
	r.Add(Pull{
		Head: branch, Title: "old", Body: "old", Labels: []string{"mine", "ready"}, Reviewers: []string{"dan"}, Assignees: []string{"dan"},
		Reviews: []Review{{User: "bob", Opinion: forge.Approves}}, Base: "main",
	})
	r.Labels = []string{"mine", "ready"}
	ask := request()
	updated, err := b.f.Update(b.t.Context(), "acme/app", 1, ask)
	b.must(err)
	p := r.Pull(1)
	slices.Sort(p.Labels)
	slices.Sort(p.Assignees)
	slices.Sort(p.Reviewers)
	same(b, "title", p.Title, ask.Title)
	same(b, "body", strings.ReplaceAll(p.Body, `\/`, "/"), ask.Body)
	same(b, "base", p.Base, "trunk")
	same(b, "labels", p.Labels, []string{"ctxmend", "mine", "ready", "shared one"})
	same(b, "labels of the answer", updated.Labels, p.Labels)
	same(b, "assignees", p.Assignees, []string{"cyd", "dan"})
	// bob has had his say; not every service would tell.
	if b.s.Strangers {
		same(b, "reviewers", p.Reviewers, []string{"ada", "dan"})
	}
}

func upToDate(b *behaviour) {
	opened, err := b.f.Open(b.t.Context(), "acme/app", request())
	b.must(err)
	before := b.w.Changes()
	updated, err := b.f.Update(b.t.Context(), "acme/app", 1, request())
	b.must(err)
	same(b, "pull request", updated, opened)
	if after := b.w.Changes(); after != before {
		b.t.Errorf("%d changes where there is nothing to change: %v", after-before, b.w.Seen[before:])
	}
}

func updateDraft(b *behaviour) {
	b.app().Add(Pull{Head: branch, Title: "old", Draft: true})
	updated, err := b.f.Update(b.t.Context(), "acme/app", 1, request())
	b.must(err)
	if p := b.app().Pull(1); !p.Draft || !updated.Draft || updated.Title != request().Title {
		b.t.Errorf("what somebody made a draft is one no longer: %+v, %+v", updated, p)
	}
}

func updateClosed(b *behaviour) {
	for i, state := range []forge.State{forge.Closed, forge.Merged} {
		b.app().Add(Pull{Head: branch, Title: "old", State: state})
		updated, err := b.f.Update(b.t.Context(), "acme/app", i+1, request())
		b.must(err)
		if updated.State != state || updated.Title != "old" || b.app().Pull(i+1).Title != "old" {
			b.t.Errorf("%s: %+v", state, updated)
		}
	}
	if n := b.w.Changes(); n != 0 {
		b.t.Errorf("%d changes", n)
	}
	_, err := b.f.Update(b.t.Context(), "acme/app", 99, request())
	b.is(err, forge.ErrNotFound)
}

func closing(b *behaviour) {
	p := b.app().Add(Pull{Head: branch, Title: "x", Comments: []string{"hello"}})
	for range 2 {
		b.must(b.f.Close(b.t.Context(), "acme/app", 1, "No longer needed."))
		same(b, "comments", p.Comments, []string{"hello", "No longer needed."})
		same(b, "state", p.State, forge.Closed)
	}
	merged := b.app().Add(Pull{Head: branch, Title: "x", State: forge.Merged})
	b.must(b.f.Close(b.t.Context(), "acme/app", 2, "No longer needed."))
	if merged.State != forge.Merged || merged.Comments != nil {
		b.t.Errorf("a merged one: %+v", merged)
	}
	b.is(b.f.Close(b.t.Context(), "acme/app", 99, "No."), forge.ErrNotFound)
}

// closeBroken breaks off after the comment, and after the answer to the comment was lost.
func closeBroken(b *behaviour) {
	for _, f := range []Fault{{Path: b.s.Comments, Method: http.MethodPost, Abort: true, After: true}, {Path: "/", Method: http.MethodPatch, Abort: true}, {Path: "/", Method: http.MethodPut, Abort: true}} {
		p := b.app().Add(Pull{Head: branch, Title: "x"})
		for i := range 60 {
			p.Comments = append(p.Comments, fmt.Sprint("comment ", i))
		}
		f.Times = 1
		b.w.Faults = []*Fault{&f}
		if err := b.f.Close(b.t.Context(), "acme/app", p.Number, "No longer needed."); err != nil {
			b.retriable(err)
			b.must(b.f.Close(b.t.Context(), "acme/app", p.Number, "No longer needed."))
		}
		if p.State != forge.Closed || len(p.Comments) != 61 {
			b.t.Errorf("%s after %d comments", p.State, len(p.Comments))
		}
	}
}
