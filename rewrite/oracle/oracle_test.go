package oracle

import (
	"cmp"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules"
)

var (
	flagN      = flag.Int("oracle.n", 0, "how many programs to try (default 40, and 30 about the flow of contexts)")
	flagSeed   = flag.Uint64("oracle.seed", 1, "seed of the first program")
	flagTime   = flag.Duration("oracle.time", 0, "how long to go on instead")
	flagOnly   = flag.Uint64("oracle.only", 0, "try only the program of this seed")
	flagKeep   = flag.Bool("oracle.keep", false, "keep the directories of programs that fail")
	flagReason = flag.String("oracle.reason", "", "show the units that are blocked for this reason")
	flagGo     = flag.Bool("oracle.go", false, "build and run with the go command: slow, and without the tricks of the compiler driver")
	flagFail   = flag.Int("oracle.fail", 5, "how many failures to report before giving up")
	flagAvoid  = flag.String("oracle.avoid", "", "leave out programs with a hazard whose name contains one of these, separated by commas")
)

func stack() string {
	lines := strings.Split(string(debug.Stack()), "\n")
	return strings.Join(lines[min(len(lines), 8):min(len(lines), 24)], "\n")
}

// batch is how many programs share a binary.
const batch = 20

// TestOracle tries programs.
func TestOracle(t *testing.T) {
	tryMany(t, &keyKind)
}

// TestFlow tries programs about the flow of contexts.
func TestFlow(t *testing.T) {
	tryMany(t, &flowKind)
}

func tryMany(t *testing.T, k *kind) {
	tc, err := newToolchain()
	if err != nil {
		t.Fatal(err)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(400))
	o := &oracle{T: t, kind: k, tc: tc, dir: t.TempDir(), next: *flagSeed, start: time.Now()}
	o.end = o.next + uint64(cmp.Or(*flagN, k.programs))
	if *flagOnly > 0 {
		o.next, o.end = *flagOnly, *flagOnly+1
	}
	var wg sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for o.batch() {
			}
		})
	}
	wg.Wait()
	o.report()
}

// An oracle is a run over many programs.
type oracle struct {
	*testing.T
	kind  *kind
	tc    *toolchain
	dir   string
	start time.Time

	mu        sync.Mutex
	next, end uint64
	tried     int
	failed    int
	tally     map[string]*tally
	total     tally
	rules     map[string]*tally // by rule
	places    tally             // where contexts are lost
	unnoticed int               // those of them without a finding
	records   tally             // maps that should become structs
	unseen    int               // those of them without a finding
	mended    int               // groups of lines that level review mended
	aborted   int               // programs that panic before their end
	reasons   map[string]int
}

// A tally counts units.
type tally struct{ fixed, review, blocked int }

func (t *tally) add(u *plan.Unit) {
	switch {
	case u.Blocker != nil:
		t.blocked++
	case u.Applicability == rules.Review:
		t.review++
	default:
		t.fixed++
	}
}

// countRecords counts what becomes of the maps that should become structs.
func (o *oracle) countRecords(tr *trial) {
	for _, key := range slices.Sorted(maps.Keys(tr.prog.records)) {
		found := false
		for _, u := range tr.units {
			if len(u.Findings) > 0 && u.Findings[0].Rule == "mapvalue" && u.Findings[0].Key == key {
				o.records.add(u)
				found = true
				if u.Blocker != nil && *flagReason == "record" {
					o.Logf("seed %d: %s: %s: %s", tr.prog.seed, u.ID, u.Blocker.Reason, u.Blocker.Message)
				}
			}
		}
		if !found {
			o.unseen++
			if *flagReason == "record" {
				o.Logf("seed %d: no finding for %s", tr.prog.seed, key)
			}
		}
	}
}

// seeds takes the next seeds to try; none when enough was tried.
func (o *oracle) seeds() []uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.failed >= *flagFail || *flagTime > 0 && time.Since(o.start) > *flagTime {
		return nil
	}
	if *flagTime > 0 {
		o.end = o.next + batch
	}
	var list []uint64
	for ; o.next < o.end && len(list) < batch; o.next++ {
		list = append(list, o.next)
	}
	return list
}

// batch tries some programs; it reports whether there may be more.
func (o *oracle) batch() bool {
	seeds := o.seeds()
	if len(seeds) == 0 {
		return false
	}
	dir := filepath.Join(o.dir, fmt.Sprint(seeds[0]))
	defer os.RemoveAll(dir)
	var trials []*trial
	for _, seed := range seeds {
		trials = append(trials, o.try(dir, seed, nil))
	}
	if err := o.tc.finish(dir, trials); err != nil {
		o.Error(err)
		return false
	}
	for _, tr := range trials {
		o.count(tr)
		if len(tr.failures) > 0 {
			o.failure(dir, tr)
		}
	}
	return true
}

// try runs one program through the pipeline and compiles it.
func (o *oracle) try(dir string, seed uint64, drop map[string]bool) *trial {
	tr := &trial{tc: o.tc, prog: o.kind.generate(seed, drop), dir: filepath.Join(dir, fmt.Sprint(seed))}
	if tr.prog.err != nil {
		tr.fail("the generator fails: %v", tr.prog.err)
		return tr
	}
	if avoided(tr.prog) {
		return tr
	}
	tr.setup()
	tr.pipelines()
	tr.compileVersions()
	return tr
}

// avoided reports whether a program has a hazard that is not wanted now.
func avoided(p *generated) bool {
	for _, labels := range p.labels {
		for l := range labels {
			for _, a := range strings.Split(*flagAvoid, ",") {
				if a != "" && strings.Contains(l, a) {
					return true
				}
			}
		}
	}
	return false
}

// finish links the trials' programs and runs them.
func (tc *toolchain) finish(dir string, trials []*trial) error {
	var builds []*build
	for _, tr := range trials {
		if len(tr.failures) == 0 && len(tr.builds) >= 2 {
			for _, v := range tr.versions() {
				builds = append(builds, tr.builds[v.name])
			}
		}
	}
	if len(builds) == 0 {
		return nil
	}
	binary, err := tc.linkAll(dir, builds)
	if err != nil {
		return err
	}
	for _, tr := range trials {
		if len(tr.failures) == 0 && len(tr.builds) >= 2 {
			tr.compare(binary)
		}
	}
	return nil
}

// count adds a trial's units to the tallies.
func (o *oracle) count(tr *trial) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.tried++
	if o.tally == nil {
		o.tally, o.rules, o.reasons = map[string]*tally{}, map[string]*tally{}, map[string]int{}
	}
	o.mended += tr.mended
	if tr.aborted {
		o.aborted++
	}
	o.countRecords(tr)
	o.countPlaces(tr)
	for _, u := range tr.units {
		labels := map[string]bool{}
		for _, f := range u.Findings {
			maps.Copy(labels, tr.prog.labels[f.Key])
		}
		if len(u.Findings) == 0 { // another unit mends what it found
			continue
		}
		rule := u.Findings[0].Rule
		if o.rules[rule] == nil {
			o.rules[rule] = &tally{}
		}
		tallies := []*tally{&o.total, o.rules[rule]}
		for l := range labels {
			if o.tally[l] == nil {
				o.tally[l] = &tally{}
			}
			tallies = append(tallies, o.tally[l])
		}
		for _, t := range tallies {
			t.add(u)
		}
		if u.Blocker != nil {
			o.reasons[rule+": "+u.Blocker.Reason]++
			if *flagReason == u.Blocker.Reason {
				o.Logf("seed %d (%s %s %s %v): %s: %s", tr.prog.seed, tr.opts.KeyStyle, tr.opts.Accessors, tr.opts.KeyPackage, tr.opts.Load.Platforms, u.ID, u.Blocker.Message)
			}
		}
	}
}

// failure reports a failed trial with the smallest program that fails.
func (o *oracle) failure(dir string, tr *trial) {
	o.mu.Lock()
	o.failed++
	enough := o.failed > *flagFail
	o.mu.Unlock()
	if enough {
		return
	}
	small, drop := tr, map[string]bool{}
	if tr.prog.err == nil && kindOf(tr.failures[0]) != "the generated program has errors" {
		small, drop = o.shrink(dir, tr)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %s\n", tr.prog.seed, strings.Join(small.failures, "\n"))
	fmt.Fprintf(&b, "smallest program, without %v, accessors %s, key style %s:\n", slices.Sorted(maps.Keys(drop)), small.opts.Accessors, small.opts.KeyStyle)
	for _, name := range small.prog.names() {
		if name != "internal/probe/probe.go" {
			fmt.Fprintf(&b, "-- %s --\n%s", name, small.prog.files[name])
		}
	}
	for _, u := range small.units {
		status := string(u.Applicability)
		if u.Blocker != nil {
			status = "blocked: " + u.Blocker.Reason + ": " + u.Blocker.Message
		}
		fmt.Fprintf(&b, "unit %s: %s\n", u.ID, status)
	}
	for _, name := range slices.Sorted(maps.Keys(small.after)) {
		if small.after[name] != small.prog.files[name] {
			fmt.Fprintf(&b, "-- after %s --\n%s", name, small.after[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(small.review)) {
		if small.review[name] != small.prog.files[name] {
			fmt.Fprintf(&b, "-- review %s --\n%s", name, small.review[name])
		}
	}
	if *flagKeep {
		keep, err := os.MkdirTemp("", fmt.Sprintf("oracle-%d-", tr.prog.seed))
		if err == nil {
			for name, files := range map[string]map[string]string{"before": small.prog.files, "after": small.after, "review": small.review} {
				if files != nil {
					_ = writeTree(filepath.Join(keep, name), files)
				}
			}
			var archive strings.Builder
			for _, name := range small.prog.names() {
				fmt.Fprintf(&archive, "-- %s --\n%s", name, small.prog.files[name])
			}
			_ = os.WriteFile(filepath.Join(keep, "program.txtar"), []byte(archive.String()), 0o666)
			fmt.Fprintf(&b, "kept in %s\n", keep)
		}
	}
	o.Error(b.String())
}

// shrinking is how long a program may be made smaller.
const shrinking = 2 * time.Minute

// shrink leaves out atoms as long as the program fails in the same way.
func (o *oracle) shrink(dir string, tr *trial) (*trial, map[string]bool) {
	drop := map[string]bool{}
	want, begun := kindOf(tr.failures[0]), time.Now()
	best := tr
	for changed := true; changed; {
		changed = false
		for _, atom := range slices.Clone(best.prog.atoms) {
			if drop[atom] || time.Since(begun) > shrinking {
				continue
			}
			try := maps.Clone(drop)
			try[atom] = true
			sub := filepath.Join(dir, "shrink")
			os.RemoveAll(sub)
			if os.MkdirAll(sub, 0o777) != nil {
				return best, drop
			}
			smaller := o.try(sub, tr.prog.seed, try)
			if err := o.tc.finish(sub, []*trial{smaller}); err != nil {
				continue
			}
			if len(smaller.failures) > 0 && kindOf(smaller.failures[0]) == want {
				best, drop, changed = smaller, try, true
			}
		}
	}
	return best, drop
}

// kindOf returns the part of a failure that says what kind it is.
func kindOf(s string) string {
	s, _, _ = strings.Cut(s, ":")
	s, _, _ = strings.Cut(s, " (")
	return s
}

// report prints what was tried, and fails when too little was fixed.
func (o *oracle) report() {
	sum := o.total.fixed + o.total.review + o.total.blocked
	elapsed := time.Since(o.start)
	o.Logf("%d programs in %v (%.0f per minute), %d units: %d fixed, %d for review, %d blocked", o.tried, elapsed.Round(time.Second), float64(o.tried)/elapsed.Minutes(), sum, o.total.fixed, o.total.review, o.total.blocked)
	for _, l := range slices.Sorted(maps.Keys(o.tally)) {
		t := o.tally[l]
		o.Logf("%5d fixed %5d review %5d blocked  %s", t.fixed, t.review, t.blocked, l)
	}
	for _, r := range slices.Sorted(maps.Keys(o.rules)) {
		o.Logf("%5d fixed %5d review %5d blocked  rule %s", o.rules[r].fixed, o.rules[r].review, o.rules[r].blocked, r)
	}
	if o.kind.review {
		o.Logf("%5d mended %5d blocked %5d without a finding: places where contexts are lost; %d lines that print something else", o.places.review, o.places.blocked, o.unnoticed, o.mended)
	} else {
		o.Logf("%5d fixed %5d review %5d blocked %5d without a finding: maps that should become structs", o.records.fixed, o.records.review, o.records.blocked, o.unseen)
		o.Logf("%5d groups of lines mended at level review, %d programs cut short by a panic", o.mended, o.aborted)
	}
	for _, r := range slices.Sorted(maps.Keys(o.reasons)) {
		o.Logf("%5d blocked: %s", o.reasons[r], r)
	}
	if b := o.rules["builtinkey"]; *flagOnly == 0 && b != nil && b.fixed < b.review+b.blocked {
		o.Errorf("only %d of %d keys of built-in type are fixed at level safe", b.fixed, b.fixed+b.review+b.blocked)
	}
	for _, r := range slices.Sorted(maps.Keys(o.rules)) {
		if t := o.rules[r]; o.kind.review && *flagOnly == 0 && t.fixed+t.review < t.blocked {
			o.Errorf("%s: only %d of %d units are fixed", r, t.fixed+t.review, t.fixed+t.review+t.blocked)
		}
	}
	if done := o.records.fixed + o.records.review; *flagOnly == 0 && done < o.records.blocked+o.unseen {
		o.Errorf("only %d maps of %d that should become structs can", done, done+o.records.blocked+o.unseen)
	}
}
