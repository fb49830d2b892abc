package main

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches/campaign"
	"github.com/ctxmend/ctxmend/patches/campaign/queue"
)

// now is the clock of campaigns.
func now() time.Time { return time.Now() }

// firstCampaign is what campaign init writes: a campaign that is safe to plan.
const firstCampaign = `# What all the settings are: ctxmend campaign --help
name: typed-context-keys

forge:
  kind: github                # or gitlab, gitea, forgejo with url: https://...; none for directories
  token_env: GITHUB_TOKEN     # needed by ctxmend campaign run, not by plan

targets:
  repositories: [owner/name]
  # organization: owner       # all of it

level: safe                   # only fixes that keep behaviour
shard: {by: all}              # one pull request per repository; or unit, rule, owner, directory

limits:
  per_hour: 20
  open_per_repository: 1

canary: {repositories: 3}     # the others wait until these are merged
`

func (a *app) campaignInit() *cobra.Command {
	var flags campaignFlags
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a campaign.yaml to begin with",
		Long: `Init writes a campaign.yaml to begin with. A file that is there is left alone.

The exit code is 0 when it was written and 1 when not.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			f, err := os.OpenFile(a.inDir(flags.file), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			if errors.Is(err, fs.ErrExist) {
				return &fileExistsError{flags.file}
			} else if err != nil {
				return err
			}
			_, err = f.WriteString(firstCampaign)
			if err = errors.Join(err, f.Close()); err == nil {
				a.note("%s is written: say in it which repositories, then ctxmend campaign plan", flags.file)
			}
			return err
		},
	}
	cmd.Flags().StringVarP(&flags.file, "file", "f", "campaign.yaml", "the `file` to write")
	return cmd
}

// A fileExistsError says that a file would be overwritten.
type fileExistsError struct{ name string }

func (e *fileExistsError) Error() string { return e.name + " exists" }

func (a *app) campaignSchema() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of campaign.yaml, for editors",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(campaign.Schema(ruleNames(a.rules)))
			return err
		},
	}
}

func (a *app) campaignPlan() *cobra.Command {
	var flags campaignFlags
	cmd := &cobra.Command{
		Use:   "plan",
		Short: "Say what a campaign would do",
		Long: `Plan clones and analyses the repositories of a campaign, and writes what it would do: a table to the terminal, and to
the directory --out a page report.html, and of every pull request the diff and the body. It changes nothing on any forge.

The exit code is 0, 1 when a repository failed or the plan did, and 2 when campaign.yaml or the arguments are wrong.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCampaign(cmd.Context(), &flags, false, func(ctx context.Context, r *campaignRun) error {
				if err := r.do(ctx, campaign.ModePlan); err != nil {
					return err
				}
				doc, err := r.report(ctx)
				if err != nil {
					return err
				}
				dir := filepath.Join(r.config.Dir, "ctxmend-plan")
				if flags.out != "" {
					if dir, err = filepath.Abs(a.inDir(flags.out)); err != nil {
						return err
					}
				}
				if err := doc.WriteFiles(dir); err != nil {
					return err
				}
				if err := a.printCampaign(doc, &flags); err != nil {
					return err
				}
				a.note("diffs and pull requests: %s", a.relative(filepath.Join(dir, "report.html")))
				return outcome(doc)
			})
		},
	}
	flags.add(cmd)
	flags.addWork(cmd)
	flags.addFormat(cmd)
	cmd.Flags().StringVar(&flags.out, "out", "", "write diffs and pull requests to `directory` (default ctxmend-plan beside campaign.yaml)")
	return cmd
}

// withCampaign runs a command on a campaign and gives back what it held.
func (a *app) withCampaign(ctx context.Context, f *campaignFlags, publish bool, do func(context.Context, *campaignRun) error) (err error) {
	r, err := a.startCampaign(ctx, f, publish)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	return interrupted(do(ctx, r))
}

func (a *app) campaignRun() *cobra.Command {
	var flags campaignFlags
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Carry a campaign out",
		Long: `Run carries a campaign out, as far as limits, window and canaries let it today: it plans what is not planned, pushes
branches and opens pull requests, brings those that are open up to date where their default branch has moved, and says what waits
and why. It can be interrupted or killed at any time and run again: it goes on where it was, and never opens a second pull request.
With --wait it goes on until it is interrupted.

What a forge asks to wait for is waited for, an hour and a half at most. A forge that is not available is asked a few times; what waits for it says so.

A branch to which somebody else has committed is left alone, and a pull request that was closed is not opened again.

The exit code is 0, 1 when a repository failed, the forge was not available or the run failed, and 2 when campaign.yaml or the arguments are wrong.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCampaign(cmd.Context(), &flags, true, func(ctx context.Context, r *campaignRun) error {
				return r.doAndPrint(ctx, campaign.ModeRun)
			})
		},
	}
	flags.add(cmd)
	flags.addWork(cmd)
	flags.addFormat(cmd)
	cmd.Flags().BoolVar(&flags.wait, "wait", false, "go on when nothing can be done now, until interrupted")
	return cmd
}

func (r *campaignRun) doAndPrint(ctx context.Context, mode campaign.Mode) error {
	if err := r.do(ctx, mode); err != nil {
		return err
	}
	doc, err := r.report(ctx)
	if err != nil {
		return err
	}
	if err := r.app.printCampaign(doc, r.flags); err != nil {
		return err
	}
	return outcome(doc)
}

func (a *app) campaignSync() *cobra.Command {
	var flags campaignFlags
	cmd := &cobra.Command{
		Use:   "sync",
		Short: "Look again at pull requests and default branches",
		Long: `Sync looks at all pull requests of a campaign, and analyses the default branches again: what is left there is the progress of
the migration, whoever made it. It pushes and opens nothing.

The exit code is 0, 1 when a repository failed or the command did, and 2 when campaign.yaml or the arguments are wrong.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCampaign(cmd.Context(), &flags, false, func(ctx context.Context, r *campaignRun) error {
				return r.doAndPrint(ctx, campaign.ModeSync)
			})
		},
	}
	flags.add(cmd)
	flags.addWork(cmd)
	flags.addFormat(cmd)
	return cmd
}

func (a *app) campaignClose() *cobra.Command {
	var flags campaignFlags
	cmd := &cobra.Command{
		Use:   "close",
		Short: "Take back what a campaign opened",
		Long: `Close closes the pull requests of a campaign that nobody has answered, with a comment, and removes their branches. Branches with
commits of others are left alone. The campaign is over then; another one needs another name.

The exit code is 0, 1 when something could not be taken back, and 2 when campaign.yaml or the arguments are wrong.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.withCampaign(cmd.Context(), &flags, true, func(ctx context.Context, r *campaignRun) error {
				if err := r.worker.Withdraw(ctx, string(r.config.Name)); err != nil {
					return err
				}
				defer r.progress.stop()
				if err := r.worker.Run(ctx, true); err != nil {
					return err
				}
				doc, err := r.report(ctx)
				if err != nil {
					return err
				}
				if err := a.printCampaign(doc, &flags); err != nil {
					return err
				}
				if n := doc.Summary.Open + doc.Summary.Planned; n > 0 {
					return &leftOpenError{n}
				}
				return nil
			})
		},
	}
	flags.add(cmd)
	flags.addWork(cmd)
	flags.addFormat(cmd)
	return cmd
}

// A leftOpenError says that campaign close could not take everything back.
type leftOpenError struct{ n int }

func (e *leftOpenError) Error() string {
	return plural(e.n, "pull request") + " could not be taken back"
}

func (a *app) campaignStatus() *cobra.Command {
	var flags campaignFlags
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Say where a campaign stands",
		Long: `Status says what is open, merged, closed, red or waiting and why, as of the last run or sync, and how many findings the default
branches had when they were analysed first and last. With --watch it goes on saying so while others work, until nothing is left to be done or it is
interrupted: on a terminal in place, elsewhere as often as something has changed.

The exit code is 0, 1 when it cannot be told, and 2 when campaign.yaml or the arguments are wrong.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if flags.watch && flags.format.value == "html" {
				return &usageError{message: "--watch has no page to show", next: "leave --format html or --watch out"}
			}
			cfg, _, err := a.readCampaign(&flags)
			if err != nil {
				return err
			}
			name := a.queueName(&flags, cfg.Dir)
			if _, err := os.Stat(name); !queue.IsPostgres(name) && err != nil {
				return queue.ErrNoCampaign
			}
			db, err := queue.Open(cmd.Context(), name)
			if err != nil {
				return err
			}
			defer db.Close()
			if flags.watch {
				return a.watchCampaign(cmd.Context(), db, cfg, &flags)
			}
			doc, err := loadCampaign(cmd.Context(), db, cfg, flags.format.value == "html")
			if err != nil {
				return err
			}
			return a.printCampaign(doc, &flags)
		},
	}
	flags.add(cmd)
	flags.addFormat(cmd)
	cmd.Flags().BoolVar(&flags.watch, "watch", false, "go on as the campaign does, until nothing is left to be done")
	return cmd
}

func (a *app) campaignWorker() *cobra.Command {
	var flags campaignFlags
	cmd := &cobra.Command{
		Use:   "worker",
		Short: "Share the work of campaigns",
		Long: `Worker does steps of all campaigns in the database, until it is interrupted. Any number of them on any number of machines share
the work on PostgreSQL; when one is killed the others take over what it was doing. Each needs the token of the forge in its environment.

The exit code is 130 when it was interrupted, and 1 when it failed.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			dir, err := a.workDir()
			if err != nil {
				return err
			}
			base, err := a.clonesDir()
			if err != nil {
				return err
			}
			work, remove, err := queue.WorkDir(base)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, remove()) }()
			db, err := queue.Open(cmd.Context(), a.queueName(&flags, dir))
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			progress := a.newCampaignProgress()
			w, err := db.NewWorker(queue.Options{
				Jobs: max(flags.jobs, 1), Told: progress.told,
				Engine: func(ctx context.Context, s queue.Stored) (*campaign.Engine, error) {
					return a.storedEngine(ctx, s, &flags, work)
				},
			})
			if err != nil {
				return err
			}
			a.note("working; interrupt it to end it")
			return interrupted(w.Run(cmd.Context(), flags.wait))
		},
	}
	flags.addQueue(cmd)
	flags.addWork(cmd)
	cmd.Flags().BoolVar(&flags.wait, "until-idle", false, "end when nothing is left that could be done now")
	return cmd
}
