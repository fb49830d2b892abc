package oracle

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
)

// What a fix for review may change is known line by line. A line begins with what was stored last and the
// atom that prints it. Most atoms print the same whatever is fixed; those whose program has the very mistake that
// a rule mends print, afterwards, what they would print in the mended program, which the generator writes as well.

// A transcript is the output of a program, the lines of some atoms apart from the others.
type transcript struct {
	fixed  []string          // lines that may not change
	groups map[string]string // lines that may, by the atom and by how many fixed ones came before
}

// transcribe parts an output.
func transcribe(output string, apart func(atom string) bool) *transcript {
	t := &transcript{groups: map[string]string{}}
	for line := range strings.Lines(output) {
		words := strings.SplitN(strings.TrimSpace(line), " ", 3)
		if len(words) > 1 && apart(words[1]) {
			t.groups[fmt.Sprintf("%04d %s %s", len(t.fixed), words[0], words[1])] += line
			continue
		}
		t.fixed = append(t.fixed, line)
	}
	return t
}

// compareReview checks what level review makes of the output.
func (t *trial) compareReview(before, mended, after string) {
	if t.prog.owners == nil && slices.ContainsFunc(t.reviewUnits, func(u *plan.Unit) bool { return slices.ContainsFunc(u.Findings, announced) }) {
		return
	}
	free := t.freeAtoms()
	apart := func(atom string) bool { return t.prog.alters[atom] || free[atom] }
	was, is := transcribe(before, apart), transcribe(after, apart)
	if !slices.Equal(was.fixed, is.fixed) {
		if len(free) > 0 && (slices.Contains(was.fixed, "PANIC\n") || slices.Contains(is.fixed, "PANIC\n")) {
			return // of a free atom, it may be, which takes with it what else its function prints
		}
		t.fail("the output changes at level review (-before +after):\n%s", cmp.Diff(was.fixed, is.fixed))
		return
	}
	will := transcribe(mended, apart)
	all := maps.Clone(was.groups)
	maps.Copy(all, is.groups)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		atom := name[strings.LastIndexByte(name, ' ')+1:]
		switch got := is.groups[name]; {
		case free[atom], got == was.groups[name]:
		case t.prog.zeroless[atom] && strings.HasSuffix(was.groups[name], " panics\n") && got != "": // nil or a zero
		case got == will.groups[name]:
			t.mended++
		default:
			t.fail("atom %s prints something else at level review\nbefore: %smended: %safter:  %s", name, was.groups[name], will.groups[name], got)
			return
		}
	}
}

// freeAtoms returns the atoms of keys that a fix changed although a key computed at run time may be the same one, or
// that were unified with other keys of the same text: what they print is not known.
func (t *trial) freeAtoms() map[string]bool {
	free := map[string]bool{}
	for _, u := range t.reviewUnits {
		for _, f := range u.Findings {
			if u.Blocker != nil || !announced(f) {
				continue
			}
			_, unified := f.Fix.Intent.(*rules.UnifyKeys)
			known := false
			for atom := range t.prog.owners {
				if t.prog.concerns(atom, f.Key) {
					known = true
					free[atom] = free[atom] || !(unified && t.prog.alters[atom])
				}
			}
			for atom := range t.prog.owners { // a key that a first run made
				free[atom] = free[atom] || !known
			}
		}
	}
	return free
}

// announced reports whether a finding is fixed for review because of something in the program that the generator does not
// model: keys that may be the same one at run time, texts of several features, types that are made to agree.
func announced(f *rules.Finding) bool {
	if f.Applicability != rules.Review || f.Fix == nil {
		return false
	}
	switch in := f.Fix.Intent.(type) {
	case *rules.TypeKeys:
		return len(in.Family.Notes) > 0
	case *rules.UnifyKeys, *rules.MeetTypes, *rules.PartKey:
		return true
	}
	return false
}
