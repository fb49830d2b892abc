package giteatest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// A gate stands between a campaign and Gitea. It writes down what passes, and at a place of a test's choice it calls.
type gate struct {
	url string

	mu     sync.Mutex
	target *url.URL
	passed []string // "METHOD /path"
	place  place
	call   func()
}

// A place is a moment in the life of a campaign: the n-th request of a kind.
type place struct {
	name         string
	method, path string // path is a part of it
	nth          int
	when         moment
}

type moment int

const (
	before moment = iota // Gitea has not seen it
	after                // Gitea has done it, and nobody has its answer
	later                // the answer is there, and a little time has passed
)

// newGate opens a gate that leads nowhere yet.
func newGate(t *testing.T) *gate {
	g := &gate{}
	proxy := &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			g.mu.Lock()
			defer g.mu.Unlock()
			r.SetURL(g.target)
			r.Out.Host = r.In.Host
		},
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		call, when := g.passing(r)
		if call == nil {
			proxy.ServeHTTP(w, r)
			return
		}
		switch when {
		case before:
			call()
		case after:
			proxy.ServeHTTP(httptest.NewRecorder(), r)
			call()
		case later:
			proxy.ServeHTTP(w, r)
			time.AfterFunc(300*time.Millisecond, call)
			return
		}
		panic(http.ErrAbortHandler)
	}))
	t.Cleanup(server.Close)
	g.url = server.URL
	return g
}

// leads says where the gate leads.
func (g *gate) leads(t *testing.T, to string) {
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.target = u
}

// at waits for a place.
func (g *gate) at(p place, call func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.place, g.call = p, call
}

// passing writes a request down, and tells whether it is the one that is waited for.
func (g *gate) passing(r *http.Request) (call func(), when moment) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.passed = append(g.passed, r.Method+" "+r.URL.Path)
	if g.call == nil || r.Method != g.place.method || !strings.Contains(r.URL.Path, g.place.path) {
		return nil, 0
	}
	if g.place.nth--; g.place.nth > 0 {
		return nil, 0
	}
	call, g.call = g.call, nil
	return call, g.place.when
}

// since returns what has passed since it was asked last.
func (g *gate) since() []string {
	g.mu.Lock()
	defer g.mu.Unlock()
	passed := g.passed
	g.passed = nil
	return passed
}
