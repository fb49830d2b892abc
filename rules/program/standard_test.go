package program

import (
	"context"
	"fmt"
	"go/types"
	"slices"
	"strings"
	"sync"
	"testing"
)

const standardUsers = `
-- go.mod --
module example.com/m

go 1.24
-- a.go --
package m

import (
	"context"
	"net/http"
	"os"
)

type server struct {
	http.Server
	file *os.File
}

func of(r *http.Request) context.Context { return context.WithValue(r.Context(), "k", os.Getpid()) }
-- a_windows.go --
package m

import "syscall"

var handle syscall.Handle
`

// described writes down all declarations of the standard library that a program has, with
// their places.
func described(p *Program) string {
	var b strings.Builder
	for _, c := range p.Configs {
		for _, q := range c.Packages {
			if q.World || !q.Types.Complete() {
				continue
			}
			fmt.Fprintf(&b, "%s %s %s bodies=%v\n", c.GOOS, q.Path, q.Name, q.Bodies)
			for _, name := range q.Types.Scope().Names() {
				obj := q.Types.Scope().Lookup(name)
				id := p.IDOf(obj.Pos())
				fmt.Fprintf(&b, "\t%s %s %d\n", types.ObjectString(obj, nil), id.File, id.Offset)
				if f := p.FileOf(obj.Pos()); obj.Pos().IsValid() && f == nil {
					fmt.Fprintf(&b, "\t\tlies in no file\n")
				}
			}
		}
	}
	return b.String()
}

// What a program knows of the standard library does not depend on whether another load has
// read it before, or reads it now, for other platforms too.
func TestStandard(t *testing.T) {
	dir := writeTree(t, standardUsers)
	platforms := func(o *Options) { o.Platforms = []Platform{{"linux", "amd64"}, {"windows", "amd64"}} }
	want := described(load(t, dir, platforms))
	if !strings.Contains(want, "windows syscall") || strings.Contains(want, "lies in no file") {
		t.Fatalf("not what was expected:\n%s", want)
	}
	var shared Standard
	var wg sync.WaitGroup
	programs := make([]*Program, 4)
	for i := range programs {
		wg.Go(func() {
			p, err := tryLoad(dir, platforms, func(o *Options) { o.Standard = &shared })
			if err != nil {
				t.Error(err)
				return
			}
			programs[i] = p
		})
	}
	wg.Wait()
	for i, p := range programs {
		if p == nil {
			continue
		}
		if got := described(p); got != want {
			t.Errorf("program %d sees another standard library:\n%s", i, got)
		}
		if p.Configs[0].Package("net/http").Types != programs[0].Configs[0].Package("net/http").Types {
			t.Errorf("program %d has its own net/http", i)
		}
		if len(p.Broken) > 0 {
			t.Errorf("program %d has errors: %v", i, p.Broken[0].Errors)
		}
	}
}

// What follows a load works on packages that others have read.
func TestStandardLater(t *testing.T) {
	dir := writeTree(t, standardUsers)
	var shared Standard
	for range 2 {
		p := load(t, dir, func(o *Options) { o.Standard = &shared })
		bodies, err := p.LoadBodies(context.Background(), p.Configs[0], []string{"context", "net/http"})
		if err != nil {
			t.Fatal(err)
		}
		for _, q := range bodies {
			if q.Info == nil || len(q.typeErrs) > 0 {
				t.Errorf("%s: %v", q.Path, q.typeErrs)
			}
		}
		src := `package m

import (
	"context"
	"encoding/csv"
)

func lines(ctx context.Context, r *csv.Reader) ([][]string, error) { return r.ReadAll() }
`
		for _, line := range recheckedErrors(recheck(t, p, map[string]string{"a.go": src})) {
			t.Error(line)
		}
	}
}

// A build of the standard library with other files is another universe.
func TestStandardUniverses(t *testing.T) {
	dir := writeTree(t, standardUsers)
	var shared Standard
	load := func(env string) *Program {
		return load(t, dir, func(o *Options) { o.Standard, o.Env = &shared, testEnv(env) })
	}
	plain, pure, again := load("CGO_ENABLED=1"), load("CGO_ENABLED=0"), load("CGO_ENABLED=1")
	net := func(p *Program) *Package { return p.Configs[0].Package("net") }
	if net(plain).Types == net(pure).Types {
		t.Error("package net is the same with and without cgo")
	}
	if net(plain).Types != net(again).Types {
		t.Error("package net was read twice")
	}
	names := func(p *Package) (list []string) {
		for _, f := range p.Files {
			list = append(list, f.Name)
		}
		return list
	}
	if slices.Equal(names(net(plain)), names(net(pure))) {
		t.Error("package net has the same files with and without cgo: this test needs another package")
	}
}
