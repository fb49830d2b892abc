package main

import (
	"testing"

	"github.com/ctxmend/ctxmend/rules/program"
)

// TestTitlesNamePackagesShort: by their directories, and never within a key.
func TestTitlesNamePackagesShort(t *testing.T) {
	prog := &program.Program{Configs: []*program.Config{{Packages: []*program.Package{
		{Path: "example.com/shop/v2", Name: "shop", Dir: "/clone", World: true},
		{Path: "example.com/shop/v2_test", Name: "shop_test", Dir: "/clone", World: true, XTest: true},
		{Path: "example.com/shop/v2/trace", Name: "tracing", Dir: "/clone/trace", World: true},
		{Path: "example.com/tools/trace", Name: "trace", Dir: "/clone/tools/trace", World: true},
		{Path: "context", Name: "context", Dir: "/go/src/context"},
	}}}}
	n := newPackageNamer(prog, "/clone")
	for title, want := range map[string]string{
		`give "order" a private typed key in example.com/shop/v2`:                           `give "order" a private typed key in shop`,
		`give "order" a private typed key in example.com/shop/v2/trace`:                     `give "order" a private typed key in trace`,
		`give "order" a private typed key in example.com/tools/trace`:                       `give "order" a private typed key in tools/trace`,
		`give "example.com/shop/v2/trace" a private typed key in example.com/shop/v2/trace`: `give "example.com/shop/v2/trace" a private typed key in trace`,
		`give "a\" example.com/shop/v2 b" a private typed key in example.com/shop/v2`:       `give "a\" example.com/shop/v2 b" a private typed key in shop`,
		`use example.com/shop/v2/trace.Order instead`:                                       `use trace.Order instead`,
		`see example.com/shop/v2/tracer and net.example.com/shop/v2`:                        `see example.com/shop/v2/tracer and net.example.com/shop/v2`,
		`call context.WithoutCancel`:                                                        `call context.WithoutCancel`,
	} {
		if got := n.shorten(title); got != want {
			t.Errorf("%s\n got %s\nwant %s", title, got, want)
		}
	}
}
