package oracle

// probeSource is the package that the programs about the flow of contexts see contexts with. Beside each context goes an
// *At, which knows what the context should be and how the program came here; Show prints both.
const probeSource = `// Package probe prints what functions see.
package probe

import (
	"context"
	"fmt"
	"sort"
	"strings"
	"sync"
)

// A Key is the key of a value.
type Key string

// KeyA, KeyB and KeyC are the keys there are.
const (
	KeyA Key = "a"
	KeyB Key = "b"
	KeyC Key = "c"
)

// Ctx is another name.
type Ctx = context.Context

// Own is another type.
type Own struct{ context.Context }

// A Request carries one.
type Request struct{ ctx context.Context }

// NewRequest makes a request.
func NewRequest(ctx context.Context) *Request { return &Request{ctx} }

// Context returns it.
func (r *Request) Context() context.Context { return r.ctx }

// A Group waits for what it has started.
type Group struct {
	wg     sync.WaitGroup
	cancel context.CancelFunc
}

// WithContext makes a group whose context ends when it has been waited for.
func WithContext(ctx context.Context) (*Group, context.Context) {
	ctx, cancel := context.WithCancel(ctx)
	return &Group{cancel: cancel}, ctx
}

// Go starts f.
func (g *Group) Go(f func() error) { g.wg.Go(func() { _ = f() }) }

// Wait waits.
func (g *Group) Wait() error {
	g.wg.Wait()
	if g.cancel != nil {
		g.cancel()
	}
	return nil
}

// Each calls f.
func Each(n int, f func(int)) {
	for i := range n {
		f(i)
	}
}

var (
	mu      sync.Mutex
	lines   []string
	pending = map[string]*At{}
)

// An At is a place in a run of the program.
type At struct {
	path, what string
	from       []*At
	over       bool
	enter, out chan bool
}

// Root begins.
func Root(name string) *At { return &At{path: name, what: "r"} }

func (a *At) next(what string, more ...*At) *At {
	return &At{path: a.path, what: what, from: append([]*At{a}, more...)}
}

func (a *At) down(id, what string, more ...*At) *At {
	to := a.next(what, more...)
	to.path += "/" + id
	return to
}

// Call goes down.
func (a *At) Call(id string) *At { return a.down(id, "k") }

// Bare goes down where nothing is handed on, although there are others.
func (a *At) Bare(id string, others ...*At) *At { return a.down(id, "i:"+id, others...) }

// Defer goes down later, where nothing is handed on.
func (a *At) Defer(id string) *At { return a.down(id, "d:"+id) }

// Fork goes down beside others.
func (a *At) Fork(id string) *At { return a.down("~"+id, "k") }

// BareFork goes down beside others, where nothing is handed on.
func (a *At) BareFork(id string, others ...*At) *At { return a.down("~"+id, "g:"+id, others...) }

// Turn is one turn of a loop.
func (a *At) Turn(i int) *At { return a.down(fmt.Sprint("turn", i), "k") }

// Born starts from nothing although there are others.
func (a *At) Born(id string, others ...*At) *At { return a.next("b:"+id, others...) }

// Keep starts from nothing on purpose.
func (a *At) Keep(id string) *At { return a.next("x:" + id) }

// Less takes none.
func (a *At) Less(id string, others ...*At) *At { return a.next("l:"+id, others...) }

// Stale is not the newest one.
func (a *At) Stale(id string, newer *At) *At { return a.next("s:"+id, newer) }

// MayBeStale is not the newest one either, where code may take the newest one instead.
func (a *At) MayBeStale(id string, newer *At) *At { return a.next("S:"+id, newer) }

// Grow is what the turns before have made, and what there was before them.
func (a *At) Grow(id string, entry *At) *At { return a.next("n:"+id, entry) }

// Escape is used when it is too late.
func (a *At) Escape(id string) *At { return a.next("e:" + id) }

// Put stores.
func (a *At) Put(k string, v int) *At { return a.next(fmt.Sprintf("v:%s=%d", k, v)) }

// Cut can end.
func (a *At) Cut(id string) *At { return a.next("c:" + id) }

// Timed can end by itself.
func (a *At) Timed(id string) *At { return a.next("t:" + id) }

// Uncut cannot end.
func (a *At) Uncut() *At { return a.next("w") }

// Again calls a function once more: that the context has ended does not show.
func Again(serve func(context.Context, *At), ctx context.Context, at *At) { serve(ctx, at) }

// Over has ended.
func (a *At) Over() {
	mu.Lock()
	defer mu.Unlock()
	a.over = true
}

// Later goes down when everything else is done.
func (a *At) Later() *At {
	to := a.down("~later", "k")
	to.enter, to.out = make(chan bool), make(chan bool)
	mu.Lock()
	defer mu.Unlock()
	for n := 0; pending[to.path] != nil; n++ {
		to.path += "+"
	}
	pending[to.path] = to
	return to
}

// Enter waits until everything else is done.
func (a *At) Enter() {
	if g := a.gate(); g != nil {
		<-g.enter
	}
}

// Leave is the end of what Enter has begun.
func (a *At) Leave() {
	if g := a.gate(); g != nil {
		g.out <- true
	}
}

func (a *At) gate() *At {
	for a.enter == nil {
		if len(a.from) == 0 {
			return nil
		}
		a = a.from[0]
	}
	return a
}

// Late does what was to be done later.
func Late() {
	for {
		mu.Lock()
		var paths []string
		for p := range pending {
			paths = append(paths, p)
		}
		sort.Strings(paths)
		if len(paths) == 0 {
			mu.Unlock()
			return
		}
		a := pending[paths[0]]
		delete(pending, paths[0])
		mu.Unlock()
		a.enter <- true
		<-a.out
	}
}

func (a *At) write(b *strings.Builder) {
	b.WriteString(a.what)
	if a.over {
		b.WriteString("!")
	}
	for i, f := range a.from {
		b.WriteString(map[bool]string{true: "(", false: ","}[i == 0])
		f.write(b)
	}
	if len(a.from) > 0 {
		b.WriteString(")")
	}
}

// Show prints what a function sees.
func Show(ctx context.Context, at *At, id string) error {
	var seen []string
	for _, k := range []Key{KeyA, KeyB, KeyC} {
		if v := ctx.Value(k); v != nil {
			seen = append(seen, fmt.Sprintf("%s=%v", k, v))
		}
	}
	if err := ctx.Err(); err != nil {
		seen = append(seen, "ended")
	}
	if _, ok := ctx.Deadline(); ok {
		seen = append(seen, "timed")
	}
	mu.Lock()
	defer mu.Unlock()
	var b strings.Builder
	at.write(&b)
	lines = append(lines, fmt.Sprintf("%s/%s %s [%s]", at.path, id, b.String(), strings.Join(seen, " ")))
	return nil
}

// Note prints what a function got.
func Note(at *At, id string, values ...any) {
	mu.Lock()
	defer mu.Unlock()
	lines = append(lines, fmt.Sprintf("%s/%s - %v", at.path, id, values))
}

// Flush writes what was printed.
func Flush() {
	mu.Lock()
	defer mu.Unlock()
	for _, l := range lines {
		fmt.Println(l)
	}
	lines = nil
}
`
