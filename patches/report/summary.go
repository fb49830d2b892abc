package report

import (
	"fmt"
	"sort"
	"strconv"
	"strings"
)

// subjects are the things findings are about: a key with all its sites is one,
// any other finding is one by itself. People fix subjects, not sites, so
// text counts them; JSON counts findings.
type subjects struct {
	keys, keyPlaces, others int
	// byStatus counts subjects; a key of mixed status counts in each.
	byStatus map[string]int
	// fixable counts fixable subjects by applicability.
	fixable map[string]int
	// held counts the fixable subjects that no level on the command line reaches, since the configuration says so.
	held  int
	rules []string
}

func (r *Report) subjects() subjects {
	s := subjects{byStatus: map[string]int{}, fixable: map[string]int{}}
	keys, places, rules := map[string]bool{}, map[string]bool{}, map[string]bool{}
	counted := map[string]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		if f.Status == "suppressed" {
			continue
		}
		rules[f.Rule] = true
		subject := f.keySubject(i)
		if f.Key == "" {
			s.others++
		} else {
			keys[subject] = true
			places[place(f.File, f.Line, f.Column)] = true
			for _, r := range f.Related {
				places[place(r.File, r.Line, r.Column)] = true
			}
		}
		if mark := subject + "\x00" + f.Status + "\x00" + f.Applicability; !counted[mark] {
			counted[mark] = true
			s.byStatus[f.Status]++
			if f.Status == "fixable" && r.held(f) {
				s.held++
			} else if f.Status == "fixable" {
				s.fixable[f.Applicability]++
			}
		}
	}
	s.keys, s.keyPlaces = len(keys), len(places)
	for rule := range rules {
		s.rules = append(s.rules, rule)
	}
	sort.Strings(s.rules)
	return s
}

// held reports whether the level that the configuration gives a rule keeps a finding from being mended.
func (r *Report) held(f *Finding) bool {
	level := r.Levels[f.Rule]
	return level == "manual" || level == "safe" && f.Applicability == "review"
}

// summaryLine is the last line of check:
// "2 keys in 7 places: 1 fixable, 1 blocked (ctxmend fix applies it, ctxmend explain builtinkey says more)".
func (r *Report) summaryLine() string {
	s := r.subjects()
	hints := append(s.fixHints(), s.explainHint())
	return fmt.Sprintf("%s: %s (%s)", s.total(), s.outcomes(), strings.Join(hints, ", "))
}

// keySubject identifies the key that the i-th finding is about, whatever is done about it.
func (f *Finding) keySubject(i int) string {
	if f.KeyID == "" {
		return f.subject(i)
	}
	return f.Rule + "\x00" + f.KeyID
}

// subject identifies what the i-th finding is about, and what is done about it.
func (f *Finding) subject(i int) string {
	if f.Key == "" {
		return fmt.Sprintf("finding %d", i)
	}
	// Two keys may look alike; their units part them.
	return f.Rule + "\x00" + f.Key + "\x00" + f.Unit
}

// total says how much there is.
func (s *subjects) total() string {
	if s.keys == 0 {
		return count(s.others, "finding")
	}
	total := count(s.keys, "key") + " in " + count(s.keyPlaces, "place")
	if s.others > 0 {
		total += " and " + count(s.others, "other finding")
	}
	return total
}

// outcomes says what became of it.
func (s *subjects) outcomes() string {
	var parts []string
	for _, status := range []struct{ status, word string }{
		{"fixed", "fixed"}, {"fixable", "fixable"}, {"blocked", "blocked"}, {"manual", "to be done by hand"},
	} {
		if n := s.byStatus[status.status]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, status.word))
		}
	}
	return strings.Join(parts, ", ")
}

// fixHints names the commands that apply what is fixable.
func (s *subjects) fixHints() []string {
	safe, review := s.fixable["safe"], s.fixable["review"]
	all := func(n int) string {
		if s.held > 0 {
			return strconv.Itoa(n)
		}
		return pronoun(n)
	}
	var hints []string
	switch {
	case safe > 0 && review > 0:
		hints = append(hints, fmt.Sprintf("ctxmend fix applies %d", safe), fmt.Sprintf("ctxmend fix --level review also the other %d", review))
		if s.held > 0 {
			hints[1] = fmt.Sprintf("ctxmend fix --level review also %d", review)
		}
	case safe > 0:
		hints = append(hints, "ctxmend fix applies "+all(safe))
	case review > 0:
		hints = append(hints, "ctxmend fix --level review applies "+all(review))
	}
	if s.held > 0 {
		hints = append(hints, fmt.Sprintf("the configured level holds %d back", s.held))
	}
	return hints
}

func (s *subjects) explainHint() string {
	if len(s.rules) == 1 {
		return "ctxmend explain " + s.rules[0] + " says more"
	}
	return "ctxmend explain RULE says more"
}

func pronoun(n int) string {
	if n == 1 {
		return "it"
	}
	return "them"
}
