package bench

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hookPackages is how many packages the module of BenchmarkHook has.
const hookPackages = 500

// writeLayers writes a module of packages of some 500 lines, each of which imports up to four earlier ones and calls all their
// functions; every twentieth keeps a value in contexts. It has no findings.
func writeLayers(tb testing.TB) *module {
	tb.Helper()
	m := newModule(tb)
	for i := range hookPackages {
		var imports []int
		for _, back := range []int{1, 3, i / 3, i / 2} {
			if j := i - back; back > 0 && j >= 0 && !slices.Contains(imports, j) {
				imports = append(imports, j)
			}
		}
		m.write(fmt.Sprintf("internal/p%03d/p.go", i), layerText(i, imports))
		m.write(fmt.Sprintf("internal/p%03d/p_test.go", i), fmt.Sprintf("package p%03d\n\nimport \"testing\"\n\nfunc TestF(t *testing.T) {\n\tif _, err := F00(t.Context(), 0, nil); err == nil {\n\t\tt.Fatal()\n\t}\n}\n", i))
	}
	return m
}

// layerText returns the only file but tests of package number i.
func layerText(i int, imports []int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "package p%03d\n\nimport (\n\t\"context\"\n\t\"fmt\"\n\t\"net/http\"\n\t\"strings\"\n", i)
	for _, j := range imports {
		fmt.Fprintf(&b, "\t\"bench.example/program/internal/p%03d\"\n", j)
	}
	b.WriteString(")\n\n")
	if i%20 == 0 {
		b.WriteString("type key struct{}\n\nfunc With(ctx context.Context, s string) context.Context { return context.WithValue(ctx, key{}, s) }\n\n" +
			"func From(ctx context.Context) string { s, _ := ctx.Value(key{}).(string); return s }\n\n")
	}
	for f := range 20 {
		fmt.Fprintf(&b, "// F%02d does something.\nfunc F%02d(ctx context.Context, n int, r *http.Request) (string, error) {\n\tvar b strings.Builder\n"+
			"\tfor j := 0; j < n; j++ {\n\t\tif j%%2 == %d {\n\t\t\tfmt.Fprintf(&b, \"%%d %%s\", j, r.URL.Path)\n\t\t} else {\n\t\t\tb.WriteString(\"x\")\n\t\t}\n\t}\n", f, f, f%2)
		for _, j := range imports {
			fmt.Fprintf(&b, "\tif v, err := p%03d.F%02d(ctx, n-1, r); err == nil {\n\t\tb.WriteString(v)\n\t}\n", j, f)
		}
		b.WriteString("\tif b.Len() == 0 {\n\t\treturn \"\", fmt.Errorf(\"empty %d\", n)\n\t}\n\treturn b.String(), nil\n}\n\n")
	}
	return b.String()
}

// run runs a program in the module and returns the processor time that it took, its children included.
func (m *module) run(b *testing.B, program string, args ...string) float64 {
	b.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = m.dir
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOWORK=off", "GOOS=", "GOARCH=", "CTXMEND_CACHE="+filepath.Join(m.dir, ".cache"),
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_AUTHOR_NAME=A", "GIT_AUTHOR_EMAIL=a@example.com", "GIT_COMMITTER_NAME=A", "GIT_COMMITTER_EMAIL=a@example.com")
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
	return (cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()).Seconds()
}

// BenchmarkHook runs the command as a pre-commit hook on one changed file in a module of 500 packages, and the go list that it cannot do
// without: cpu-s and list-cpu-s are their processor times.
func BenchmarkHook(b *testing.B) {
	m := writeLayers(b)
	bin := filepath.Join(b.TempDir(), "ctxmend")
	if out, err := exec.Command("go", "build", "-o", bin, "../cmd/ctxmend").CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	m.run(b, "git", "init", "-q")
	m.run(b, "git", "add", ".")
	m.run(b, "git", "commit", "-qm", "begin")
	for _, number := range []int{40, 260, 480} {
		name := fmt.Sprintf("internal/p%03d/p.go", number)
		src, err := os.ReadFile(filepath.Join(m.dir, name))
		if err != nil {
			b.Fatal(err)
		}
		m.write(name, string(src)+"func Added() int { return 1 }\n")
		m.run(b, "git", "add", name)
		b.Run(fmt.Sprintf("p%03d", number), func(b *testing.B) {
			var hook, list float64
			for b.Loop() {
				hook += m.run(b, bin, "hook", "--quiet")
				b.StopTimer()
				list += m.run(b, "go", "list", "-e", "-deps", "-test", "-json=ImportPath,Imports,GoFiles", "./...")
				b.StartTimer()
			}
			b.ReportMetric(hook/float64(b.N), "cpu-s")
			b.ReportMetric(list/float64(b.N), "list-cpu-s")
		})
		m.run(b, "git", "commit", "-qm", "next")
	}
}
