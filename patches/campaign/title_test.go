package campaign

import "testing"

// TestSummaries: a title says what and where, in a line that is not too long where that can be had.
func TestSummaries(t *testing.T) {
	unit := func(rule, title string, files ...string) Unit { return Unit{Rule: rule, Title: title, Files: files} }
	for want, units := range map[string][]Unit{
		`give "user" a private typed key in auth`: {unit("builtinkey", `give "user" a private typed key in auth`, "auth/a.go", "b.go")},
		`call CommandContext in run/run.go`:       {unit("contextlesscall", "call CommandContext", "run/run.go")},
		`call CommandContext in run`:              {unit("contextlesscall", "call CommandContext", "run/run.go"), unit("contextlesscall", "call CommandContext", "run/a/stop.go")},
		`call CommandContext`:                     {unit("contextlesscall", "call CommandContext", "run/run.go", "main.go")},
		`mend misuse of context.Context in run: 2 freshctx, 1 lostcancel`: {
			unit("lostcancel", "defer the cancel function", "run/run.go"), unit("freshctx", "pass ctx", "run/b.go"), unit("freshctx", "pass t.Context()", "run/b_test.go"),
		},
		`give "a", "b" private typed keys in auth`: {unit("builtinkey", `give "a", "b" private typed keys in auth`, "auth/a.go")},
		`give "gorilla.csrf.\"Token, x" and 2 more private typed keys in csrf`: {
			unit("builtinkey", `give "gorilla.csrf.\"Token, x", "gorilla.csrf.Form", "gorilla.csrf.Error" private typed keys in csrf`, "csrf.go"),
		},
	} {
		if got := summary(units, ""); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	one := []Unit{unit("freshctx", "pass ctx", "a/b.go")}
	for where, want := range map[string]string{"a/b.go:7": "pass ctx", "a/b.go": "pass ctx", "a": "pass ctx in a/b.go", "freshctx": "pass ctx in a/b.go"} {
		if got := summary(one, where); got != want {
			t.Errorf("%s: got %s, want %s", where, got, want)
		}
	}
	u := unit("freshctx", "pass ctx", "a/b.go", "a/c.go")
	if got := at(u); got != "a" {
		t.Errorf("at %q", got)
	}
	u.Findings = []string{"a/b.go:12: freshctx: a fresh context: x"}
	if got := at(u); got != "a/b.go:12" {
		t.Errorf("at %q", got)
	}
}
