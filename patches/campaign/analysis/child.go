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
	// maxAnswer bounds what is read of all answers of a child.
	maxAnswer = 512 << 20
	// maxSaid bounds what is kept of the child's complaints.
	maxSaid = 64 << 10
)

// A Child is a [campaign.Analyser] that starts a child process for each analysis. Its fields may not change after its first use.
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
	// Temp is where directories for children are made, "" for the system's: one that is tidied up when this process has been killed.
	Temp string

	once sync.Once
	env  []string
	err  error
}

var _ campaign.Analyser = (*Child)(nil)

// Analyse says what could be done about a clone, and plans each of the lists of units that want returns, as if it were the only one.
func (c *Child) Analyse(ctx context.Context, dir string, opts campaign.AnalysisOptions, want func(*campaign.Analysis) [][]string) (*campaign.Analysis, []*campaign.Patch, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, nil, err
	}
	if dir, err = filepath.EvalSymlinks(dir); err != nil {
		return nil, nil, err
	}
	c.once.Do(func() { c.env, c.err = goEnvironment(ctx, c.Env) })
	if c.err != nil {
		return nil, nil, c.err
	}
	home, err := os.MkdirTemp(c.Temp, "ctxmend-analysis-")
	if err != nil {
		return nil, nil, err
	}
	defer os.RemoveAll(home)
	env, err := childEnvironment(c.env, home)
	if err != nil {
		return nil, nil, err
	}
	t, err := c.start(ctx, home, env)
	if err != nil {
		return nil, nil, err
	}
	found, patches, err := t.have(&Request{Dir: dir, Options: opts, Memory: t.memory, Jobs: c.Jobs}, want)
	cost, err := t.end(err)
	if err != nil {
		return nil, nil, err
	}
	found.Cost = cost
	return found, patches, nil
}

// A talk is what is said with one child.
type talk struct {
	ctx    context.Context // of who asks
	timed  context.Context // ends with it, and when the child takes too long
	cancel context.CancelCauseFunc
	timer  *time.Timer
	limit  time.Duration // of what is under way
	memory int64

	cmd        *exec.Cmd
	say        io.WriteCloser
	heard      *io.PipeReader
	hear       *io.LimitedReader // at most what is left of maxAnswer
	answers    *json.Decoder
	complaints *bounded
	ended      chan error
}

// errSlow is why a child is ended that takes too long.
var errSlow = errors.New("out of time")

// start starts a child, which waits for a question.
func (c *Child) start(ctx context.Context, home string, env []string) (t *talk, err error) {
	program := c.Program
	if program == "" {
		if program, err = os.Executable(); err != nil {
			return nil, err
		}
	}
	t = &talk{ctx: ctx, limit: cmp.Or(c.Time, defaultTime), memory: cmp.Or(c.Memory, defaultMemory), complaints: &bounded{max: maxSaid}, ended: make(chan error, 1)}
	t.timed, t.cancel = context.WithCancelCause(ctx)
	t.cmd = exec.CommandContext(t.timed, program, Command)
	t.cmd.Dir, t.cmd.Env = home, env
	group(t.cmd)
	t.cmd.WaitDelay = 10 * time.Second
	if t.say, err = t.cmd.StdinPipe(); err != nil {
		t.cancel(err)
		return nil, err
	}
	// What the child says comes to us through exec's own pipe, which is closed even if what the child has started holds its other end.
	heard, hears := io.Pipe()
	t.heard, t.hear = heard, &io.LimitedReader{R: heard, N: maxAnswer}
	t.answers = json.NewDecoder(t.hear)
	t.cmd.Stdout, t.cmd.Stderr = hears, t.complaints
	if err := t.cmd.Start(); err != nil {
		t.cancel(err)
		return nil, err
	}
	t.timer = time.AfterFunc(t.limit, func() { t.cancel(errSlow) })
	go func() {
		err := t.cmd.Wait()
		hears.Close()
		t.ended <- err
	}()
	return t, nil
}

// have has the whole talk.
func (t *talk) have(request *Request, want func(*campaign.Analysis) [][]string) (*campaign.Analysis, []*campaign.Patch, error) {
	answer, err := t.ask(request)
	if err != nil {
		return nil, nil, err
	}
	found := answer.Analysis
	if found == nil {
		return nil, nil, errors.New("the analysis gave no answer")
	}
	var shards [][]string
	if want != nil {
		shards = want(found)
	}
	if len(shards) == 0 {
		return found, nil, nil
	}
	t.limit += time.Duration(len(shards)) * t.limit / 15
	if t.timer.Stop() {
		t.timer.Reset(t.limit)
	}
	if answer, err = t.ask(&Plan{Shards: shards}); err != nil {
		return nil, nil, err
	}
	if len(answer.Patches) != len(shards) {
		return nil, nil, fmt.Errorf("the analysis gave %d answers to %d questions", len(answer.Patches), len(shards))
	}
	for _, p := range answer.Patches {
		for _, change := range p.Changes {
			if !filepath.IsLocal(filepath.FromSlash(change.Name)) {
				return nil, nil, fmt.Errorf("%w: a fix would write to %q", campaign.ErrHostile, change.Name)
			}
		}
	}
	return found, answer.Patches, nil
}

// errSilent means that the child has ended, and said nothing.
var errSilent = errors.New("no answer")

// ask asks, and waits for the answer.
func (t *talk) ask(question any) (*Answer, error) {
	text, err := json.Marshal(question)
	if err != nil {
		return nil, err
	}
	_, _ = t.say.Write(append(text, '\n')) // whoever does not listen does not answer either
	answer := new(Answer)
	err = t.answers.Decode(answer)
	switch {
	case err == nil:
		return answer, answer.Fault.error()
	case t.hear.N <= 0:
		return nil, fmt.Errorf("%w: the analysis has more to say than %d MB", campaign.ErrTooLarge, maxAnswer>>20)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errSilent
	}
	return nil, fmt.Errorf("the analysis gave an answer that cannot be read: %w", err)
}

// end ends the child, and says what it took and what came of the talk with it.
func (t *talk) end(outcome error) (cost campaign.Cost, err error) {
	slow := errors.Is(context.Cause(t.timed), errSlow)
	t.timer.Stop()
	t.cancel(nil) // it has nothing more to say, or nobody wants to hear it
	t.heard.Close()
	err = <-t.ended
	if state := t.cmd.ProcessState; state != nil {
		cost.CPU, cost.Memory = state.UserTime()+state.SystemTime(), maxMemory(state)
	}
	switch {
	case outcome == nil:
		return cost, nil
	case t.ctx.Err() != nil:
		return cost, t.ctx.Err()
	case slow:
		return cost, fmt.Errorf("%w: the analysis took longer than %s", campaign.ErrTooLarge, t.limit)
	case errors.Is(outcome, errSilent):
		return cost, ending(err, t.complaints.String(), cost.Memory, t.memory)
	}
	return cost, outcome
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
	if first == "" && err != nil {
		first = err.Error()
	}
	return fmt.Errorf("the analysis ended without an answer: %s", cmp.Or(first, "it said nothing"))
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

// Listen is the child's side: it reads the question from r, bounds the process by it, and returns a context that ends when nobody waits
// any more; then the process and all that it has started end, too. What is to be planned comes through the channel.
func Listen(ctx context.Context, r io.Reader) (context.Context, *Request, <-chan *Plan, error) {
	dec := json.NewDecoder(r)
	request := new(Request)
	if err := dec.Decode(request); err != nil {
		return ctx, nil, nil, fmt.Errorf("the question cannot be read: %w", err)
	}
	if !filepath.IsAbs(request.Dir) {
		return ctx, nil, nil, fmt.Errorf("the question names no absolute directory: %q", request.Dir)
	}
	if err := limitMemory(request.Memory); err != nil {
		return ctx, nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	plans := make(chan *Plan, 1)
	go func() {
		plan := new(Plan)
		if err := dec.Decode(plan); err == nil {
			plans <- plan
			_, _ = io.Copy(io.Discard, io.MultiReader(dec.Buffered(), r))
		}
		cancel()
		endGroup()
	}()
	return ctx, request, plans, nil
}
