package bench

import (
	"fmt"
	"strings"
	"testing"
)

// sitesPerSmallPackage is how many places of a package of the large module write or read a context key.
const sitesPerSmallPackage = 5

// writeLargeModule writes a program of many small packages, as large services consist of: each has an API with contexts, a
// type behind an interface, functions that nobody gave a context, a handler that leaves a goroutine behind, code that has
// nothing to do with contexts, and a test. Package number i calls number i/2 and, where that is another one, number i-1 of its group of ten; a
// command imports those that nobody else does. So there is a deep tree of calls, and a program that contains everything.
func writeLargeModule(tb testing.TB, packages int) *module {
	tb.Helper()
	m := newModule(tb)
	m.write("internal/shared/shared.go", "// Package shared names what all packages store in contexts.\npackage shared\n\n// Tenant is the key of the tenant.\nconst Tenant = \"tenant\"\n")
	imported := make([]bool, packages)
	for i := range packages {
		for _, j := range below(i) {
			imported[j] = true
		}
		m.write(fmt.Sprintf("internal/p%04d/service.go", i), serviceText(i))
		m.write(fmt.Sprintf("internal/p%04d/plain.go", i), plainText(i))
		m.write(fmt.Sprintf("internal/p%04d/service_test.go", i), serviceTestText(i))
	}
	var imports, calls strings.Builder
	for i, below := range imported {
		if !below {
			fmt.Fprintf(&imports, "\t\"bench.example/program/internal/p%04d\"\n", i)
			fmt.Fprintf(&calls, "\tmux.HandleFunc(\"/p%04d\", (&p%04d.Service{}).Handle)\n", i, i)
		}
	}
	m.write("cmd/app/main.go", "// App serves all packages.\npackage main\n\nimport (\n\t\"net/http\"\n\n"+imports.String()+
		")\n\nfunc main() {\n\tmux := http.NewServeMux()\n"+calls.String()+"\t_ = http.ListenAndServe(\"\", mux)\n}\n")
	return m
}

// below returns the packages that package number i imports.
func below(i int) []int {
	switch {
	case i == 0:
		return nil
	case i%10 > 0 && i/2 != i-1:
		return []int{i / 2, i - 1}
	}
	return []int{i / 2}
}

// serviceText returns the file of package number i that works with contexts: five places use keys, three a key of the package and two one that all share.
func serviceText(i int) string {
	pkg := fmt.Sprintf("p%04d", i)
	var imports, calls, refresh strings.Builder
	for _, j := range below(i) {
		fmt.Fprintf(&imports, "\t\"bench.example/program/internal/p%04d\"\n", j)
		fmt.Fprintf(&calls, "\tif _, err := p%04d.Load(ctx, id-1); err != nil {\n\t\treturn \"\", err\n\t}\n", j)
		fmt.Fprintf(&refresh, "\tif err := p%04d.Refresh(id); err != nil {\n\t\treturn err\n\t}\n", j)
	}
	return strings.NewReplacer("PKG", pkg, "IMPORTS", imports.String(), "CALLS", calls.String(), "REFRESH", refresh.String(), "KEY", key(i, pkg)).Replace(serviceTemplate)
}

// key returns how a package spells the key of its own.
func key(i int, pkg string) string {
	if i%2 == 0 {
		return fmt.Sprintf("%q", pkg+".user")
	}
	return "userKey"
}

const serviceTemplate = `// Package PKG is one of many.
package PKG

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"bench.example/program/internal/shared"
IMPORTS)

const userKey = "PKG.user"

// Thing is what the package is about.
type Thing struct {
	ID   int
	Text string
}

// A Store keeps things.
type Store interface {
	Get(ctx context.Context, id int) (*Thing, error)
	Put(ctx context.Context, t *Thing) error
}

type memory struct{ things map[int]*Thing }

func (m *memory) Get(ctx context.Context, id int) (*Thing, error) {
	t, ok := m.things[id]
	if !ok {
		return nil, errors.New("not found")
	}
	return t, ctx.Err()
}

func (m *memory) Put(ctx context.Context, t *Thing) error {
	user, _ := ctx.Value(KEY).(string)
	m.things[t.ID] = &Thing{t.ID, user + t.Text}
	return ctx.Err()
}

// Service does the work of the package.
type Service struct {
	store Store
}

// New returns a service.
func New() *Service { return &Service{&memory{map[int]*Thing{}}} }

// WithUser returns a context that carries a user.
func WithUser(ctx context.Context, user string) context.Context {
	ctx = context.WithValue(ctx, shared.Tenant, user+".example")
	return context.WithValue(ctx, KEY, user)
}

// Load looks something up.
func Load(ctx context.Context, id int) (string, error) {
	tenant, _ := ctx.Value(shared.Tenant).(string)
	short, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	t, err := New().store.Get(short, id)
	if err != nil {
		return "", fmt.Errorf("%s: %w", tenant, err)
	}
CALLS	return t.Text, nil
}

// Refresh is called from time to time.
func Refresh(id int) error {
REFRESH	return New().store.Put(context.Background(), &Thing{id, "again"})
}

func (s *Service) audit(ctx context.Context, what string) error {
	if user, ok := ctx.Value(KEY).(string); ok {
		return s.store.Put(ctx, &Thing{len(what), user})
	}
	return nil
}

// Handle answers a request.
func (s *Service) Handle(w http.ResponseWriter, r *http.Request) {
	ctx := WithUser(r.Context(), r.Header.Get("User"))
	text, err := Load(ctx, len(r.URL.Path))
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	go func() {
		_ = s.audit(context.Background(), text)
	}()
	if err := Refresh(len(text)); err != nil {
		return
	}
	fmt.Fprint(w, text)
}
`

// plainText returns the file of a package that has nothing to do with contexts.
func plainText(i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package p%04d\n\nimport (\n\t\"sort\"\n\t\"strings\"\n)\n\n", i)
	for f := range 8 {
		fmt.Fprintf(&b, "type item%d struct {\n\tname string\n\tcount int\n}\n\n"+
			"func words%d(text string) []item%d {\n\tcounts := map[string]int{}\n\tfor _, w := range strings.Fields(text) {\n\t\tif len(w) > %d {\n\t\t\tcounts[strings.ToLower(w)]++\n\t\t}\n\t}\n"+
			"\tvar list []item%d\n\tfor name, count := range counts {\n\t\tlist = append(list, item%d{name, count})\n\t}\n"+
			"\tsort.Slice(list, func(i, j int) bool { return list[i].count > list[j].count || list[i].name < list[j].name })\n\treturn list\n}\n\n", f, f, f, f, f, f)
	}
	b.WriteString("// Longest returns the longest word.\nfunc Longest(text string) string {\n\tlongest := \"\"\n")
	for f := range 8 {
		fmt.Fprintf(&b, "\tfor _, w := range words%d(text) {\n\t\tif len(w.name) > len(longest) {\n\t\t\tlongest = w.name\n\t\t}\n\t}\n", f)
	}
	b.WriteString("\treturn longest\n}\n")
	return b.String()
}

func serviceTestText(i int) string {
	return fmt.Sprintf("package p%04d\n\nimport \"testing\"\n\nfunc TestService(t *testing.T) {\n\ts := New()\n\tif err := s.audit(t.Context(), Longest(\"a few words\")); err != nil {\n\t\tt.Fatal(err)\n\t}\n}\n", i)
}
