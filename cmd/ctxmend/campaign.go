package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/internal/config"
	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/analysis"
	"github.com/ctxmend/ctxmend/patches/campaign/clone"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
	"github.com/ctxmend/ctxmend/patches/campaign/forge/hosts"
	"github.com/ctxmend/ctxmend/patches/campaign/queue"
	"github.com/ctxmend/ctxmend/patches/campaign/sandbox"
)

// errNoToken means that pull requests are to be opened and nothing says as whom.
var errNoToken = errors.New("no token for the forge")

// errCampaignInterrupted means that a campaign was told to end.
var errCampaignInterrupted = errors.New("interrupted")

// errIncomplete means that a campaign did what it could, and some repositories failed.
var errIncomplete = errors.New("some repositories failed")

// campaignFlags are those of the commands of campaign.
type campaignFlags struct {
	file, queue string
	jobs        int
	noSandbox   bool
	format      choice
	out         string
	wait, watch bool
}

func (a *app) campaignCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "campaign",
		Short: "Carry fixes to many repositories, as pull requests",
		Long: `A campaign carries the fixes of ctxmend to many repositories, as pull requests. A file campaign.yaml says which
repositories and how:

    ctxmend campaign init     # write a campaign.yaml to begin with
    ctxmend campaign plan     # clone and analyse; diffs and texts of pull requests on disk; nobody hears of it
    ctxmend campaign run      # open pull requests; run again, it goes on where it was
    ctxmend campaign status   # what is open, merged, closed, waiting and why
    ctxmend campaign sync     # look again at pull requests and default branches
    ctxmend campaign close    # take back what nobody has answered
    ctxmend campaign worker   # share the work of a campaign on PostgreSQL

What has been done is kept in a database, ctxmend.db beside campaign.yaml or --queue postgres://user@host/name (or
CTXMEND_QUEUE). Nothing of a repository is run, unless verify asks for it; then in a sandbox. This is what campaign.yaml may hold:

` + campaign.Example(),
		Args: cobra.ArbitraryArgs,
		RunE: func(_ *cobra.Command, args []string) error {
			names := []string{"init", "plan", "run", "worker", "status", "sync", "close", "schema"}
			if len(args) == 0 {
				return &usageError{message: "campaign: say what to do with it", next: "ctxmend campaign plan shows what it would do; ctxmend campaign init writes a campaign.yaml"}
			}
			return &usageError{message: fmt.Sprintf("unknown command %q", "campaign "+args[0]), next: didYouMean(args[0], names, "ctxmend campaign --help lists the commands")}
		},
	}
	cmd.AddCommand(a.campaignInit(), a.campaignPlan(), a.campaignRun(), a.campaignWorker(), a.campaignStatus(), a.campaignSync(), a.campaignClose(), a.campaignSchema())
	return cmd
}

// add adds the flags that all have.
func (f *campaignFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&f.file, "file", "f", "campaign.yaml", "the campaign's `file`")
	f.addQueue(cmd)
}

func (f *campaignFlags) addQueue(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.queue, "queue", "", "`database` of the campaign: a file, or postgres://user@host/name (default ctxmend.db beside campaign.yaml)")
}

// addWork adds the flags of commands that do steps.
func (f *campaignFlags) addWork(cmd *cobra.Command) {
	cmd.Flags().IntVar(&f.jobs, "jobs", 0, "work on `n` repositories at once (default limits.clones of campaign.yaml)")
	cmd.Flags().BoolVar(&f.noSandbox, "no-sandbox", false, "run what verify asks for without a sandbox: only for repositories that are trusted")
}

func (f *campaignFlags) addFormat(cmd *cobra.Command) {
	f.format = newChoice("table", "table", "json", "html")
	cmd.Flags().Var(&f.format, "format", "form of the result: table, json or html")
}

// readCampaign reads campaign.yaml.
func (a *app) readCampaign(f *campaignFlags) (*campaign.Config, string, error) {
	name, err := filepath.Abs(a.inDir(f.file))
	if err != nil {
		return nil, "", err
	}
	data, err := os.ReadFile(name)
	if errors.Is(err, os.ErrNotExist) {
		return nil, "", &usageError{message: "there is no " + f.file, next: "ctxmend campaign init writes one; -f names another"}
	} else if err != nil {
		return nil, "", err
	}
	cfg, err := a.parseCampaign(string(data), filepath.Dir(name))
	var wrong config.Errors
	if errors.As(err, &wrong) {
		return nil, "", &campaignError{configError{a.relative(name), wrong}}
	}
	return cfg, string(data), err
}

// A campaignError is what is wrong with a campaign.yaml.
type campaignError struct{ configError }

func (a *app) parseCampaign(text, dir string) (*campaign.Config, error) {
	cfg, err := campaign.Parse([]byte(text), ruleNames(a.rules))
	if err == nil {
		cfg.Dir = dir
	}
	return cfg, err
}

// queueName is the database of a campaign.
func (a *app) queueName(f *campaignFlags, dir string) string {
	name := cmp.Or(f.queue, a.getenv("CTXMEND_QUEUE"))
	switch {
	case name == "":
		return filepath.Join(dir, "ctxmend.db")
	case queue.IsPostgres(name):
		return name
	}
	if abs, err := filepath.Abs(a.inDir(name)); err == nil {
		return abs
	}
	return name
}

// token reads the token of a campaign's forge. It is kept nowhere.
func (a *app) token(cfg *campaign.Config) (forge.Secret, error) {
	if name := cfg.Forge.TokenFile; name != "" {
		if !filepath.IsAbs(name) {
			name = filepath.Join(cfg.Dir, name)
		}
		data, err := os.ReadFile(name)
		return forge.NewSecret(strings.TrimSpace(string(data))), err
	}
	return forge.NewSecret(strings.TrimSpace(a.getenv(cfg.Forge.TokenEnv))), nil
}

// campaignEngine makes what does the steps of a campaign, with its clones below work.
func (a *app) campaignEngine(ctx context.Context, cfg *campaign.Config, f *campaignFlags, work string, publish bool) (*campaign.Engine, error) {
	e := &campaign.Engine{
		Config: cfg, Work: work, Now: now,
		Git:      &clone.Git{Env: a.env},
		Analyser: &analysis.Child{Env: a.env, Temp: work},
	}
	if cfg.Verify.Asks() {
		var err error
		if e.Sandbox, err = a.campaignSandbox(ctx, f); err != nil {
			return nil, err
		}
	}
	if cfg.Forge.Kind == "none" {
		return e, nil
	}
	token, err := a.token(cfg)
	if err != nil {
		return nil, err
	}
	if e.Anonymous = token.Reveal() == ""; e.Anonymous && publish {
		return nil, fmt.Errorf("%w: %s is not set", errNoToken, cmp.Or(cfg.Forge.TokenEnv, "forge.token_file"))
	}
	e.Forge, err = hosts.Open(cfg.Forge.Kind, string(cfg.Forge.URL), token, nil)
	return e, err
}

// campaignSandbox is where commands of repositories run.
func (a *app) campaignSandbox(ctx context.Context, f *campaignFlags) (campaign.Sandbox, error) {
	if f.noSandbox {
		return sandbox.Without(ctx, a.env)
	}
	box, err := sandbox.Open(ctx, a.env)
	if err != nil {
		return nil, err
	}
	clones, err := a.clonesDir()
	if err != nil {
		return nil, err
	}
	box.Seeds = filepath.Join(filepath.Dir(clones), "sandbox")
	return box, nil
}

// clonesDir is where processes keep their clones.
func (a *app) clonesDir() (string, error) {
	if dir := a.cacheDir(); dir != "" {
		return filepath.Join(dir, "campaign"), nil
	}
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "ctxmend", "campaign"), err
}

// A campaignRun is one command at work on a campaign.
type campaignRun struct {
	app      *app
	flags    *campaignFlags
	config   *campaign.Config
	text     string
	db       *queue.DB
	worker   *queue.Worker
	engine   *campaign.Engine
	progress *campaignProgress
	close    func() error
}

// startCampaign opens everything a command needs that does steps. Close gives it back.
func (a *app) startCampaign(ctx context.Context, f *campaignFlags, publish bool) (*campaignRun, error) {
	r := &campaignRun{app: a, flags: f, progress: a.newCampaignProgress()}
	var err error
	if r.config, r.text, err = a.readCampaign(f); err != nil {
		return nil, err
	}
	base, err := a.clonesDir()
	if err != nil {
		return nil, err
	}
	work, remove, err := queue.WorkDir(base)
	if err != nil {
		return nil, err
	}
	r.close = remove
	if r.engine, err = a.campaignEngine(ctx, r.config, f, work, publish); err != nil {
		return nil, errors.Join(err, remove())
	}
	if r.db, err = queue.Open(ctx, a.queueName(f, r.config.Dir)); err != nil {
		return nil, errors.Join(err, remove())
	}
	r.close = func() error { return errors.Join(r.db.Close(), remove()) }
	r.worker, err = r.db.NewWorker(queue.Options{
		Jobs: cmp.Or(f.jobs, r.config.Limits.Clones), Told: r.progress.told,
		Engine: func(ctx context.Context, s queue.Stored) (*campaign.Engine, error) {
			if s.Name == string(r.config.Name) && s.Config == r.text {
				return r.engine, nil
			}
			return a.storedEngine(ctx, s, f, work)
		},
	})
	if err != nil {
		return nil, errors.Join(err, r.close())
	}
	return r, nil
}

// storedEngine makes the engine of a campaign that lies in the database.
func (a *app) storedEngine(ctx context.Context, s queue.Stored, f *campaignFlags, work string) (*campaign.Engine, error) {
	cfg, err := a.parseCampaign(s.Config, s.Dir)
	if err != nil {
		return nil, fmt.Errorf("campaign %s: %w", s.Name, err)
	}
	return a.campaignEngine(ctx, cfg, f, filepath.Join(work, s.Name), s.Mode != campaign.ModePlan)
}

// do begins a campaign in a mode and works until nothing is left that could be done now.
func (r *campaignRun) do(ctx context.Context, mode campaign.Mode) error {
	targets, err := r.engine.Targets(ctx)
	if err != nil {
		return err
	}
	err = r.worker.Begin(ctx, queue.Stored{Name: string(r.config.Name), Mode: mode, Config: r.text, Dir: r.config.Dir}, targets)
	if err != nil {
		return err
	}
	r.progress.total(len(targets))
	defer r.progress.stop()
	return r.worker.Run(ctx, !r.flags.wait)
}

// report loads what is known, with the contents of the changes.
func (r *campaignRun) report(ctx context.Context) (*campaign.Report, error) {
	return loadCampaign(ctx, r.db, r.config, true)
}

func loadCampaign(ctx context.Context, db *queue.DB, cfg *campaign.Config, contents bool) (*campaign.Report, error) {
	s, err := db.Campaign(ctx, string(cfg.Name))
	if err != nil {
		return nil, err
	}
	repositories, changes, err := db.Load(ctx, s.Name)
	if err != nil {
		return nil, err
	}
	for _, c := range changes {
		if contents {
			if err := db.Content(ctx, s.Name, c); err != nil {
				return nil, err
			}
		}
	}
	return campaign.NewReport(cfg, s.Mode, repositories, changes, now()), nil
}

// printCampaign prints a report in the form asked for.
func (a *app) printCampaign(r *campaign.Report, f *campaignFlags) error {
	switch f.format.value {
	case "json":
		return r.WriteJSON(a.stdout)
	case "html":
		return r.WriteHTML(a.stdout)
	}
	return r.WriteTable(a.stdout)
}

// interrupted says of a command on a campaign that what it did is kept.
func interrupted(err error) error {
	if errors.Is(err, context.Canceled) {
		return errCampaignInterrupted
	}
	return err
}

// outcome is the error of a command that did what it could.
func outcome(r *campaign.Report) error {
	if n := r.Summary.Failed; n > 0 {
		return fmt.Errorf("%w: %d of %d", errIncomplete, n, r.Summary.Repositories)
	}
	if n := r.Summary.Unanswered; n > 0 {
		return fmt.Errorf("%w: %s left undone", forge.ErrUnavailable, plural(n, "step"))
	}
	return nil
}
