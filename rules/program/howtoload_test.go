package program

import "testing"

func TestHowToLoad(t *testing.T) {
	p := &Program{Configs: []*Config{{GOOS: "linux", GOARCH: "amd64", Tags: []string{"have"}}}}
	for _, tt := range []struct{ name, src, constraint, want string }{
		{"a.go", "//go:build integration\n\npackage a\n", "integration", "add it with --tags have,integration"},
		{"a.go", "//go:build windows && !race\n\npackage a\n", "", "add it with --platforms linux/amd64,windows/amd64"},
		{"a.go", "//go:build windows && special\n\npackage a\n", "", "add it with --tags have,special --platforms linux/amd64,windows/amd64"},
		{"a.go", "//go:build !linux\n\npackage a\n", "", "add it with --platforms linux/amd64,windows/amd64"},
		{"a.go", "//go:build !have\n\npackage a\n", "", "run without the tags that leave it out"},
		{"a.go", "//go:build ignore\n\npackage main\n", "ignore", "no build contains it; change it by hand, or move it to a directory of its own"},
		{"a.go", "//go:build a && b\n\npackage main\n", "a && b", "add it with --tags have,a,b"},
		{"a_windows_arm64.go", "package a\n", whyFileName, "add it with --platforms linux/amd64,windows/arm64"},
		{"a_js_test.go", "package a\n", whyFileName, "add it with --platforms linux/amd64,js/wasm"},
		{"a.go", "//go:build !cgo\n\npackage a\n", "!cgo", "set CGO_ENABLED=0"},
		{"a_test.go", "package a\n", whyNoTests, "run without --tests=false"},
		{"a.go", "package a\n", "module in tools", "add the module with go work init . tools"},
	} {
		f := &File{Name: tt.name, Src: []byte(tt.src), Constraint: tt.constraint}
		if got := p.HowToLoad(f); got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.name, tt.src, got, tt.want)
		}
	}
}
