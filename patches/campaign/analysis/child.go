package analysis

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// What an analysis may take where nothing is said.
const (
	defaultTime   = 15 * time.Minute
	defaultMemory = 4 << 30
	// maxAnswer bounds what is read of an answer.
	maxAnswer = 512 << 20
	// maxSaid bounds what is kept of the child's complaints.
	maxSaid = 64 << 10
)

// A Child is a [campaign.Analyser] that starts a child process for each question. Its fields may not change after its first use.
type Child struct {
	// Program is the executable to start; "" is the one that runs.
	Program string
	// Env is the environment that tells where Go, its caches and its proxy are. Nothing else of it reaches the child.
	Env []string
	// Time and Memory bound one analysis; 0 stands for fifteen minutes and 4 GiB. Each shard that is to be planned gets a fifteenth of the
	// time more.
	Time   time.Duration
	Memory int64
	// Jobs is how many packages are worked on at a time; 0 means as many as there are processors.
	Jobs int

	once sync.Once
	env  []string
	err  error
}

var _ campaign.Analyser = (*Child)(nil)

// Analyse says what could be done about a clone.
func (c *Child) Analyse(ctx context.Context, dir string, opts campaign.AnalysisOptions) (*campaign.Analysis, error) {
	answer, cost, err := c.ask(ctx, &Request{Dir: dir, Options: opts})
	if err != nil {
		return nil, err
	}
	if answer.Analysis == nil {
		return nil, errors.New("the analysis gave no answer")
	}
	answer.Analysis.Cost = cost
	return answer.Analysis, nil
}

// Patch plans the units named, alone.
func (c *Child) Patch(ctx context.Context, dir string, opts campaign.AnalysisOptions, units []string) (*campaign.Patch, error) {
	patches, err := c.Patches(ctx, dir, opts, [][]string{units})
	if err != nil {
		return nil, err
	}
	return patches[0], nil
}

// Patches is Patch for several lists of units, each planned and verified as if it were the only one. The clone is read
// once. The cost of each is that of all.
func (c *Child) Patches(ctx context.Context, dir string, opts campaign.AnalysisOptions, shards [][]string) ([]*campaign.Patch, error) {
	if len(shards) == 0 {
		return nil, nil
	}
	answer, cost, err := c.ask(ctx, &Request{Dir: dir, Options: opts, Shards: shards})
	if err != nil {
		return nil, err
	}
	if len(answer.Patches) != len(shards) {
		return nil, fmt.Errorf("the analysis gave %d answers to %d questions", len(answer.Patches), len(shards))
	}
	for _, p := range answer.Patches {
		p.Cost = cost
		for _, change := range p.Changes {
			if !filepath.IsLocal(filepath.FromSlash(change.Name)) {
				return nil, fmt.Errorf("%w: a fix would write to %q", campaign.ErrHostile, change.Name)
			}
		}
	}
	return answer.Patches, nil
}

// ask starts a child and waits for its answer.
func (c *Child) ask(ctx context.Context, request *Request) (*Answer, campaign.Cost, error) {
	var cost campaign.Cost
	dir, err := filepath.Abs(request.Dir)
	if err != nil {
		return nil, cost, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, cost, err
	}
	request.Dir, request.Memory, request.Jobs = dir, cmp.Or(c.Memory, defaultMemory), c.Jobs
	c.once.Do(func() { c.env, c.err = goEnvironment(ctx, c.Env) })
	if c.err != nil {
		return nil, cost, c.err
	}
	home, err := os.MkdirTemp("", "ctxmend-analysis-")
	if err != nil {
		return nil, cost, err
	}
	defer os.RemoveAll(home)
	env, err := childEnvironment(c.env, home)
	if err != nil {
		return nil, cost, err
	}
	limit := cmp.Or(c.Time, defaultTime)
	limit += time.Duration(len(request.Shards)) * limit / 15
	timed, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	out, said, cost, err := c.run(timed, home, env, request)
	switch {
	case ctx.Err() != nil:
		return nil, cost, ctx.Err()
	case timed.Err() != nil:
		return nil, cost, fmt.Errorf("%w: the analysis took longer than %s", campaign.ErrTooLarge, limit)
	case len(out) > maxAnswer:
		return nil, cost, fmt.Errorf("%w: the analysis has more to say than %d MB", campaign.ErrTooLarge, maxAnswer>>20)
	case err != nil:
		return nil, cost, ending(err, said, cost.Memory, request.Memory)
	}
	answer := new(Answer)
	if err := json.Unmarshal(out, answer); err != nil {
		return nil, cost, fmt.Errorf("the analysis gave an answer that cannot be read: %w", err)
	}
	return answer, cost, answer.Fault.error()
}

// run runs the child to its end.
func (c *Child) run(ctx context.Context, home string, env []string, request *Request) (out []byte, said string, cost campaign.Cost, err error) {
	question, err := json.Marshal(request)
	if err != nil {
		return nil, "", cost, err
	}
	program := c.Program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return nil, "", cost, err
		}
	}
	cmd := exec.CommandContext(ctx, program, Command)
	cmd.Dir, cmd.Env = home, env
	group(cmd)
	cmd.WaitDelay = 10 * time.Second
	// The pipe stays open until the end: a child that finds it closed has nobody to answer.
	ask, err := cmd.StdinPipe()
	if err != nil {
		return nil, "", cost, err
	}
	defer ask.Close()
	answer, complaints := &bounded{max: maxAnswer + 1}, &bounded{max: maxSaid}
	cmd.Stdout, cmd.Stderr = answer, complaints
	if err := cmd.Start(); err != nil {
		return nil, "", cost, err
	}
	if _, err := ask.Write(append(question, '\n')); err != nil {
		_ = cmd.Cancel()
	}
	err = cmd.Wait()
	if state := cmd.ProcessState; state != nil {
		cost.CPU, cost.Memory = state.UserTime()+state.SystemTime(), maxMemory(state)
	}
	return answer.Bytes(), complaints.String(), cost, err
}

// ending says why a child ended without an answer.
func ending(err error, said string, used, limit int64) error {
	first := ""
	for line := range strings.Lines(said) {
		if first = strings.TrimSpace(line); first != "" {
			break
		}
	}
	switch {
	// A program that gets no more memory does not always find words for it.
	case strings.Contains(said, "out of memory"), strings.Contains(said, "cannot allocate memory"), strings.Contains(said, "cannot map pages"), used > limit/2:
		return fmt.Errorf("%w: the analysis needs more memory than %d MB", campaign.ErrTooLarge, limit>>20)
	case strings.Contains(said, "stack exceeds"):
		return fmt.Errorf("%w: the program is nested too deeply", campaign.ErrTooLarge)
	}
	return fmt.Errorf("the analysis ended without an answer: %s", cmp.Or(first, err.Error()))
}

func (f *Fault) error() error {
	if f == nil {
		return nil
	}
	switch f.Kind {
	case Unfit:
		return fmt.Errorf("%w: %s", campaign.ErrUnfit, f.Message)
	case Hostile:
		return fmt.Errorf("%w: %s", campaign.ErrHostile, f.Message)
	}
	return errors.New(f.Message)
}

// bounded keeps the beginning of what is written to it.
type bounded struct {
	bytes.Buffer
	max int
}

// Write never fails, so that whoever writes is not kept waiting.
func (b *bounded) Write(p []byte) (int, error) {
	if room := b.max - b.Len(); room > 0 {
		b.Buffer.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

// ReadRequest is the child's side: it reads the question from r, bounds the process by it, and returns a context that ends when nobody waits
// any more; then the process and all that it has started end, too.
func ReadRequest(ctx context.Context, r io.Reader) (context.Context, *Request, error) {
	dec := json.NewDecoder(r)
	request := new(Request)
	if err := dec.Decode(request); err != nil {
		return ctx, nil, fmt.Errorf("the question cannot be read: %w", err)
	}
	if !filepath.IsAbs(request.Dir) {
		return ctx, nil, fmt.Errorf("the question names no absolute directory: %q", request.Dir)
	}
	if err := limitMemory(request.Memory); err != nil {
		return ctx, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	go func() {
		_, _ = io.Copy(io.Discard, io.MultiReader(dec.Buffered(), r))
		cancel()
		endGroup()
	}()
	return ctx, request, nil
}
