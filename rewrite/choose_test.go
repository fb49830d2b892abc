package rewrite

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// TestWhatIsChosenTakesAlongWhatItNeeds: a unit that does not type-check without one that was left out is carried out with it, when
// that is wanted, and not at all otherwise.
func TestWhatIsChosenTakesAlongWhatItNeeds(t *testing.T) {
	dir := t.TempDir()
	const src = "package m\n\nvar old = 1\n\nfunc f() int { return old }\n\nvar other = 2\n"
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "a.go": src} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	prog, err := program.Load(t.Context(), program.Options{Dir: dir, Env: append(os.Environ(), "GOFLAGS=", "GOWORK=off")})
	if err != nil {
		t.Fatal(err)
	}
	file := prog.FileNamed(filepath.Join(prog.Dir, "a.go"))
	replace := func(id, old, text string) *plan.Unit {
		at := strings.Index(src, old)
		f := &rules.Finding{Rule: id, File: file, Pos: file.Tok.Pos(at), End: file.Tok.Pos(at + len(old))}
		return &plan.Unit{
			ID: id, Rule: id, Applicability: rules.Safe, Findings: []*rules.Finding{f},
			Edits: []plan.Edit{&plan.Splice{File: file, Start: at, End: at + len(old), Text: plan.Text{plan.Lit(text)}}},
		}
	}
	for _, tt := range []struct {
		take string
		yes  bool
		want string
	}{
		{"declares uses else", true, "declares uses else"},
		{"declares else", true, "declares uses else"},
		{"declares else", false, "else"},
		{"uses", true, "declares uses"},
		{"uses", false, ""},
		{"else", true, "else"},
	} {
		units := []*plan.Unit{replace("declares", "old = 1", "new = 1"), replace("uses", "return old", "return new"), replace("else", "other = 2", "other = 3")}
		asked := 0
		opts := &Options{
			Level: rules.Safe,
			Choose: func(_ context.Context, offer *Offer) (*Choice, error) {
				choice := &Choice{}
				for _, u := range offer.Units {
					if slices.Contains(strings.Fields(tt.take), u.ID) {
						choice.Units = append(choice.Units, u)
					}
				}
				return choice, nil
			},
			Needs: func(u, other *plan.Unit) (bool, error) {
				asked++
				return tt.yes, nil
			},
		}
		set, err := applyVerified(t.Context(), prog, units, opts, func(*plan.Unit) bool { return true })
		if err != nil {
			t.Fatal(err)
		}
		var done []string
		for _, u := range units {
			u.Status = rules.Fixable
			if u.Blocker != nil {
				u.Status = rules.Blocked
			}
			if opts.CarriesOut(u) {
				done = append(done, u.ID)
			}
		}
		if got := strings.Join(done, " "); got != tt.want {
			t.Errorf("%q, %v: done %q, want %q", tt.take, tt.yes, got, tt.want)
		}
		if (len(set.Files) > 0) != (tt.want != "") {
			t.Errorf("%q, %v: %d files", tt.take, tt.yes, len(set.Files))
		}
		if wanted := tt.want != tt.take || !tt.yes; wanted != (asked == 1) {
			t.Errorf("%q, %v: asked %d times", tt.take, tt.yes, asked)
		}
	}
}
