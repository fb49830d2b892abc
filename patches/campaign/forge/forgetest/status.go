package forgetest

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// status asks for the status of a pull request of its own.
func (b *behaviour) status(p Pull) forge.Status {
	b.t.Helper()
	p.Head, p.Title = branch, "x"
	added := b.app().Add(p)
	// Long ago, so that the service has found out what it can.
	b.w.Clock.Advance(time.Hour)
	status, err := b.f.Status(b.t.Context(), "acme/app", added.Number)
	b.must(err)
	return status
}

func reviews(b *behaviour) {
	type said = []Review
	for name, c := range map[string]struct {
		reviews           said
		approved, changes bool
	}{
		"none":                        {nil, false, false},
		"a comment":                   {said{{User: "ada"}}, false, false},
		"an approval":                 {said{{User: "ada", Opinion: forge.Approves}}, true, false},
		"changes":                     {said{{User: "ada", Opinion: forge.Objects}}, false, true},
		"changes, then an approval":   {said{{User: "ada", Opinion: forge.Objects}, {User: "ada", Opinion: forge.Approves}}, true, false},
		"an approval, then changes":   {said{{User: "ada", Opinion: forge.Approves}, {User: "ada", Opinion: forge.Objects}}, false, true},
		"an approval, then a comment": {said{{User: "ada", Opinion: forge.Approves}, {User: "ada"}}, true, false},
		"two of two minds":            {said{{User: "ada", Opinion: forge.Approves}, {User: "bob", Opinion: forge.Objects}}, false, true},
		"changes taken back":          {said{{User: "ada", Opinion: forge.Objects}, {User: "ada", Opinion: forge.Withdrawn}}, false, false},
		"changes taken back, and somebody's approval": {said{{User: "bob", Opinion: forge.Approves}, {User: "ada", Opinion: forge.Objects}, {User: "ada", Opinion: forge.Withdrawn}}, true, false},
	} {
		status := b.status(Pull{Reviews: c.reviews})
		if status.Approved != c.approved || status.ChangesRequested != c.changes {
			b.t.Errorf("%s: approved %t, changes requested %t", name, status.Approved, status.ChangesRequested)
		}
	}
	if !b.s.Strangers {
		return
	}
	status := b.status(Pull{Reviews: said{{User: "dan", Opinion: forge.Approves, Stranger: true}, {User: "bob", Opinion: forge.Objects, Stranger: true}}})
	if status.Approved || status.ChangesRequested {
		b.t.Errorf("the word of strangers counts: %+v", status)
	}
}

// manyReviews has the one that counts on the second page.
func manyReviews(b *behaviour) {
	p := Pull{Reviews: []Review{{User: "ada", Opinion: forge.Objects}}}
	for range 120 {
		p.Reviews = append(p.Reviews, Review{User: "bob"})
	}
	p.Reviews = append(p.Reviews, Review{User: "ada", Opinion: forge.Approves})
	if status := b.status(p); !status.Approved || status.ChangesRequested {
		b.t.Errorf("%+v", status)
	}
}

func checks(b *behaviour) {
	status := func(sum forge.Checks) Check { return Check{Name: "ci/" + string(sum), Sum: sum} }
	run := func(sum forge.Checks) Check { return Check{Name: "run/" + string(sum), Sum: sum, Run: true} }
	all := func(c ...Check) []Check { return c }
	var many []Check
	for i := range 130 {
		many = append(many, Check{Name: fmt.Sprint("run/", i), Sum: forge.Green, Run: true})
	}
	for name, c := range map[string]struct {
		checks []Check
		want   forge.Checks
	}{
		"none":                     {nil, forge.NoChecks},
		"a status":                 {all(status(forge.Green)), forge.Green},
		"a run":                    {all(run(forge.Green)), forge.Green},
		"a bad status":             {all(status(forge.Red), status(forge.Green)), forge.Red},
		"a bad run":                {all(run(forge.Red), run(forge.Green)), forge.Red},
		"a status under way":       {all(status(forge.Pending), status(forge.Green)), forge.Pending},
		"a run under way":          {all(run(forge.Pending), run(forge.Green)), forge.Pending},
		"good status, bad run":     {all(status(forge.Green), run(forge.Red)), forge.Red},
		"bad status, good run":     {all(status(forge.Red), run(forge.Green)), forge.Red},
		"good status, run to come": {all(status(forge.Green), run(forge.Pending)), forge.Pending},
		"bad and under way":        {all(status(forge.Pending), run(forge.Red)), forge.Red},
		"red at first":             {all(Check{Name: "ci", Sum: forge.Green, Before: forge.Red}), forge.Green},
		"green at first":           {all(Check{Name: "ci", Sum: forge.Red, Before: forge.Green}), forge.Red},
		"many, the last one bad":   {append(many[:len(many):len(many)], run(forge.Red)), forge.Red},
	} {
		if status := b.status(Pull{Checks: c.checks}); status.Checks != c.want {
			b.t.Errorf("%s: %s, want %s", name, status.Checks, c.want)
		}
	}
}

func conflicts(b *behaviour) {
	for name, c := range map[string]struct {
		pull                 Pull
		conflicts, mergeable bool
	}{
		"fine":      {Pull{}, false, true},
		"conflicts": {Pull{Conflicts: true}, true, false},
		"a draft":   {Pull{Draft: true}, false, false},
		"closed":    {Pull{State: forge.Closed}, false, false},
		"merged":    {Pull{State: forge.Merged, BranchGone: true}, false, false},
	} {
		status := b.status(c.pull)
		if status.Conflicts != c.conflicts || status.Mergeable != c.mergeable {
			b.t.Errorf("%s: conflicts %t, mergeable %t", name, status.Conflicts, status.Mergeable)
		}
		if want := c.pull.State; want != "" && status.State != want {
			b.t.Errorf("%s: %s", name, status.State)
		}
		if status.HeadSHA == "" || status.Head != branch || status.URL == "" {
			b.t.Errorf("%s: %+v", name, status)
		}
	}
	// Not known yet is no conflict.
	b.app().Add(Pull{Head: branch, Title: "x", Unknown: true})
	status, err := b.f.Status(b.t.Context(), "acme/app", len(b.app().Pulls))
	b.must(err)
	if status.Conflicts || status.Mergeable {
		b.t.Errorf("not known yet: %+v", status)
	}
	_, err = b.f.Status(b.t.Context(), "acme/app", 99)
	b.is(err, forge.ErrNotFound)
}

// calls are all that a campaign can ask of a forge.
func (b *behaviour) calls() map[string]func() error {
	ctx := b.t.Context()
	return map[string]func() error{
		"Repositories": func() error { _, err := b.f.Repositories(ctx, forge.Query{Organization: "acme"}); return err },
		"Repository":   func() error { _, err := b.f.Repository(ctx, "acme/app"); return err },
		"PullRequests": func() error { _, err := b.f.PullRequests(ctx, "acme/app", branch); return err },
		"Open":         func() error { _, err := b.f.Open(ctx, "acme/app", request()); return err },
		"Update":       func() error { _, err := b.f.Update(ctx, "acme/app", 1, request()); return err },
		"Close":        func() error { return b.f.Close(ctx, "acme/app", 1, "No.") },
		"Status":       func() error { _, err := b.f.Status(ctx, "acme/app", 1); return err },
	}
}

func refusals(b *behaviour) {
	b.app().Add(Pull{Head: branch, Title: "x"})
	for status, meaning := range map[int]error{401: forge.ErrUnauthorized, 403: forge.ErrForbidden, 404: forge.ErrNotFound, 422: forge.ErrInvalid} {
		for name, call := range b.calls() {
			b.w.Faults = []*Fault{{Status: status, Body: `{"message":"no, ` + Token + `"}`}}
			b.t.Log(name, status)
			b.is(call(), meaning)
		}
	}
}

func failures(b *behaviour) {
	b.app().Add(Pull{Head: branch, Title: "x"})
	for _, f := range []Fault{
		{Status: 500, Body: "<html>oops " + Token + "</html>"}, {Status: 502}, {Status: 503}, {Status: 504},
		{Abort: true}, {Half: true, After: true},
	} {
		for name, call := range b.calls() {
			b.w.Faults = []*Fault{&f}
			b.t.Log(name, f)
			b.retriable(call())
		}
	}
	// The parts of a status, one by one: none may be taken for absent.
	for _, path := range []string{b.s.Reviews, b.s.Checks} {
		for _, f := range []Fault{{Status: 500}, {Abort: true}, {Half: true, After: true}} {
			f.Path = path
			b.w.Faults = []*Fault{&f}
			b.t.Log(path, f)
			b.retriable(b.calls()["Status"]())
		}
	}
}

// limits asks for patience in the middle of every call, and expects the call to come back with that.
func limits(b *behaviour) {
	b.app().Add(Pull{Head: branch, Title: "x"})
	for name, call := range b.calls() {
		b.w.Faults = []*Fault{{Status: 429, Header: map[string]string{"Retry-After": "30"}}}
		seen := len(b.w.Seen)
		for range 2 {
			err := call()
			b.hear(err)
			var limit *forge.LimitError
			if !errors.As(err, &limit) || limit.Until.Sub(b.w.Clock.Now()) < 29*time.Second {
				b.t.Errorf("%s: %v", name, err)
			}
		}
		if n := len(b.w.Seen) - seen; n != 1 {
			b.t.Errorf("%s: %d requests within the limit", name, n)
		}
		b.w.Faults = nil
		b.w.Clock.Advance(time.Minute)
	}
	b.must(b.calls()["Status"]())
}

// pace opens pull requests from many sides at once and looks at the clock.
func pace(b *behaviour) {
	began := b.w.Clock.Now()
	var group sync.WaitGroup
	for i := range 10 {
		group.Go(func() {
			if _, err := b.f.Open(b.t.Context(), fmt.Sprintf("acme/service-%03d", i), request()); err != nil {
				b.t.Error(err)
			}
		})
	}
	group.Wait()
	took, changes := b.w.Clock.Now().Sub(began), b.w.Changes()
	if changes < 10 || took < time.Duration(changes-1)*time.Second {
		b.t.Errorf("%d changes within %s", changes, took)
	}
}

func badNames(b *behaviour) {
	for _, name := range []string{"", "app", "acme/", "/app", "acme/..", "../app", "acme/./app", "a//b"} {
		_, err := b.f.Repository(b.t.Context(), name)
		b.t.Log(name)
		b.is(err, forge.ErrInvalid)
		_, err = b.f.PullRequests(b.t.Context(), name, branch)
		b.is(err, forge.ErrInvalid)
		_, err = b.f.Open(b.t.Context(), name, request())
		b.is(err, forge.ErrInvalid)
	}
	if len(b.w.Seen) != 0 {
		b.t.Errorf("asked: %v", b.w.Seen)
	}
}
