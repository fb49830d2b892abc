package plan

import (
	"cmp"
	"go/ast"
	"go/token"
	"go/types"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/callgraph"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/supply"
)

// A sigPlan adds a parameter to functions and passes it on at every call. First it is settled which functions
// change: the targets with what is linked to them, and callers that have to hand the value down. Then what each call
// passes, then names, and only then text.
type sigPlan struct {
	*draft
	in *rules.AddParam
	g  *callgraph.Graph
	// changed holds the functions that get the parameter.
	changed map[*callgraph.Func]*newParam
	order   []*newParam
	// asking are those of them whose calls are still to be looked at.
	asking []*newParam
	// named are context parameters without a name that get one.
	named map[*ast.Field]*newParam
	// passes are the calls that pass the parameter, in the order in which they were found.
	passes []*pass
	// classes caches classOf, reaches whether a value can come to a function from above.
	classes map[*callgraph.Func]*class
	reaches map[*callgraph.Func]bool
	// starts are the calls that give the context to goroutines.
	starts map[*callgraph.Call]*supply.Start
	// given are what calls pass that have a value of their own.
	given map[*callgraph.Call]Text
}

// A newParam is the parameter of one function.
type newParam struct {
	f *callgraph.Func
	// twin is the name of the function beside an exported one that takes the parameter; "" where the function
	// itself does.
	twin string
	// reused is the parameter that is there already and lacks a name.
	reused *ast.Field
	// name is the parameter's name, "_" when nothing uses it.
	name string
	// uses are the places in the body that name it.
	uses []token.Pos
	// asked is set for what needs the value, or may run what does, and does not only change with it.
	asked bool
	// target is set when a rule wants it.
	target *rules.ParamTarget
	// edits are what a local variable of the same name needs.
	locals []*adopted
	// replaced are the places of variables that the parameter replaces as a whole, gone the expressions in its place.
	replaced []token.Pos
	gone     []ast.Expr
}

// A pass is a call that passes the parameter.
type pass struct {
	call *callgraph.Call
	// to is what is called.
	to *newParam
	// from is the caller's parameter that it passes, source a context in scope; neither where the value is made.
	from   *newParam
	source *flow.Source
	// detached is set for a call that goes on when its caller has returned.
	detached bool
}

// addParam carries out the intent.
func (d *draft) addParam(in *rules.AddParam) error {
	sp, err := d.signatures(in)
	if err != nil {
		return err
	}
	if err := sp.choosePasses(); err != nil {
		return err
	}
	sp.chooseNames()
	if err := sp.write(); err != nil {
		return err
	}
	sp.describe()
	return nil
}

// signatures settles which functions change.
func (d *draft) signatures(in *rules.AddParam) (*sigPlan, error) {
	sp := &sigPlan{
		draft: d, in: in, g: in.Supply.Calls, changed: map[*callgraph.Func]*newParam{}, named: map[*ast.Field]*newParam{},
		classes: map[*callgraph.Func]*class{}, reaches: map[*callgraph.Func]bool{}, starts: map[*callgraph.Call]*supply.Start{},
	}
	for _, s := range in.Starts {
		sp.starts[s.Call] = s
	}
	if err := sp.startsBlocked(); err != nil {
		return nil, err
	}
	for _, t := range in.Targets {
		if sp.changed[t.Func] == nil {
			c := sp.classOf(t.Func)
			if c.err != nil {
				return nil, c.err
			}
			if !in.Everywhere && !sp.reached(t.Func) {
				return nil, sp.wayBlocked(t.Func)
			}
			sp.change(c)
		}
		sp.changed[t.Func].want(t)
		sp.ask(sp.changed[t.Func])
	}
	for i := 0; i < len(sp.asking) && !in.Only; i++ {
		to := sp.asking[i]
		for _, call := range to.f.Calls {
			if (to.twin == "" || call.Named) && (to.asked || !call.Named) {
				sp.extend(call)
			}
		}
	}
	for _, t := range in.Also {
		if p := sp.changed[t.Func]; p != nil {
			p.want(t)
		}
	}
	return sp, nil
}

// want notes what a rule wants of a function.
func (p *newParam) want(t *rules.ParamTarget) {
	if p.target == nil {
		p.target = t
		return
	}
	merged := *p.target
	merged.Uses = append(slices.Clone(merged.Uses), t.Uses...)
	p.target = &merged
}

// change notes that the functions of a class get the parameter.
func (sp *sigPlan) change(c *class) {
	for _, f := range c.funcs {
		if sp.changed[f] != nil {
			continue
		}
		p := &newParam{f: f, name: "_", twin: c.twin, reused: sp.blankParam(f)}
		sp.changed[f] = p
		sp.order = append(sp.order, p)
		sp.asking = append(sp.asking, p)
		p.asked = f.Kind != callgraph.Declared || !sp.isContext()
	}
}

// ask notes that the callers of a function are to pass the value, if they can come by it. A function that only changes with
// another one, as the methods of a fake do, does nothing with it: where it is called by its name, any context will do.
func (sp *sigPlan) ask(p *newParam) {
	if !p.asked {
		p.asked = true
		sp.asking = append(sp.asking, p)
	}
}

// blankParam returns a function's parameter of the wanted type, in the wanted place, that has no name.
func (sp *sigPlan) blankParam(f *callgraph.Func) *ast.Field {
	if f.Type == nil || len(f.Type.Params.List) == 0 || sp.index(f) != 0 || sp.in.Param.Type != nil {
		return nil
	}
	field := f.Type.Params.List[0]
	if len(field.Names) > 1 || len(field.Names) == 1 && field.Names[0].Name != "_" || !flow.IsContext(f.Pkg.Info.TypeOf(field.Type)) {
		return nil
	}
	return field
}

// extend gives the parameter to the function around a call that has nothing to pass, if the value can come from
// there.
func (sp *sigPlan) extend(call *callgraph.Call) {
	if sp.isContext() && !sp.in.Supply.Lacks(call) {
		return
	}
	if around := sp.changedAround(call.In); around != nil {
		sp.ask(around)
		return
	}
	caller := sp.provider(call)
	if caller == nil {
		if sp.isContext() {
			sp.extendStarted(call)
		}
		return
	}
	if c := sp.classOf(caller); c.err == nil && (sp.in.Everywhere || sp.reached(caller)) {
		sp.change(c)
		sp.ask(sp.changed[caller])
	}
}

// index returns the place of the parameter in a function.
func (sp *sigPlan) index(f *callgraph.Func) int {
	for _, t := range sp.in.Targets {
		if t.Func == f && t.Index > 0 {
			return t.Index
		}
	}
	return sp.in.Param.Index
}

// isContext reports whether the parameter is a context, which callers may have at hand.
func (sp *sigPlan) isContext() bool { return sp.in.Param.Type == nil }

// sourceAt returns the context that a call has at hand; nil for none, and for parameters of other types.
func (sp *sigPlan) sourceAt(call *callgraph.Call) *flow.Source {
	if !sp.isContext() {
		return nil
	}
	return sp.in.Supply.Source(call)
}

// provider returns the function around a call that could get the parameter and pass it on; nil for none.
func (sp *sigPlan) provider(call *callgraph.Call) *callgraph.Func {
	if sp.isContext() {
		return sp.in.Supply.AskerOr(call, sp.starts)
	}
	f := call.In
	for f != nil && f.Kind == callgraph.Literal {
		f = f.Outer
	}
	if f == nil || f.EntryPoint() {
		return nil
	}
	return f
}

// reached reports whether a live context can come to a function from above.
func (sp *sigPlan) reached(f *callgraph.Func) bool {
	r, known := sp.reaches[f]
	if !known {
		route := sp.in.Supply.Route(f, func(f *callgraph.Func) ([]*callgraph.Func, bool) {
			if c := sp.classOf(f); c.err == nil {
				return c.funcs, c.twin != ""
			}
			return nil, false
		}, sp.starts)
		for _, step := range route { // what comes to f comes by them
			sp.reaches[step.To] = true
		}
		r = route != nil
		sp.reaches[f] = r
	}
	return r
}

// wayBlocked names what stands between a function and the callers that have a context.
func (sp *sigPlan) wayBlocked(f *callgraph.Func) error {
	route := sp.in.Supply.Route(f, supply.Tied, sp.starts)
	var way []string
	for _, step := range route {
		if step.Call.In != nil {
			way = append(way, step.Call.In.Name)
		}
	}
	along := "; the way is " + strings.Join(append(way, f.Name), " -> ")
	for to, i := f, len(route)-1; i >= 0; i-- {
		step := route[i]
		c := sp.classOf(to)
		if b, ok := c.err.(blocked); ok {
			copied := *b.Blocker
			copied.Message += along
			return blocked{&copied}
		}
		if c.twin != "" && !slices.Contains(c.funcs, step.To) {
			return block("api", step.Call.File, step.Call.Expr.Pos(), "%s, which importers may call, is called through %s here; --api break changes both%s", to.Name, step.To.Name, along)
		}
		if c.twin != "" && !step.Call.Named {
			return block("api", step.Call.File, step.Call.Expr.Pos(), "%s, which importers may call, is called through a function value here; --api break changes its type%s", to.Name, along)
		}
		if to = sp.in.Supply.AskerOr(step.Call, sp.starts); to == nil {
			break
		}
	}
	return block("no-context", f.File, f.Pos(), "no caller of %s that could pass a context on has one", f.Name)
}

// ended reports whether a call must not depend on the contexts of its callers.
func (sp *sigPlan) ended(call *callgraph.Call) bool {
	return sp.isContext() && sp.in.Supply.Ended(call)
}

// changedAround returns the parameter of the innermost changed function around a place, as far as literals between run
// where they are written.
func (sp *sigPlan) changedAround(in *callgraph.Func) *newParam {
	for f := in; f != nil; f = f.Outer {
		if p := sp.changed[f]; p != nil {
			return p
		}
		if f.Kind != callgraph.Literal || sp.isContext() && !sp.in.Supply.RunsHere(f) {
			return nil
		}
	}
	return nil
}

// choosePasses decides for every call what it passes.
func (sp *sigPlan) choosePasses() error {
	for _, to := range sp.order {
		for _, call := range to.f.Calls {
			if to.twin == "" && to.reused != nil || to.twin != "" && !call.Named {
				continue // it passes something already, or calls the function that stays
			}
			if slices.ContainsFunc(sp.passes, func(p *pass) bool { return p.call == call }) {
				continue
			}
			if err := sp.choosePass(to, call); err != nil {
				return err
			}
		}
	}
	for _, p := range sp.order {
		if p.target != nil {
			for _, e := range p.target.Uses {
				p.uses = append(p.uses, e.Pos())
			}
		}
	}
	slices.SortStableFunc(sp.passes, func(a, b *pass) int {
		return cmp.Or(cmp.Compare(a.call.File.Name, b.call.File.Name), cmp.Compare(a.call.Expr.Pos(), b.call.Expr.Pos()))
	})
	return nil
}

func (sp *sigPlan) choosePass(to *newParam, call *callgraph.Call) error {
	p := &pass{call: call, to: to, detached: call.Go && sp.detaches(call)}
	source := sp.sourceAt(call)
	if start := sp.starts[call]; start != nil {
		source = start.Source
		p.detached = sp.detaches(call)
	}
	if source != nil && sp.asksChanged(source) {
		source = nil
	}
	around := sp.changedAround(call.In)
	switch {
	case sp.given[call] != nil:
	case sp.isContext() && call.Defer || sp.ended(call) && source == nil:
	case around != nil && (source == nil || around.f.Type.Pos() > source.Var.Pos() || sp.replaces(around, source)):
		p.from = around
		around.uses = append(around.uses, call.Expr.Pos())
	case source != nil:
		p.source = source
		sp.nameSource(call, source)
	case sp.isContext():
		sp.passBeyond(p)
	}
	if to.twin != "" && p.from == nil && (p.source == nil || uneditable(call.File) != "") && (call.Pkg.Path == to.f.Pkg.Path || call.File.PkgPath == to.f.File.PkgPath || uneditable(call.File) != "") {
		return nil // the function that stays does the same
	}
	sp.passes = append(sp.passes, p)
	return nil
}

// asksChanged reports whether the text of a source calls a function that gets the parameter itself.
func (sp *sigPlan) asksChanged(s *flow.Source) bool {
	return slices.ContainsFunc(sp.order, func(p *newParam) bool {
		return p.f.Object != nil && p.twin == "" && strings.Contains(s.Text, "."+p.f.Object.Name()+"(")
	})
}

// replaces reports whether the local variable that a source is goes, in favour of the parameter.
func (sp *sigPlan) replaces(p *newParam, s *flow.Source) bool {
	return s.Born && s.Kind == flow.Local && p.target != nil && slices.ContainsFunc(p.target.Uses, func(e ast.Expr) bool {
		as, ok := sp.census.Parent(p.f.File, e).(*ast.AssignStmt)
		return ok && len(as.Lhs) == 1 && as.Pos() <= s.Var.Pos() && s.Var.Pos() < as.End()
	})
}

// nameSource makes sure that the parameter a source stands for has its name.
func (sp *sigPlan) nameSource(call *callgraph.Call, s *flow.Source) {
	if s.Unnamed == nil || sp.named[s.Unnamed] != nil {
		return
	}
	f := sp.g.FuncAt(s.Type)
	sp.named[s.Unnamed] = &newParam{f: f, name: s.Text, reused: s.Unnamed}
}

func (sp *sigPlan) typeName() string {
	if sp.isContext() {
		return "context.Context"
	}
	return types.TypeString(sp.in.Param.Type, func(p *types.Package) string { return p.Name() })
}
