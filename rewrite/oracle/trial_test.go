package oracle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"go/format"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// A trial is one program on its way through the pipeline.
type trial struct {
	tc   *toolchain
	prog *generated
	dir  string
	opts rewrite.Options
	// after and review are the files that the levels make of the program's; nil when nothing changes.
	after, review map[string]string
	// reviewSame is set when the review level must keep behaviour as well.
	reviewSame bool
	units      []*plan.Unit
	builds     []*build
	failures   []string
}

func (t *trial) fail(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

// setup chooses the options of a run by the program's seed.
func (t *trial) setup() {
	r := newRnd(t.prog.seed, "options")
	t.opts = rewrite.Options{
		Load: program.Options{
			Tests: true,
			Env:   append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", "GOWORK=off"),
		},
		Rules: suite.All, Level: rules.Safe, KeyStyle: "auto", Accessors: "auto",
	}
	if r.chance(.25) {
		t.opts.KeyStyle = pick(r, []string{"auto", "struct", "string"})
		t.opts.Accessors = pick(r, []string{"auto", "always", "never"})
	}
	if r.chance(.08) {
		t.opts.KeyPackage = t.prog.module + "/" + pick(r, []string{"internal/ctxkeys", "auth", "internal/store", "internal/web"})
	}
	if r.chance(.05) {
		t.opts.Load.Platforms = []program.Platform{{GOOS: "linux", GOARCH: "amd64"}, {GOOS: "windows", GOARCH: "amd64"}}
	}
}

// write puts files below a fresh directory.
func writeTree(dir string, files map[string]string) error {
	for name, text := range files {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
			return err
		}
	}
	return nil
}

// pipeline runs over a tree at one level.
func (t *trial) pipeline(name string, files map[string]string, change func(*rewrite.Options)) *rewrite.Result {
	dir := filepath.Join(t.dir, name)
	if _, err := os.Stat(dir); err != nil {
		if err := writeTree(dir, files); err != nil {
			t.fail("%v", err)
			return nil
		}
	}
	opts := t.opts
	opts.Load.Dir = dir
	if change != nil {
		change(&opts)
	}
	res, err := runGuarded(opts)
	if err != nil {
		t.fail("the pipeline fails on the %s program: %v", name, err)
		return nil
	}
	return res
}

// runGuarded turns a panic of the pipeline into an error.
func runGuarded(opts rewrite.Options) (res *rewrite.Result, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, stack())
		}
	}()
	return rewrite.Run(context.Background(), opts)
}

// patched applies a patch set to files.
func patched(files map[string]string, set *patches.Set) map[string]string {
	if len(set.Files) == 0 {
		return nil
	}
	out := maps.Clone(files)
	for _, f := range set.Files {
		if f.New == nil {
			delete(out, f.Rel)
			continue
		}
		out[f.Rel] = string(f.New)
	}
	return out
}

// pipelines runs all levels and checks everything that needs no compiler.
func (t *trial) pipelines() {
	res := t.pipeline("before", t.prog.files, func(o *rewrite.Options) { o.Load.Jobs = 1 })
	if res == nil {
		return
	}
	for _, b := range res.Program.Broken {
		t.fail("the generated program has errors: %s: %v", b.Path, b.Errors)
		return
	}
	t.units = res.Units
	for _, f := range res.Findings {
		if f.Status == rules.Blocked && f.Blocker == nil {
			t.fail("a blocked finding has no blocker: %s at %s", f.Message, f.File.Rel)
		}
		if f.Status == "" {
			t.fail("a finding has no status: %s at %s", f.Message, f.File.Rel)
		}
	}
	t.after = patched(t.prog.files, res.Set)
	reviewable := slices.ContainsFunc(res.Units, func(u *plan.Unit) bool {
		return u.Blocker == nil && u.Applicability == rules.Review
	})
	t.reviewSame = !slices.ContainsFunc(res.Units, mayChange)
	if reviewable {
		if rev := t.pipeline("before", nil, func(o *rewrite.Options) { o.Level = rules.Review }); rev != nil {
			t.review = patched(t.prog.files, rev.Set)
		}
	}
	if t.prog.seed%8 == 0 {
		if again := t.pipeline("before", nil, func(o *rewrite.Options) { o.Load.Jobs = 8 }); again != nil {
			t.same("the result depends on the number of jobs", diffOf(res.Set), diffOf(again.Set))
		}
	}
	for name, files := range map[string]map[string]string{"after": t.after, "review": t.review} {
		t.checkResult(name, files)
	}
}

// mayChange reports whether a unit is for review because of something in the program itself,
// not because of importers elsewhere.
func mayChange(u *plan.Unit) bool {
	if u.Blocker != nil || u.Applicability != rules.Review {
		return false
	}
	return slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool {
		in, ok := f.Fix.Intent.(*rules.TypeKeys)
		return !ok || len(in.Family.Notes) > 0
	})
}

// checkResult runs the pipeline over a result: nothing is left to do, the text is well formed.
func (t *trial) checkResult(name string, files map[string]string) {
	if files == nil {
		return
	}
	again := t.pipeline(name, files, func(o *rewrite.Options) {
		if name == "review" {
			o.Level = rules.Review
		}
	})
	if again == nil {
		return
	}
	for _, b := range again.Program.Broken {
		t.fail("%s has errors: %s: %v", name, b.Path, b.Errors)
	}
	if t.prog.tags {
		t.checkTagged(name)
	}
	if diff := diffOf(again.Set); diff != "" {
		t.fail("a second run changes more (%s):\n%s", name, diff)
	}
	for file, text := range files {
		old, had := t.prog.files[file]
		if strings.HasSuffix(file, ".go") && text != old && (!had || clean(old)) && !clean(text) {
			t.fail("%s is no longer formatted (%s):\n%s", file, name, text)
		}
	}
}

// checkTagged loads a result in the configuration that its tagged files belong to.
func (t *trial) checkTagged(name string) {
	for _, change := range []func(*program.Options){
		func(o *program.Options) { o.Tags = []string{"special"} },
		func(o *program.Options) { o.Platforms = []program.Platform{{GOOS: "windows", GOARCH: "amd64"}} },
	} {
		opts := t.opts.Load
		opts.Dir = filepath.Join(t.dir, name)
		change(&opts)
		prog, err := program.Load(context.Background(), opts)
		if err != nil {
			t.fail("%s cannot be loaded: %v", name, err)
			return
		}
		for _, b := range prog.Broken {
			t.fail("%s has errors in another configuration: %s: %v", name, b.Path, b.Errors)
		}
	}
}

func (t *trial) same(what, a, b string) {
	if a != b {
		t.fail("%s (-first +second):\n%s", what, cmp.Diff(a, b))
	}
}

func diffOf(set *patches.Set) string {
	var b bytes.Buffer
	if err := set.Unified(&b); err != nil {
		return err.Error()
	}
	return b.String()
}

// clean reports whether gofmt would leave a file as it is, line ends, byte order mark and the last newline aside.
func clean(src string) bool {
	src = strings.ReplaceAll(strings.TrimPrefix(src, "\ufeff"), "\r\n", "\n")
	if !strings.HasSuffix(src, "\n") {
		src += "\n"
	}
	out, err := format.Source([]byte(src))
	return err == nil && string(out) == src
}

// compileVersions compiles the program before and after.
func (t *trial) compileVersions() {
	if len(t.failures) > 0 || t.after == nil && t.review == nil {
		return
	}
	versions := []*build{{version: "before", files: t.prog.files}}
	if t.after != nil {
		versions = append(versions, &build{version: "after", files: t.after})
	}
	if t.review != nil {
		versions = append(versions, &build{version: "review", files: t.review})
	}
	for _, b := range versions {
		b.tc, b.prog, b.dir = t.tc, t.prog, filepath.Join(t.dir, "obj")
		err := b.compileAll()
		if *flagGo || errors.Is(err, errCycle) {
			t.builds = nil
			t.compareSlowly()
			return
		}
		if err != nil {
			t.fail("%s: %v", b.version, err)
			return
		}
		if b.version != "review" || t.reviewSame {
			t.builds = append(t.builds, b)
		}
	}
}

// compare runs before and after.
func (t *trial) compare(binary string) {
	if len(t.builds) < 2 {
		return
	}
	before := t.builds[0].run(binary)
	for _, b := range t.builds[1:] {
		t.compareOutputs(before, b.run(binary))
	}
}

func (t *trial) compareOutputs(before, after string) {
	if before != after {
		t.fail("the output changes (-before +after):\n%s", cmp.Diff(strings.Split(before, "\n"), strings.Split(after, "\n")))
	}
}

// compareSlowly lets the go command build and run the versions.
func (t *trial) compareSlowly() {
	var outputs []string
	for _, v := range []struct {
		name  string
		files map[string]string
	}{{"before", t.prog.files}, {"after", t.after}, {"review", t.review}} {
		if v.files == nil {
			continue
		}
		out, err := goRun(filepath.Join(t.dir, v.name))
		if err != nil {
			t.fail("%s: %v", v.name, err)
			return
		}
		if v.name != "review" || t.reviewSame {
			outputs = append(outputs, out)
		}
	}
	for _, out := range outputs[1:] {
		t.compareOutputs(outputs[0], out)
	}
}
