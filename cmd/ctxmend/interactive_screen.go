package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
)

// A screen is what is shown of one unit.
type screen struct {
	asker *asker
	units []*plan.Unit
	at    int
	// instead is set for fixes that gave way to what was left out.
	instead bool
	diff    []byte
	lines   int
}

func (k *asker) newScreen(offer *rewrite.Offer, at int) (*screen, error) {
	set, err := offer.Alone(offer.Units[at])
	if err != nil {
		return nil, err
	}
	set.Base = repository(set.Root, set)
	var diff bytes.Buffer
	if err := set.Unified(&diff); err != nil {
		return nil, err
	}
	return &screen{asker: k, units: offer.Units, at: at, instead: offer.Instead, diff: diff.Bytes(), lines: bytes.Count(diff.Bytes(), []byte("\n"))}, nil
}

func (s *screen) unit() *plan.Unit { return s.units[s.at] }

// show prints what the unit is about, and its diff as far as it fits into a few screens.
func (s *screen) show() error {
	u, t := s.unit(), s.asker.term
	what := fmt.Sprintf("fix %d of %d", s.at+1, len(s.units))
	switch {
	case s.instead:
		what += ", in place of what was left out"
	case s.asker.round > 0:
		what += ", made possible by those before"
	}
	title := fmt.Sprintf("%s: %s: %s (%s)", what, u.Rule, u.Title, u.Applicability)
	if err := t.heading("\n" + t.wrap(title, "   ")); err != nil {
		return err
	}
	return s.showDiff(t.height() * 2)
}

// showDiff prints at most so many lines of the diff.
func (s *screen) showDiff(most int) error {
	t := s.asker.term
	diff := s.diff
	if s.lines > most {
		end := 0
		for range most {
			end += bytes.IndexByte(diff[end:], '\n') + 1
		}
		diff = diff[:end]
	}
	if err := report.WriteDiff(t.out, diff, t.color); err != nil {
		return err
	}
	if s.lines > most {
		return t.say("... %d more lines; d shows all\n", s.lines-most)
	}
	return nil
}

func (s *screen) prompt() string {
	keys := "y,n,w,a,p,s,d,q,?"
	if len(s.unit().Names) > 0 {
		keys = "y,n,w,e,a,p,s,d,q,?"
	}
	return "apply it? [" + keys + "] "
}

// tell answers the keys that decide nothing.
func (s *screen) tell(key rune) error {
	switch key {
	case 'w':
		return s.why()
	case 'd':
		return s.showDiff(s.lines)
	}
	return s.help()
}

// why prints the findings that the unit mends, and how far it can be trusted.
func (s *screen) why() error {
	u, t := s.unit(), s.asker.term
	var list []*rules.Finding
	for _, f := range u.Findings {
		shown := *f
		shown.Status, shown.Applicability, shown.Note = rules.Fixable, u.Applicability, strings.Join(u.Notes, "; ")
		list = append(list, &shown)
	}
	r := report.New(list, nil, 0)
	if err := r.WriteText(t.out, report.TextOptions{Color: t.color, Quiet: true}); err != nil {
		return err
	}
	return t.say("ctxmend explain %s says more\n", u.Rule)
}

// help says what the keys do.
func (s *screen) help() error {
	u, t := s.unit(), s.asker.term
	rest := s.units[s.at+1:]
	ofRule := others(rest, func(v *plan.Unit) bool { return v.Rule == u.Rule })
	inPackage := others(rest, func(v *plan.Unit) bool { return packageOf(v) == packageOf(u) })
	lines := []string{
		"y  apply this fix",
		"n  leave it out",
		"w  why: what is wrong, where, and how far the fix can be trusted",
		"e  choose another name for its key",
		fmt.Sprintf("a  apply this one and all others of rule %s (%d more here)", u.Rule, ofRule),
		fmt.Sprintf("p  apply this one and all others that begin in package %s (%d more here)", packageOf(u), inPackage),
		"s  leave out this one and all the rest; apply those chosen so far",
		"d  show the whole diff again",
		"q  quit and change nothing; Ctrl-C does the same",
		"?  this list",
	}
	if len(u.Names) == 0 {
		lines = slices.Delete(lines, 3, 4)
	}
	for _, line := range lines {
		if err := t.say("%s\n", t.wrap(line, "   ")); err != nil {
			return err
		}
	}
	return nil
}

// wrap breaks text into lines of the terminal's width, those behind the first indented. A word that is wider than that stays whole.
func wrap(text, indent string, width int) string {
	var b strings.Builder
	col := 0
	for i, word := range strings.Split(text, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case col+1+n > width && col > len(indent):
			b.WriteString("\n" + indent)
			col = len(indent)
		default:
			b.WriteByte(' ')
			col++
		}
		b.WriteString(word)
		col += n
	}
	return b.String()
}
