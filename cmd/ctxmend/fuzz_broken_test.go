package main

import (
	"errors"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/internal/scenario"
	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/suite"
)

// allScenarios returns the names of all scenarios of rules and of the planner.
func allScenarios(f testing.TB) []string {
	var names []string
	for _, dir := range []string{"rules", "plan"} {
		list, err := scenario.Find(filepath.Join(testdata, dir))
		if err != nil || len(list) == 0 {
			f.Fatalf("%d scenarios, %v", len(list), err)
		}
		names = append(names, list...)
	}
	return names
}

// FuzzBroken breaks the programs of scenarios token by token, as somebody does who is in the middle of writing them, and runs
// every rule at level review: the outcome is a result or an error, and no package that was right has errors afterwards. The script has four bytes for each
// breakage: file, place and what is done there.
func FuzzBroken(f *testing.F) {
	names := allScenarios(f)
	const inOrdinaryRuns = 6
	for i := range inOrdinaryRuns {
		f.Add(uint16((2*i+1)*len(names)/inOrdinaryRuns/2), []byte{0, byte(i), byte(53 * i), byte(i), 1, byte(3 * i), byte(97 * i), byte(i + 3)})
	}
	f.Fuzz(func(t *testing.T, which uint16, script []byte) {
		if len(script) > 80 {
			t.Skip("nothing would be left")
		}
		tryBroken(t, names[int(which)%len(names)], script)
	})
}

func tryBroken(t *testing.T, file string, script []byte) {
	tr := newTrial(t, file)
	tr.breakInput(script)
	tr.runBroken(t, file)
}

// runBroken runs every rule over a program that may not compile: no panic, and what is edited has no error that it had not before.
func (tr *trial) runBroken(t *testing.T, file string) {
	defer func() {
		if t.Failed() {
			t.Logf("%s, broken:", file)
			for _, name := range tr.input.Names() {
				t.Logf("-- %s --\n%s", name, tr.input[name])
			}
		}
	}()
	dir := tr.materialize()
	opts, err := (&app{env: offline(), dir: dir, rules: suite.All}).options(&tr.flags, tr.patterns)
	if err != nil {
		t.Fatal(err)
	}
	opts.Rules, opts.Level = suite.All, rules.Review
	res, err := rewrite.Run(t.Context(), opts)
	var bug *program.PanicError
	if errors.As(err, &bug) {
		t.Fatalf("%v\n%s", bug, bug.Stack)
	}
	if err != nil || len(res.Set.Files) == 0 {
		return
	}
	if err := res.Set.Write(t.Context(), patches.WriteOptions{CacheDir: tr.cache}); err != nil {
		t.Fatal(err)
	}
	after, err := program.Load(t.Context(), opts.Load)
	if err != nil {
		t.Fatal(err)
	}
	was := brokenLines(res.Program)
	for _, e := range brokenLines(after) {
		if !slices.Contains(was, e) {
			t.Errorf("new error: %s", e)
		}
	}
}

// breakInput changes tokens of the input as a script says.
func (t *trial) breakInput(script []byte) {
	t.input = t.dress.Put(t.Input)
	var files []string
	for _, name := range t.input.Names() {
		if strings.HasSuffix(name, ".go") {
			files = append(files, name)
		}
	}
	for ; len(script) >= 4 && len(files) > 0; script = script[4:] {
		name := files[int(script[0])%len(files)]
		t.input[name] = []byte(brokenAt(string(t.input[name]), int(script[1])<<8|int(script[2]), script[3]))
	}
}

// brokenAt breaks one token.
func brokenAt(src string, place int, how byte) string {
	list, _ := lexemes(src)
	list = slices.DeleteFunc(list, func(l lexeme) bool { return l.lineEnds || l.tok == token.COMMENT })
	if len(list) == 0 {
		return src
	}
	// Most programs get more interesting where a name means something else.
	idents := slices.DeleteFunc(slices.Clone(list), func(l lexeme) bool { return l.tok != token.IDENT })
	if how%8 < 5 && len(idents) > 0 {
		list = idents
	}
	l, other := list[place%len(list)], list[place*7%len(list)]
	text := map[byte]string{
		0: "undefined", 1: src[other.at:other.end], 2: "nil", 3: "(" + src[l.at:l.end] + ")", 4: "any",
		5: "", 6: src[l.at:l.end] + " " + src[l.at:l.end], 7: src[other.at:other.end],
	}[how%8]
	return src[:l.at] + text + src[l.end:]
}
