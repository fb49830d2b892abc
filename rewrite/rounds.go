package rewrite

import (
	"bytes"
	"context"
	"errors"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/patches"
	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// maxRounds bounds how often what waits for another fix is planned again: a fix can make room for one that makes room
// for a third.
const maxRounds = 10

// settleWaiting carries out what the fixes of the rounds before have made possible, and what they have brought to light.
func settleWaiting(ctx context.Context, opts Options, res *Result) error {
	last, given := res.Units, opts.Load.Overlay
	opts.Mend = nil // of the units that wait, those were chosen
	for range maxRounds - 1 {
		w := waiting(res, &opts)
		if len(w.files) == 0 || len(w.units) == 0 && !reveal(last, &opts) {
			return nil
		}
		opts.Load.Overlay = maps.Clone(given)
		if opts.Load.Overlay == nil {
			opts.Load.Overlay = map[string][]byte{}
		}
		for _, f := range res.Set.Files {
			opts.Load.Overlay[f.Name] = f.New
		}
		next, err := again(ctx, opts, func(u *plan.Unit) bool { return w.matches(u) || w.revealed(u) })
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if errors.As(err, new(*ChoiceError)) {
			return err
		}
		if err != nil {
			return nil // what was found is right all the same
		}
		w.take()
		w.add(res, next)
		if len(next.Set.Files) == 0 {
			return nil
		}
		compose(res.Set, next.Set)
		last = next.Units
	}
	return nil
}

// again runs a round on the program as the fixes before leave it.
func again(ctx context.Context, opts Options, wanted func(*plan.Unit) bool) (*Result, error) {
	b, err := Read(ctx, opts.Load)
	if err != nil {
		return nil, err
	}
	return b.round(ctx, opts, wanted)
}

// A waiter holds the units that wait for another fix of the same round.
type waiter struct {
	opts *Options
	// prog is the program before the fixes.
	prog  *program.Program
	units []*plan.Unit
	files map[string]*patches.File
	// found are the units of the next round, by the one that waits: what was one unit may have become several.
	found map[*plan.Unit][]*plan.Unit
	// lines tell what stands for the lines of a file after the fixes.
	lines map[string]func(int) (from, to int, changed bool)
	// known are the findings that are not mended yet, by their rule.
	known map[string][]*rules.Finding
}

// A standIn is the lines that stand for one after the fixes.
type standIn struct {
	first, last int
	changed     bool
}

// waiting returns the blocked units that a fix which is carried out may unblock: they give way to it, do not compile without it, look for a context, or
// concern a key or a line that it changes.
func waiting(res *Result, opts *Options) *waiter {
	w := &waiter{opts: opts, prog: res.Program, files: map[string]*patches.File{}, found: map[*plan.Unit][]*plan.Unit{}, lines: map[string]func(int) (int, int, bool){}, known: unmended(res, opts)}
	for _, f := range res.Set.Files {
		w.files[f.Name] = f
	}
	keys := map[string]bool{}
	for _, u := range res.Units {
		if opts.CarriesOut(u) {
			for _, f := range u.Findings {
				keys[f.Key] = f.Key != ""
			}
		}
	}
	given := reveal(res.Units, opts)
	for _, u := range res.Units {
		if u.Blocker == nil || u.Blocker.Reason == "suppressed" || len(w.files) == 0 {
			continue
		}
		touched := func(f *rules.Finding) bool { return keys[f.Key] || w.moved(lineOf(f.File, f.Pos)).changed }
		// What removes a key may wait for nothing but that another one goes from the same variables.
		beside := u.Removes && u.Blocker.File != nil && w.files[u.Blocker.File.Name] != nil
		// Whoever keeps a context may have another one now, and who asks for one may get it from nearer.
		possible := given
		switch u.Blocker.Reason {
		case "conflict", "does-not-compile": // since another fix goes first
			possible = true
		case "placement":
			possible = possible || dropsImport(res.Set) // and with it, maybe, the import cycle
		}
		if possible || beside || slices.ContainsFunc(u.Findings, touched) {
			w.units = append(w.units, u)
		}
	}
	return w
}

// dropsImport reports whether a file imports less than before.
func dropsImport(set *patches.Set) bool {
	for _, f := range set.Files {
		after := imports(f.New)
		if slices.ContainsFunc(imports(f.Old), func(path string) bool { return !slices.Contains(after, path) }) {
			return true
		}
	}
	return false
}

// imports lists what a file imports, as it spells it.
func imports(src []byte) []string {
	file, err := parser.ParseFile(token.NewFileSet(), "", src, parser.ImportsOnly)
	if err != nil {
		return nil
	}
	var list []string
	for _, spec := range file.Imports {
		list = append(list, spec.Path.Value)
	}
	return list
}

// matches reports whether a unit of the next round is one that waits, or part of it: a rule reports a place of it again. It may
// have further findings, of other rules too, that the fixes have brought to light.
func (w *waiter) matches(u *plan.Unit) bool {
	var match *plan.Unit
	best := unlike
	for _, waits := range w.units {
		like := w.likeness(waits, u)
		if like > best || like == best && like != unlike && len(w.found[waits]) == 0 && len(w.found[match]) > 0 {
			match, best = waits, like
		}
	}
	if match == nil {
		return false
	}
	w.found[match] = append(w.found[match], u)
	return true
}

// A likeness says how much a unit of the next round looks like one that waits.
type likeness int

const (
	unlike likeness = iota
	// sharesPlace: a rule reports a place of it again.
	sharesPlace
	// samePlace: a rule reports it where it lay.
	samePlace
	// sameID: it also has its name.
	sameID
)

func (w *waiter) likeness(waits, u *plan.Unit) likeness {
	like := unlike
	for _, was := range waits.Findings {
		for _, f := range u.Findings {
			if !w.isStill(was, f) {
				continue
			}
			if waits.ID == u.ID {
				return sameID
			}
			like = max(like, sharesPlace)
			if to, now := w.moved(lineOf(was.File, was.Pos)), lineOf(f.File, f.Pos); now.file == was.File.Name && to.first <= now.line && now.line <= to.last {
				like = samePlace
			}
		}
	}
	return like
}

// reported reports whether a unit of the next round has a finding that is an earlier one.
func (w *waiter) reported(was *rules.Finding, u *plan.Unit) bool {
	return slices.ContainsFunc(u.Findings, func(f *rules.Finding) bool { return w.isStill(was, f) })
}

// isStill reports whether a finding of the next round is of the rule of an earlier one, and about a place of it, as the
// fixes have moved it.
func (w *waiter) isStill(was, f *rules.Finding) bool {
	if was.Rule != f.Rule {
		return false
	}
	for _, now := range placesOf(f) {
		for _, before := range placesOf(was) {
			if to := w.moved(before); now.file == before.file && to.first <= now.line && now.line <= to.last {
				return true
			}
		}
	}
	return false
}

// A line is a line of a file, by its absolute name.
type line struct {
	file string
	line int
}

// placesOf returns the lines that a finding speaks of.
func placesOf(f *rules.Finding) []line {
	list := []line{lineOf(f.File, f.Pos)}
	for _, r := range f.Related {
		if r.File != nil {
			list = append(list, lineOf(r.File, r.Pos))
		}
	}
	return list
}

func lineOf(f *program.File, pos token.Pos) line {
	return line{f.Name, f.Tok.PositionFor(pos, false).Line}
}

// moved returns what stands for a line after the fixes.
func (w *waiter) moved(l line) standIn {
	f := w.files[l.file]
	if f == nil {
		return standIn{l.line, l.line, false}
	}
	if w.lines[l.file] == nil {
		w.lines[l.file] = f.NewLines()
	}
	from, to, changed := w.lines[l.file](l.line)
	return standIn{from, to, changed}
}

// take writes the outcome of the next round into the units that waited, and their findings.
func (w *waiter) take() {
	for waits, list := range w.found {
		w.retell(waits, list)
		for _, u := range list {
			if !w.opts.CarriesOut(u) {
				w.stays(waits, u)
				continue
			}
			for _, f := range waits.Findings {
				if f.Status == rules.Blocked && (len(list) == 1 || w.reported(f, u)) {
					f.Status, f.Blocker, f.Applicability = u.Status, nil, u.Applicability
					f.Note = noteOf(u)
				}
			}
			if waits.Status == rules.Fixable {
				waits.Files = append(slices.Clone(waits.Files), u.Files...)
				slices.Sort(waits.Files)
				waits.Files = slices.Compact(waits.Files)
				continue
			}
			waits.Status, waits.Blocker, waits.Applicability = u.Status, nil, u.Applicability
			waits.Title, waits.Notes, waits.Files = u.Title, u.Notes, u.Files
		}
	}
}

// retell lets the findings that waited speak of the places that are mended with them now: these may have become more, or fewer.
func (w *waiter) retell(waits *plan.Unit, list []*plan.Unit) {
	for _, was := range waits.Findings {
		var related []rules.Related
		found := false
		for _, u := range list {
			for _, f := range u.Findings {
				if !w.opts.CarriesOut(u) || !w.isStill(was, f) {
					continue
				}
				if now := w.asBefore(w.prog, f); now != nil {
					found, related = true, append(related, w.toldBefore(was, now.Related)...)
				}
			}
		}
		if found {
			was.Related = related
		}
	}
}

// toldBefore puts the places that a finding had already where it had them: a changed line has lost its columns.
func (w *waiter) toldBefore(was *rules.Finding, related []rules.Related) []rules.Related {
	for i, r := range related {
		for _, had := range was.Related {
			if had.Message == r.Message && had.File != nil && lineOf(had.File, had.Pos) == lineOf(r.File, r.Pos) {
				related[i] = had
			}
		}
	}
	return related
}

// stays gives a unit that made way to another one, and is blocked for another reason now that the other is carried out, that reason.
func (w *waiter) stays(waits, now *plan.Unit) {
	if waits.Blocker == nil || waits.Blocker.Reason != "conflict" || now.Blocker == nil || now.Blocker.Reason == "conflict" || now.Blocker.Where != "" {
		return
	}
	b := *now.Blocker
	if b.File != nil {
		if b.File, b.Pos, _ = w.placeBefore(w.prog, b.File, b.Pos, b.Pos); b.File == nil {
			return
		}
	}
	waits.Blocker = &b
	for _, f := range waits.Findings {
		if f.Status == rules.Blocked {
			f.Blocker = &b
		}
	}
}

// compose makes a patch set do what another one does afterwards.
func compose(set, after *patches.Set) {
	byName := map[string]*patches.File{}
	for _, f := range set.Files {
		byName[f.Name] = f
	}
	for _, f := range after.Files {
		if have := byName[f.Name]; have != nil {
			have.New = f.New
			continue
		}
		set.Files = append(set.Files, f)
	}
	set.Files = slices.DeleteFunc(set.Files, func(f *patches.File) bool {
		return (f.Old == nil) == (f.New == nil) && bytes.Equal(f.Old, f.New)
	})
	slices.SortFunc(set.Files, func(a, b *patches.File) int { return strings.Compare(a.Name, b.Name) })
}
