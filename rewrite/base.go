package rewrite

import (
	"context"

	"github.com/ctxmend/ctxmend/rewrite/plan"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A Base is a program as it lies on disk, read once for several runs: parts of what could be done are planned and
// verified one by one, each as if it were the only one.
type Base struct {
	load    program.Options
	program *program.Program
	census  *census.Census
}

// Read loads a program for runs that differ in everything but how it is loaded.
func Read(ctx context.Context, load program.Options) (_ *Base, err error) {
	defer program.Catch(&err)
	if load.Standard == nil {
		load.Standard = new(program.Standard) // for the rounds after the first
	}
	b := &Base{load: load}
	if b.program, err = program.Load(ctx, load); err != nil {
		return nil, err
	}
	program.Doing("the census", func() { b.census, err = census.Build(ctx, b.program) })
	return b, err
}

// Run is the function of that name on what has been read; opts.Load does not count.
func (b *Base) Run(ctx context.Context, opts Options) (_ *Result, err error) {
	defer program.Catch(&err)
	opts.Load = b.load
	res, err := b.round(ctx, opts, nil)
	if err != nil {
		return nil, err
	}
	return res, settleWaiting(ctx, opts, res)
}

// round runs the stages after loading once. With wanted, only the units that it accepts are carried out.
func (b *Base) round(ctx context.Context, opts Options, wanted func(*plan.Unit) bool) (*Result, error) {
	res := &Result{Options: opts, Program: b.program, Census: b.census}
	return res, chooseNames(ctx, res, opts, wanted)
}
