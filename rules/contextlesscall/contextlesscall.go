package contextlesscall

import (
	"cmp"
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"slices"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/flow"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "contextlesscall"

// Rule reports calls without a context beside one.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Default: true, Levels: []rules.Applicability{rules.Review, rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	f := &finder{pass: pass, flow: pass.Flow(), census: pass.Census, unnamed: map[*ast.Field]*rules.CallTwins{}, requests: map[*ast.FuncDecl]*rules.CallTwins{}}
	f.flow.EachCall(f.call)
	return f.list
}

// A finder collects findings.
type finder struct {
	pass   *rules.Pass
	flow   *flow.Flow
	census *census.Census
	// unnamed holds the intents of parameters that need a name.
	unnamed map[*ast.Field]*rules.CallTwins
	// requests holds the intents of functions that send requests.
	requests map[*ast.FuncDecl]*rules.CallTwins
	list     []*rules.Finding
}

// A site is one call.
type site struct {
	pkg  *program.Package
	file *program.File
	call *ast.CallExpr
	fn   *types.Func
}

func (f *finder) call(pkg *program.Package, file *program.File, call *ast.CallExpr) {
	fn := census.Callee(pkg.Info, call)
	if fn == nil || file.Test {
		return
	}
	at := &site{pkg, file, call, fn}
	if makesRequest(fn) {
		f.request(at)
		return
	}
	if fn.Pkg() != nil && fn.Pkg().Path() == "crypto/tls" && fn.Name() == "DialWithDialer" {
		f.byHand(at, "write (&tls.Dialer{NetDialer: dialer, Config: config}).DialContext(%s, network, addr), whose result is a net.Conn that holds a *tls.Conn")
		return
	}
	twin := twinOf(pkg, call, fn)
	if twin == nil {
		return
	}
	src := f.source(at)
	if src == nil || f.inTwin(at, twin) || f.flow.OnPurpose(file, call.Pos()) || f.wanted(at, twin.Func) || f.flow.Memoizes(pkg, file, call.Pos()) || f.flow.Shares(pkg, file, call) || twin.Lasts && f.lasts(at, src) ||
		twin.Func != nil && (f.pass.Supply().KeepsOwn(twin.Func) || !writesLog(fn) && f.flow.EndsSilently(twin.Func)) {
		return
	}
	if f.flow.ReliedOnAs(pkg, file, call, cmp.Or(twin.Func, fn)) {
		return
	}
	f.report(at, src, twin)
}

// byHand reports a call that people have to write anew, and says how.
func (f *finder) byHand(at *site, code string) {
	src := f.source(at)
	if src == nil || f.flow.OnPurpose(at.file, at.call.Pos()) || f.wanted(at, nil) || f.flow.Memoizes(at.pkg, at.file, at.call.Pos()) || f.flow.Shares(at.pkg, at.file, at.call) || f.lasts(at, src) {
		return
	}
	f.manual(at, src, fmt.Sprintf(code, src.Text))
}

func (f *finder) manual(at *site, src *flow.Source, what string) {
	f.list = append(f.list, &rules.Finding{
		Rule: name,
		Message: fmt.Sprintf("%s takes no context although %s: it can be neither cancelled nor given values by the caller; %s",
			flow.Callee(at.call), src.InScope(), what),
		File: at.file, Pos: at.call.Fun.Pos(), End: at.call.Fun.End(),
		Applicability: rules.Manual, Status: rules.NoFix,
	})
}

// source returns the context that the call should get, nil when there is none.
func (f *finder) source(at *site) *flow.Source {
	list := f.flow.At(at.file, at.call.Pos())
	if writesLog(at.fn) {
		list = f.flow.All(at.file, at.call.Pos()) // it looks values up, and does not mind an end
	}
	for _, s := range list {
		if s.Born || s.Kind == flow.Field || s.Kind == flow.Test || s.Ended == flow.MayChange {
			continue
		}
		if !slices.ContainsFunc(s.Through, func(lit *ast.FuncLit) bool {
			switch run := f.flow.RunOf(at.pkg, at.file, lit); {
			case run == flow.Concurrent:
				return !writesLog(at.fn) && !f.flow.StartsJoined(at.pkg, at.file, lit)
			default:
				return run == flow.Anytime || run != flow.InPlace && !writesLog(at.fn)
			}
		}) {
			return s
		}
	}
	return nil
}

// writesLog reports whether a function is one of log/slog.
func writesLog(fn *types.Func) bool { return fn.Pkg() != nil && fn.Pkg().Path() == "log/slog" }

// wanted reports whether a call is meant to go without the context: it is repeated until it succeeds, or another branch calls its twin.
func (f *finder) wanted(at *site, twin *types.Func) bool {
	return !writesLog(at.fn) && (f.flow.Persists(at.pkg, at.file, at.call) || twin != nil && f.flow.Alternates(at.pkg, at.file, at.call, twin))
}

// inTwin reports whether the call stands in the function that would be called instead.
func (f *finder) inTwin(at *site, twin *rules.Twin) bool {
	for n := ast.Node(at.call); n != nil; n = f.census.Parent(at.file, n) {
		if d, ok := n.(*ast.FuncDecl); ok {
			return d.Name.Name == twin.Name
		}
	}
	return false
}

// lasts reports whether what the call returns goes on when the function has returned, or gets its context by other means: a
// process that is started and not waited for, a request that is given another context.
func (f *finder) lasts(at *site, src *flow.Source) bool {
	used := map[string]bool{}
	if sel, ok := f.census.Parent(at.file, at.call).(*ast.SelectorExpr); ok {
		used[sel.Sel.Name] = true
	}
	for _, v := range f.results(at) {
		for _, u := range f.census.Uses(v) {
			if sel, ok := f.census.Parent(u.File, u.Ident).(*ast.SelectorExpr); ok && sel.X == u.Ident {
				used[sel.Sel.Name] = true
			}
		}
	}
	if used["WithContext"] || used["Clone"] || used["Start"] && !used["Wait"] {
		return true
	}
	return f.flow.ResultKept(at.pkg, at.file, at.call)
}

// results returns the variables that get what a call returns.
func (f *finder) results(at *site) []*types.Var {
	parent, _ := f.census.Outer(at.file, at.call)
	as, ok := parent.(*ast.AssignStmt)
	if !ok || len(as.Rhs) != 1 {
		return nil
	}
	var list []*types.Var
	for _, lhs := range as.Lhs {
		if id, ok := lhs.(*ast.Ident); ok {
			if v, ok := at.pkg.Info.ObjectOf(id).(*types.Var); ok {
				list = append(list, v)
			}
		}
	}
	return list
}

// intent returns the intent that a call joins: a new one, or that of others which need a name for the same parameter.
func (f *finder) intent(at *site, src *flow.Source) *rules.CallTwins {
	in := f.unnamed[src.Unnamed]
	if src.Unnamed == nil || in == nil {
		in = &rules.CallTwins{File: at.file, Pkg: at.pkg, Source: src}
		if src.Unnamed != nil {
			f.unnamed[src.Unnamed] = in
		}
	}
	return in
}

func (f *finder) report(at *site, src *flow.Source, twin *rules.Twin) {
	if why := f.otherResult(at, twin); why != "" {
		f.manual(at, src, fmt.Sprintf("write (&tls.Dialer{Config: config}).DialContext(%s, network, addr), whose result is a net.Conn that holds a *tls.Conn: %s", src.Text, why))
		return
	}
	in := f.intent(at, src)
	in.Calls = append(in.Calls, &rules.TwinCall{Call: at.call, Text: src.Text, Twin: twin, Logs: writesLog(at.fn)})
	cost := "it can be neither cancelled nor given values by the caller"
	if writesLog(at.fn) {
		cost = "the log entry lacks what the context knows, the trace for example"
	}
	f.list = append(f.list, &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf("%s takes no context although %s: %s; %s does", flow.Callee(at.call), src.InScope(), cost, shown(twin)),
		File:          at.file,
		Pos:           at.call.Fun.Pos(),
		End:           at.call.Fun.End(),
		Applicability: rules.Review,
		Fix:           &rules.Fix{Title: "call " + shown(twin), Applicability: rules.Review, Intent: in},
	})
}

// shown writes the function to be called instead.
func shown(twin *rules.Twin) string {
	switch {
	case twin.Literal:
		return twin.Name + " of " + census.WithArticle(twin.PkgName+"."+twin.Owner)
	case twin.Owner != "":
		return fmt.Sprintf("%s.%s.%s", twin.PkgName, twin.Owner, twin.Name)
	}
	return twin.Name
}
