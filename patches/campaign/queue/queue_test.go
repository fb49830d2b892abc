package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// A stage is a world and a database in which campaigns are run.
type stage struct {
	*testing.T
	world    *world
	database string
	config   string
}

const plainConfig = `
name: keys
forge: {kind: github}
targets: {organization: shop}
`

func newStage(t *testing.T, config string, names ...string) *stage {
	t.Helper()
	return &stage{T: t, world: newWorld(names...), database: databaseFor(t), config: config}
}

// databaseFor is a file of SQLite.
func databaseFor(t *testing.T) string { return filepath.Join(t.TempDir(), "ctxmend.db") }

// start makes a process that knows the world only by its words.
func (s *stage) start() (*DB, *Worker, *campaign.Engine) {
	s.Helper()
	db, err := Open(s.Context(), s.database)
	if err != nil {
		s.Fatal(err)
	}
	cfg, err := campaign.Parse([]byte(s.config), []string{"builtinkey"})
	if err != nil {
		s.Fatal(err)
	}
	e := &campaign.Engine{Config: cfg, Forge: s.world, Git: s.world, Analyser: s.world, Work: s.TempDir(), Now: time.Now}
	w, err := db.NewWorker(Options{Jobs: 2, RetryAfter: time.Millisecond, Engine: func(context.Context, Stored) (*campaign.Engine, error) { return e, nil }})
	if err != nil {
		s.Fatal(err)
	}
	w.claimFor = 100 * time.Millisecond
	return db, w, e
}

// run runs a command of a campaign in a process of its own; when that is killed the error says so.
func (s *stage) run(mode campaign.Mode) error {
	s.Helper()
	db, w, e := s.start()
	defer db.Close()
	s.world.mu.Lock()
	s.world.killed = false
	s.world.kill = func() {
		w.endFor.Store(int64(time.Millisecond))
		db.sql.Close() // nothing is stored any more
	}
	s.world.mu.Unlock()
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	err := func() error {
		if mode == campaign.ModeClose {
			if err := w.Withdraw(ctx, "keys"); err != nil {
				return err
			}
			return w.Run(ctx, true)
		}
		targets, err := e.Targets(ctx)
		if err != nil {
			return err
		}
		if err := w.Begin(ctx, Stored{Name: "keys", Mode: mode, Config: s.config}, targets); err != nil {
			return err
		}
		return w.Run(ctx, true)
	}()
	if ctx.Err() != nil {
		s.Fatalf("%s does not come to an end", mode)
	}
	return err
}

// must runs a command that is not killed.
func (s *stage) must(mode campaign.Mode) {
	s.Helper()
	if err := s.run(mode); err != nil {
		s.Fatalf("%s: %v", mode, err)
	}
}

// states are the states of all changes: "shop/a open, shop/b planned".
func (s *stage) states() string {
	s.Helper()
	db, _, _ := s.start()
	defer db.Close()
	repositories, changes, err := db.Load(s.Context(), "keys")
	if err != nil {
		s.Fatal(err)
	}
	var list []string
	for _, r := range repositories {
		text := r.Name + " " + string(r.State)
		for _, c := range changes {
			if c.Repository == r.Name {
				text = r.Name + " " + string(c.State)
			}
		}
		list = append(list, text)
	}
	return strings.Join(list, ", ")
}

func (s *stage) expect(want string) {
	s.Helper()
	if got := s.states(); got != want {
		s.Errorf("states are %s, want %s", got, want)
	}
}

// TestKilledAtEveryWord kills the process before and after everything it says to git, to the forge and to the analysis, and
// lets another one go on: there is one branch and one pull request, however often that happens.
func TestKilledAtEveryWord(t *testing.T) {
	kills := 0
	for at := 1; ; at++ {
		s := newStage(t, plainConfig, "shop/a")
		s.world.killAt = at
		err := s.run(campaign.ModeRun)
		if s.world.words < at {
			break // it was over before
		}
		if kills++; err == nil && !s.world.killed {
			t.Fatalf("nothing was killed at word %d", at)
		}
		s.must(campaign.ModeRun)
		s.expect("shop/a open")
		r := s.world.repos["shop/a"]
		if len(r.branches) != 1 || len(r.pulls) != 1 || s.world.count("push shop/a") != 1 {
			t.Errorf("killed at word %d: %d branches, %d pull requests, pushed %d times", at, len(r.branches), len(r.pulls), s.world.count("push shop/a"))
		}
		if t.Failed() {
			t.Fatalf("%v", s.world.log)
		}
	}
	if kills < 20 {
		t.Errorf("only %d words were said", kills)
	}
}

// TestPlanTellsNobody: plan changes nothing on the forge.
func TestPlanTellsNobody(t *testing.T) {
	s := newStage(t, plainConfig, "shop/a", "shop/b")
	s.world.repos["shop/b"].archived = true
	s.must(campaign.ModePlan)
	s.expect("shop/a verified, shop/b skipped")
	if len(s.world.log) != 0 {
		t.Errorf("plan did %v", s.world.log)
	}
	s.must(campaign.ModeRun)
	s.expect("shop/a open, shop/b skipped")
}

// TestLostDatabase: a campaign whose database is gone finds what it has opened.
func TestLostDatabase(t *testing.T) {
	s := newStage(t, plainConfig, "shop/a")
	s.must(campaign.ModeRun)
	s.database = databaseFor(t)
	s.must(campaign.ModeRun)
	s.expect("shop/a open")
	if r := s.world.repos["shop/a"]; len(r.pulls) != 1 || len(r.branches) != 1 || s.world.count("open shop/a") != 1 {
		t.Errorf("there are %d pull requests and %d branches", len(r.pulls), len(r.branches))
	}
}

// TestClosedMeansNo: a pull request that people close is not opened again, also when everything about it changes, or the
// database is lost.
func TestClosedMeansNo(t *testing.T) {
	s := newStage(t, plainConfig, "shop/a")
	s.must(campaign.ModeRun)
	s.world.repos["shop/a"].pulls[0].State = forge.Closed
	s.must(campaign.ModeRun)
	s.expect("shop/a closed")
	s.world.repos["shop/a"].base = "base-2"
	s.must(campaign.ModeRun)
	s.expect("shop/a closed")
	s.database = databaseFor(t)
	s.must(campaign.ModeRun)
	s.expect("shop/a closed")
	if n := len(s.world.repos["shop/a"].pulls); n != 1 {
		t.Errorf("there are %d pull requests", n)
	}
}

// TestBaseMoved: an open pull request is brought up to date, on a commit whose parent is the new tip, and is not doubled.
func TestBaseMoved(t *testing.T) {
	s := newStage(t, plainConfig, "shop/a")
	s.must(campaign.ModeRun)
	r := s.world.repos["shop/a"]
	s.must(campaign.ModeRun)
	if n := s.world.count("push shop/a"); n != 1 {
		t.Errorf("pushed %d times although nothing has changed", n)
	}
	r.base = "base-2"
	s.must(campaign.ModeRun)
	s.expect("shop/a open")
	if n := len(r.pulls); n != 1 {
		t.Fatalf("there are %d pull requests", n)
	}
	if got := r.commits[r.pulls[0].HeadSHA].Parent; got != "base-2" {
		t.Errorf("the branch lies on %s", got)
	}
	if s.world.count("update shop/a") == 0 {
		t.Error("the pull request still speaks of the old commit")
	}
}

// TestForeignCommits: a branch to which somebody has committed is left alone, by run and by close.
func TestForeignCommits(t *testing.T) {
	for _, lost := range []bool{false, true} {
		s := newStage(t, plainConfig, "shop/a")
		s.must(campaign.ModeRun)
		r := s.world.repos["shop/a"]
		branch, ours := r.pulls[0].Head, r.pulls[0].HeadSHA
		r.commits["theirs"] = campaign.Commit{Parent: ours, Name: "Alice", Email: "alice@example.com", Message: "better\n\nCtxmend-Campaign: keys\n"}
		r.branches[branch], r.pulls[0].HeadSHA = "theirs", "theirs"
		if r.base = "base-2"; lost {
			s.database = databaseFor(t)
		}
		s.must(campaign.ModeRun)
		s.expect("shop/a foreign")
		s.must(campaign.ModeClose)
		if r.branches[branch] != "theirs" || r.pulls[0].State != forge.Open {
			t.Errorf("database lost %v: the branch is at %q, the pull request %s", lost, r.branches[branch], r.pulls[0].State)
		}
	}
}

// TestWithdraw: close takes back what is open, once, wherever it is killed, and nothing else.
func TestWithdraw(t *testing.T) {
	for at := 1; ; at++ {
		s := newStage(t, plainConfig, "shop/a", "shop/b", "shop/c")
		s.must(campaign.ModeRun)
		s.world.repos["shop/b"].pulls[0].State = forge.Merged
		s.world.repos["shop/c"].pulls[0].State = forge.Closed
		s.must(campaign.ModeSync)
		before := s.world.words
		s.world.killAt = before + at
		killed := s.run(campaign.ModeClose) != nil || s.world.killed
		s.world.killAt = 0
		s.must(campaign.ModeClose)
		s.expect("shop/a withdrawn, shop/b merged, shop/c closed")
		if r := s.world.repos["shop/a"]; len(r.branches) != 0 || r.pulls[0].State != forge.Closed || s.world.count("close shop/a") != 1 {
			t.Errorf("killed at word %d: %d branches, %s, closed %d times", at, len(r.branches), r.pulls[0].State, s.world.count("close shop/a"))
		}
		if err := s.run(campaign.ModeRun); !errors.Is(err, ErrWithdrawn) {
			t.Fatalf("it can be run again: %v", err)
		}
		if !killed {
			break
		}
	}
}

// TestCanaries go first; the others follow when they are merged, and do not when one is closed.
func TestCanaries(t *testing.T) {
	config := plainConfig + "canary: {repositories: 2}\n"
	s := newStage(t, config, "shop/a", "shop/b", "shop/c", "shop/d")
	s.world.repos["shop/a"].misuse = false
	s.must(campaign.ModeRun)
	s.expect("shop/a analysed, shop/b open, shop/c open, shop/d verified")
	s.world.repos["shop/b"].pulls[0].State = forge.Merged
	s.must(campaign.ModeRun)
	s.expect("shop/a analysed, shop/b merged, shop/c open, shop/d verified")
	s.world.repos["shop/c"].pulls[0].State = forge.Merged
	s.must(campaign.ModeRun)
	s.must(campaign.ModeRun)
	s.expect("shop/a analysed, shop/b merged, shop/c merged, shop/d open")

	s = newStage(t, config, "shop/b", "shop/c", "shop/d")
	s.must(campaign.ModeRun)
	s.world.repos["shop/b"].pulls[0].State = forge.Closed
	s.world.repos["shop/c"].pulls[0].State = forge.Merged
	s.must(campaign.ModeRun)
	s.must(campaign.ModeRun)
	s.expect("shop/b closed, shop/c merged, shop/d verified")
}

// TestLimits: so many are open in an organisation, and no more.
func TestLimits(t *testing.T) {
	var names []string
	for i := range 6 {
		names = append(names, fmt.Sprintf("shop/%d", i))
	}
	s := newStage(t, plainConfig+"limits: {open_per_organization: 2, clones: 3}\n", names...)
	s.must(campaign.ModeRun)
	s.expect("shop/0 open, shop/1 open, shop/2 verified, shop/3 verified, shop/4 verified, shop/5 verified")
	s.world.repos["shop/0"].pulls[0].State = forge.Merged
	s.must(campaign.ModeRun)
	s.must(campaign.ModeRun)
	s.expect("shop/0 merged, shop/1 open, shop/2 open, shop/3 verified, shop/4 verified, shop/5 verified")
}

// TestForgeAsksForPatience: a step that meets a limit is done later, and is no failure.
func TestForgeAsksForPatience(t *testing.T) {
	s := newStage(t, plainConfig, "shop/a")
	s.world.limit = &forge.LimitError{Until: time.Now().Add(2 * time.Second), Cause: errors.New("slow down")}
	begun := time.Now()
	s.must(campaign.ModeRun)
	s.expect("shop/a open")
	if time.Since(begun) < 2*time.Second {
		t.Error("it did not wait")
	}
}

// TestForgeThatFails: a forge that only fails is asked a few times and no more. What waits for it says so, is no failure, and goes on with the
// next run; whoever works on does not drop it.
func TestForgeThatFails(t *testing.T) {
	s := newStage(t, plainConfig, "shop/a")
	s.world.ill = fmt.Errorf("%w: 500", forge.ErrUnavailable)
	for range 2 {
		s.world.asked = 0
		s.must(campaign.ModeRun)
		s.expect("shop/a pushed")
		// Claims are so short here that a step may be taken over while its failure is being stored.
		if s.world.asked < 3 || s.world.asked > 20 {
			t.Errorf("asked %d times, want three", s.world.asked)
		}
	}
	db, _, e := s.start()
	repositories, changes, err := db.Load(t.Context(), "keys")
	if err != nil {
		t.Fatal(err)
	}
	r := campaign.NewReport(e.Config, campaign.ModeRun, repositories, changes, time.Now())
	if c := r.Repositories[0].Changes[0]; r.Summary.Unanswered != 1 || !strings.Contains(c.Waits, "the forge is not available: 500") {
		t.Errorf("%d unanswered, waits %q", r.Summary.Unanswered, c.Waits)
	}
	var later int
	err = db.sql.QueryRowContext(t.Context(), `SELECT count(*) FROM river_job WHERE state = 'scheduled'`).Scan(&later)
	if err := errors.Join(err, db.Close()); err != nil || later != 1 {
		t.Errorf("%d steps are put off: %v", later, err)
	}
	s.world.ill = nil
	s.must(campaign.ModeRun)
	s.expect("shop/a open")
	if n := len(s.world.repos["shop/a"].pulls); n != 1 {
		t.Errorf("%d pull requests", n)
	}
}

// BenchmarkGate looks through a campaign of ten thousand repositories, as workers do now and then.
func BenchmarkGate(b *testing.B) {
	db, err := Open(b.Context(), filepath.Join(b.TempDir(), "ctxmend.db"))
	if err != nil {
		b.Fatal(err)
	}
	defer db.Close()
	cfg, err := campaign.Parse([]byte(plainConfig), nil)
	if err != nil {
		b.Fatal(err)
	}
	l := &rows{versions: map[any]int64{}}
	err = db.in(b.Context(), func(tx *sql.Tx) error {
		for i := range 10000 {
			r := &campaign.Repository{Name: fmt.Sprintf("shop/%05d", i), Order: i, State: campaign.RepositoryAnalysed}
			c := &campaign.Change{Repository: r.Name, Shard: "all", Branch: "ctxmend/keys", State: campaign.ChangeVerified, Title: "mend misuse of context.Context", Units: []string{"a", "b", "c"}}
			if err := errors.Join(l.saveRepository(b.Context(), tx, "keys", r), l.saveChange(b.Context(), tx, "keys", c)); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		repositories, changes, err := db.Load(b.Context(), "keys")
		if err != nil {
			b.Fatal(err)
		}
		if admit, waiting := campaign.Gate(cfg, time.Now(), repositories, changes); len(admit) != cfg.Limits.PerHour || len(admit)+len(waiting) != 10000 {
			b.Fatalf("%d admitted, %d wait", len(admit), len(waiting))
		}
	}
}
