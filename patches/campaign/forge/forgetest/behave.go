package forgetest

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/polite"
)

// A Service is one kind of forge: how its server answers, how it is opened, and where it differs from others.
type Service struct {
	// Scheme is the word before the token.
	Scheme string
	// Handler shows a world, as the service's documentation says.
	Handler func(*World) http.Handler
	// Open opens the forge.
	Open func(polite.Options) (forge.Forge, error)
	// Prefix is the path below which the API lies, and Name is where it differs from a repository's name in addresses.
	Prefix string
	// Teams: teams can be asked for reviews. Strangers: reviews of people who do not belong to a repository are told apart.
	// Sizes: lists say how large repositories are.
	Teams, Strangers, Sizes bool
	// Opens, Pulls, Comments, Reviews and Checks are parts of the paths of requests that open a pull request, get it or change it,
	// comment on it, and read what it is judged by.
	Opens, Comments, Reviews, Checks string
}

// A case of the behaviour that is asked of every forge.
type behaviour struct {
	t *testing.T
	w *World
	f forge.Forge
	s Service
	// heard is everything that the forge said.
	heard *strings.Builder
}

// Behave asks of a service what a campaign needs of every forge.
func Behave(t *testing.T, s Service) {
	for name, f := range map[string]func(*behaviour){
		"repositories of an organisation": organization,
		"repositories of a user":          user,
		"repositories by topic":           topic,
		"repositories by search":          search,
		"one repository":                  repository,
		"empty repositories":              empty,
		"open":                            open,
		"open a draft":                    draft,
		"open a second time":              exists,
		"open with people nobody knows":   unknownPeople,
		"open, and break off":             openBroken,
		"pull requests of a branch":       pulls,
		"update":                          update,
		"update what is up to date":       upToDate,
		"update a draft":                  updateDraft,
		"update what is closed":           updateClosed,
		"close":                           closing,
		"close, and break off":            closeBroken,
		"reviews":                         reviews,
		"checks":                          checks,
		"many reviews":                    manyReviews,
		"state and conflicts":             conflicts,
		"refusals":                        refusals,
		"failures":                        failures,
		"limits":                          limits,
		"pace":                            pace,
		"bad names":                       badNames,
	} {
		t.Run(name, func(t *testing.T) { start(t, s, f) })
	}
}

// start serves a world with two organisations and a user to a behaviour.
func start(t *testing.T, s Service, behave func(*behaviour)) {
	w := &World{
		Clock: NewClock(),
		Users: []string{"ada", "bob", "cyd", "dan"},
		Orgs:  []string{"acme", "other"},
		Teams: map[string][]string{"acme": {"gophers"}},
	}
	server := httptest.NewServer(w.Serve(t, s.Scheme, s.Handler(w)))
	t.Cleanup(server.Close)
	add := func(owner, name string) *Repo {
		r := &Repo{Repository: forge.Repository{
			Name: owner + "/" + name, DefaultBranch: "trunk", SizeKB: 12, CanPush: true,
			CloneURL: server.URL + "/" + owner + "/" + name + ".git", WebURL: server.URL + "/" + owner + "/" + name,
		}}
		w.Repos = append(w.Repos, r)
		return r
	}
	// More than a page of any service, in no order.
	for i := range 130 {
		add("acme", fmt.Sprintf("service-%03d", (i*37)%130))
	}
	add("acme", "app").Topics = []string{"go"}
	add("acme", "Upper").Topics = []string{"go"}
	add("acme", "archived").Archived = true
	add("acme", "fork").Fork = true
	add("acme", "locked").CanPush = false
	add("acme", "no-pulls").NoPulls = true
	add("other", "thing").Topics = []string{"go"}
	add("ada", "dotfiles").CanPush = false
	blank := add("acme", "blank")
	blank.Empty, blank.SizeKB, blank.DefaultBranch = true, 0, ""

	base, err := url.Parse(server.URL + s.Prefix)
	if err != nil {
		t.Fatal(err)
	}
	f, err := s.Open(polite.Options{Base: base, Token: forge.NewSecret(Token), HTTP: server.Client(), Clock: w.Clock})
	if err != nil {
		t.Fatal(err)
	}
	b := &behaviour{t: t, w: w, f: f, s: s, heard: &strings.Builder{}}
	behave(b)
	fmt.Fprintf(b.heard, "%v %+v %#v %v %+v", f, f, f, f.Access(), f.Access())
	if strings.Contains(b.heard.String(), Token) {
		t.Error("the forge gave the token away")
	}
	if f.Access().Token.Reveal() != Token || f.Access().Username == "" {
		t.Error("git does not get in")
	}
}

// hear listens to an error. A service may have broken off without an answer; from here on the world belongs to the test again.
func (b *behaviour) hear(err error) {
	b.w.mu.Lock()
	defer b.w.mu.Unlock()
	fmt.Fprintf(b.heard, "%v %+v %#v\n", err, err, err)
}

// must fails a test for an error, and listens to it.
func (b *behaviour) must(err error) {
	b.t.Helper()
	b.hear(err)
	if err != nil {
		b.t.Fatal(err)
	}
}

// is fails a test unless an error has a meaning, and listens to it.
func (b *behaviour) is(err, meaning error) {
	b.t.Helper()
	b.hear(err)
	if !errors.Is(err, meaning) {
		b.t.Fatalf("%v; want %v", err, meaning)
	}
}

// retriable fails a test unless an error is one, and means nothing for good.
func (b *behaviour) retriable(err error) {
	b.t.Helper()
	b.hear(err)
	for _, final := range []error{nil, forge.ErrForbidden, forge.ErrInvalid, forge.ErrNotFound, forge.ErrUnauthorized, forge.ErrExists} {
		if errors.Is(err, final) {
			b.t.Fatalf("%v, which is not worth another try", err)
		}
	}
}

// same compares two values as they are printed.
func same[T any](b *behaviour, what string, got, want T) {
	b.t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		b.t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

// app is the repository that most is tried on.
func (b *behaviour) app() *Repo { return b.w.Repo("acme/app") }

// hidden takes from a repository what lists of this service do not say.
func (b *behaviour) hidden(r forge.Repository) forge.Repository {
	if !b.s.Sizes {
		r.SizeKB = 0
	}
	return r
}

func organization(b *behaviour) {
	found, err := b.f.Repositories(b.t.Context(), forge.Query{Organization: "acme"})
	b.must(err)
	var want []forge.Repository
	for _, r := range b.w.Repos {
		if strings.HasPrefix(r.Name, "acme/") {
			want = append(want, b.hidden(r.Repository))
		}
	}
	slices.SortFunc(want, func(a, b forge.Repository) int { return strings.Compare(a.Name, b.Name) })
	same(b, "repositories", found, want)
}

func user(b *behaviour) {
	found, err := b.f.Repositories(b.t.Context(), forge.Query{Organization: "ada"})
	b.must(err)
	same(b, "repositories", found, []forge.Repository{b.hidden(b.w.Repo("ada/dotfiles").Repository)})
	_, err = b.f.Repositories(b.t.Context(), forge.Query{Organization: "nobody"})
	b.is(err, forge.ErrNotFound)
	_, err = b.f.Repositories(b.t.Context(), forge.Query{})
	b.is(err, forge.ErrInvalid)
}

func topic(b *behaviour) {
	found, err := b.f.Repositories(b.t.Context(), forge.Query{Topic: "go"})
	b.must(err)
	same(b, "repositories", namesOf(found), []string{"acme/Upper", "acme/app", "other/thing"})
}

func search(b *behaviour) {
	found, err := b.f.Repositories(b.t.Context(), forge.Query{Search: "service-"})
	b.must(err)
	if len(found) != 130 || found[0].Name != "acme/service-000" || found[129].Name != "acme/service-129" {
		b.t.Errorf("found %v", namesOf(found))
	}
}

func namesOf(all []forge.Repository) []string {
	var names []string
	for _, r := range all {
		names = append(names, r.Name)
	}
	return names
}

func repository(b *behaviour) {
	for _, name := range []string{"acme/app", "acme/archived", "acme/fork", "acme/locked", "acme/no-pulls", "acme/Upper"} {
		found, err := b.f.Repository(b.t.Context(), name)
		b.must(err)
		same(b, name, found, b.w.Repo(name).Repository)
	}
	_, err := b.f.Repository(b.t.Context(), "acme/nothing")
	b.is(err, forge.ErrNotFound)
}

func empty(b *behaviour) {
	small := b.w.Repo("acme/service-007")
	small.SizeKB = 0
	for _, name := range []string{"acme/blank", "acme/service-007"} {
		found, err := b.f.Repository(b.t.Context(), name)
		b.must(err)
		same(b, name, found, b.w.Repo(name).Repository)
	}
}
