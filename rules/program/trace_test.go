package program

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// tracedTree is a program of which a load asks everything that it can ask of the disk.
const tracedTree = `
-- go.mod --
module m
go 1.24
-- a/a.go --
package a

const A = 1
-- fixed/f.go --
package fixed
`

// traced loads a program and returns what the load has asked. One file counts as one that is never written to.
func traced(t *testing.T) (dir string, trace *Trace) {
	t.Helper()
	dir, trace = writeTree(t, tracedTree), NewTrace()
	trace.keep(goEnv{GOMODCACHE: filepath.Join(dir, "fixed")})
	load(t, dir, func(o *Options) { o.Trace = trace })
	return dir, trace
}

// TestTraceHolds changes one thing after a load and asks whether everything that it was told is still so.
func TestTraceHolds(t *testing.T) {
	write := func(name, content string) func(*testing.T, string) []string {
		return func(t *testing.T, dir string) []string { rewriteFile(t, filepath.Join(dir, name), content); return nil }
	}
	tests := []struct {
		name   string
		change func(t *testing.T, dir string) (env []string)
		holds  bool
	}{
		{"nothing", func(*testing.T, string) []string { return nil }, true},
		{"a file that is written again", write("a/a.go", "package a\n\nconst A = 1\n"), true},
		{"a file", write("a/a.go", "package a\n\nconst A = 2\n"), false},
		{"a new file", write("a/b.go", "package a\n"), false},
		{"a new file where go does not look", write("_examples/b.go", "package main\n"), false},
		{"a file whose time and size are looked at", write("fixed/f.go", "package fixed\n\nconst F = 1\n"), false},
		{"the time of such a file", func(t *testing.T, dir string) []string {
			now := time.Now().Add(time.Hour)
			if err := os.Chtimes(filepath.Join(dir, "fixed/f.go"), now, now); err != nil {
				t.Fatal(err)
			}
			return nil
		}, false},
		{"a file that was asked for in vain", write("vendor/modules.txt", ""), false},
		{"what the go command says", func(*testing.T, string) []string { return []string{"GOFLAGS=-tags=special"} }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir, trace := traced(t)
			record, whole := trace.Record()
			if !whole {
				t.Fatal("the load does not agree with itself")
			}
			env := testEnv(test.change(t, dir)...)
			if holds := record.Holds(context.Background(), dir, env); holds != test.holds {
				t.Errorf("holds: %t, want %t", holds, test.holds)
			}
		})
	}
}

// TestTraceTorn changes one thing between two loads that are traced together, as the rounds of a fix are: what was made of them is
// made of no one state of the disk.
func TestTraceTorn(t *testing.T) {
	tests := []struct {
		name   string
		change func(t *testing.T, dir string)
		whole  bool
	}{
		{"nothing", func(*testing.T, string) {}, true},
		{"a file", func(t *testing.T, dir string) {
			rewriteFile(t, filepath.Join(dir, "a/a.go"), "package a\n\nconst A = 2\n")
		}, false},
		{"a new file that is not Go", func(t *testing.T, dir string) { rewriteFile(t, filepath.Join(dir, "a/README"), "") }, false},
		{"a file that is never written to", func(t *testing.T, dir string) {
			rewriteFile(t, filepath.Join(dir, "fixed/f.go"), "package fixed // longer\n")
		}, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			dir, trace := traced(t)
			test.change(t, dir)
			load(t, dir, func(o *Options) { o.Trace = trace })
			if _, whole := trace.Record(); whole != test.whole {
				t.Errorf("of one state: %t, want %t", whole, test.whole)
			}
		})
	}
}

// TestTraceAnswers asks twice, and is told something else the second time.
func TestTraceAnswers(t *testing.T) {
	failed := os.ErrPermission
	tests := map[string]func(t *Trace, second bool){
		"exists": func(t *Trace, second bool) { t.exists("/x", second) },
		"command": func(t *Trace, second bool) {
			t.command(nil, []string{"env"}, map[bool][]byte{false: []byte("one"), true: []byte("two")}[second])
		},
		"file that cannot be read": func(t *Trace, second bool) {
			t.file("/x", func() []byte { return nil }, map[bool]error{false: nil, true: failed}[second])
		},
		"directory that cannot be read": func(t *Trace, second bool) { t.dir("/x", nil, map[bool]error{false: nil, true: failed}[second]) },
	}
	for name, ask := range tests {
		t.Run(name, func(t *testing.T) {
			for _, changes := range []bool{false, true} {
				trace := NewTrace()
				trace.command(nil, []string{"version"}, nil)
				ask(trace, false)
				ask(trace, changes)
				if _, whole := trace.Record(); whole == changes {
					t.Errorf("the answer changes: %t, of one state: %t", changes, whole)
				}
			}
		})
	}
}

func rewriteFile(t *testing.T, name, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
