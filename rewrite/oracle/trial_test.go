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
	"github.com/ctxmend/ctxmend/rules/tracevalue"
)

// A trial is one program on its way through the pipeline.
type trial struct {
	tc   *toolchain
	prog *generated
	dir  string
	opts rewrite.Options
	// after and review are the files that the levels make of the program's; nil when nothing changes.
	after, review map[string]string
	units         []*plan.Unit
	reviewUnits   []*plan.Unit
	builds        map[string]*build // by version
	mended        int               // groups of lines that level review mended
	aborted       bool              // the program panics before its end
	failures      []string
	mending       mending // what findings about the flow of contexts announce
	counted       []*counted
}

// A kind of programs says how they are made, run through the pipeline and compared.
type kind struct {
	programs int // how many are tried by default
	generate func(seed uint64, drop map[string]bool) *generated
	setup    func(*trial, rnd)
	// review is set for kinds whose fixes are all for review. findings looks at what level review finds; nil for nothing.
	review   bool
	findings func(*trial, []*rules.Finding)
	compare  func(*trial, map[string]string)
}

// keyKind are the programs about keys and values.
var keyKind = kind{programs: 40, setup: (*trial).setupKeys, compare: (*trial).compareOutputs}

func (t *trial) fail(format string, args ...any) {
	t.failures = append(t.failures, fmt.Sprintf(format, args...))
}

// setup chooses the options of a run by the program's seed.
func (t *trial) setup() {
	r := newRnd(t.prog.seed, "options")
	t.opts = rewrite.Options{
		Load: program.Options{
			Tests: true,
			Env:   goEnv(t.prog.files["go.work"] != ""),
		},
		Level: rules.Safe, KeyStyle: "auto", Accessors: "auto",
	}
	t.prog.kind.setup(t, r)
	if r.chance(.05) {
		t.opts.Load.Platforms = []program.Platform{{GOOS: "linux", GOARCH: "amd64"}, {GOOS: "windows", GOARCH: "amd64"}}
	}
}

// goEnv is the environment of the go command: without the network, and without what the tester has set.
func goEnv(workspace bool) []string {
	work := "GOWORK=off"
	if workspace {
		work = "GOWORK="
	}
	return append(os.Environ(), "GOFLAGS=", "GOPROXY=off", "GOTOOLCHAIN=local", work)
}

// setupKeys chooses the options about keys.
func (t *trial) setupKeys(r rnd) {
	t.opts.Rules = keyRules()
	if r.chance(.25) {
		t.opts.KeyStyle = pick(r, []string{"auto", "struct", "string"})
		t.opts.Accessors = pick(r, []string{"auto", "always", "never"})
	}
	if r.chance(.08) {
		t.opts.KeyPackage = t.prog.module + "/" + pick(r, []string{"internal/ctxkeys", "auth", "internal/store", "internal/web"})
	}
}

// keyRules are the rules about keys and values. What those about the flow of contexts change, when work ends, is nothing
// that these programs print.
func keyRules() []*rules.Rule {
	return suite.All[:1+slices.Index(suite.All, tracevalue.Rule)]
}

// writeTree puts files below a fresh directory.
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

// standard spares all programs but the first the reading of the standard library.
var standard program.Standard

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
	opts.Load.Dir, opts.Load.Standard = dir, &standard
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
	first := rules.Safe
	if t.prog.kind.review && t.prog.seed%3 != 0 {
		first = rules.Review
	}
	res := t.pipeline("before", t.prog.files, func(o *rewrite.Options) { o.Load.Jobs, o.Level = 1, first })
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
	if first == rules.Review {
		t.reviewed(res)
	} else {
		t.after = patched(t.prog.files, res.Set)
	}
	reviewable := slices.ContainsFunc(res.Units, func(u *plan.Unit) bool {
		return u.Blocker == nil && u.Applicability == rules.Review
	})
	if reviewable && first == rules.Safe {
		if rev := t.pipeline("before", nil, func(o *rewrite.Options) { o.Level = rules.Review }); rev != nil {
			t.reviewed(rev)
		}
	}
	if t.prog.seed%8 == 0 {
		if again := t.pipeline("before", nil, func(o *rewrite.Options) { o.Load.Jobs, o.Level = 8, first }); again != nil {
			t.same("the result depends on the number of jobs", diffOf(res.Set), diffOf(again.Set))
		}
	}
	t.after = t.checkResult("after", t.after, t.units)
	t.review = t.checkResult("review", t.review, t.reviewUnits)
}

// reviewed takes the result of level review.
func (t *trial) reviewed(res *rewrite.Result) {
	t.reviewUnits = res.Units
	if t.prog.kind.findings != nil {
		t.prog.kind.findings(t, res.Findings)
	}
	t.review = patched(t.prog.files, res.Set)
}

// checkResult runs the pipeline over a result: the text is well formed, and nothing is left to do but what a key's new type has made
// clear. It returns what the program is then.
func (t *trial) checkResult(name string, files map[string]string, units []*plan.Unit) map[string]string {
	if files == nil {
		return nil
	}
	for run := 1; ; run++ {
		dir := name
		if run > 1 {
			dir = fmt.Sprint(name, run)
		}
		again := t.pipeline(dir, files, func(o *rewrite.Options) {
			if name == "review" {
				o.Level = rules.Review
			}
		})
		if again == nil {
			return files
		}
		for _, b := range again.Program.Broken {
			t.fail("%s has errors: %s: %v", name, b.Path, b.Errors)
		}
		if t.prog.tags {
			t.checkTagged(dir)
		}
		t.checkText(name, files)
		t.checkRequires(name, files)
		diff := diffOf(again.Set)
		if diff == "" || len(t.failures) > 0 {
			return files
		}
		if name != "review" || !clearer(units, again.Units) || run > 1 {
			t.fail("run %d changes more (%s):\n%s", run+1, name, diff)
			return files
		}
		if name == "review" {
			t.reviewUnits = append(t.reviewUnits, again.Units...)
		}
		files = patched(files, again.Set)
	}
}

// clearer reports whether the units of a second run are for review and mend keys that the first run gave a type, or whose
// values it gave one: as long as other code may spell a key, or its values differ, too little is known.
func clearer(first, second []*plan.Unit) bool {
	typed := slices.ContainsFunc(first, func(u *plan.Unit) bool {
		return u.Blocker == nil && slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool {
			switch f.Fix.Intent.(type) {
			case *rules.TypeKeys, *rules.NameKeys, *rules.TextKeys, *rules.UnifyKeys, *rules.MeetTypes, *rules.PartKey:
				return true
			}
			return false
		})
	})
	return typed && !slices.ContainsFunc(second, func(u *plan.Unit) bool {
		return u.Blocker == nil && (u.Applicability != rules.Review || slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool {
			return f.Rule == "builtinkey" || f.Rule == "sharedkey" || f.Rule == "badkey"
		}))
	})
}

// checkText checks that what was formatted still is.
func (t *trial) checkText(name string, files map[string]string) {
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
		opts.Dir, opts.Standard = filepath.Join(t.dir, name), &standard
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
	t.builds = map[string]*build{}
	for _, v := range t.versions() {
		b := &build{version: v.name, files: v.files, tc: t.tc, prog: t.prog, dir: filepath.Join(t.dir, "obj")}
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
		t.builds[v.name] = b
	}
}

// A version is a program before or after something was done to it.
type version struct {
	name  string
	files map[string]string
}

// versions returns the programs to run.
func (t *trial) versions() []version {
	list := []version{{"before", t.prog.files}}
	if t.after != nil {
		list = append(list, version{"after", t.after})
	}
	if t.review != nil {
		list = append(list, version{"review", t.review})
		if t.prog.mended != nil {
			list = append(list, version{"mended", t.prog.mended})
		}
	}
	return list
}

// compare runs the versions.
func (t *trial) compare(binary string) {
	outputs := map[string]string{}
	for name, b := range t.builds {
		outputs[name] = b.run(binary)
	}
	t.prog.kind.compare(t, outputs)
}

func (t *trial) compareOutputs(outputs map[string]string) {
	before := outputs["before"]
	t.aborted = strings.Contains(before, "PANIC\n") || strings.Contains(before, "exit: ")
	if after, ok := outputs["after"]; ok && before != after {
		t.fail("the output changes (-before +after):\n%s", cmp.Diff(strings.Split(before, "\n"), strings.Split(after, "\n")))
	}
	if review, ok := outputs["review"]; ok {
		t.compareReview(before, outputs["mended"], review)
	}
}

// compareSlowly lets the go command build and run the versions.
func (t *trial) compareSlowly() {
	outputs := map[string]string{}
	for _, v := range t.versions() {
		dir := filepath.Join(t.dir, "slow", v.name)
		if err := writeTree(dir, v.files); err != nil {
			t.fail("%v", err)
			return
		}
		out, err := goRun(dir, v.files)
		if err != nil {
			t.fail("%s: %v", v.name, err)
			return
		}
		outputs[v.name] = out
	}
	t.prog.kind.compare(t, outputs)
}
