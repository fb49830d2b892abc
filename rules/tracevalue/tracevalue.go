package tracevalue

import (
	_ "embed"
	"fmt"
	"go/ast"
	"go/types"
	"strings"
	"unicode"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

//go:embed doc.go
var doc string

const name = "tracevalue"

// Rule reports trace and span identifiers that travel as context values of their own although the module traces
// with a library that carries them.
var Rule = &rules.Rule{Name: name, Doc: doc, Alone: rules.Proves, Levels: []rules.Applicability{rules.Manual}, Run: run}

func run(pass *rules.Pass) []*rules.Finding {
	t := &tracer{census: pass.Census, library: map[*program.Module]*library{}, seen: map[ast.Node]bool{}}
	t.findLibraries(pass.Program)
	for _, k := range pass.Census.Keys {
		for _, s := range k.Sites {
			if s.Role == census.Writer && s.Pkg.World && !s.File.Test && !s.File.Generated && !s.Lookup.File.Test && s.Lookup.Value != nil {
				t.writer(k, s)
			}
		}
	}
	for _, cfg := range pass.Program.Configs {
		for _, pkg := range cfg.Packages {
			if pkg.World && pkg.Info != nil && t.library[pkg.Module] != nil {
				for _, f := range pkg.Files {
					if f.AST != nil && !f.Test && !f.Generated {
						t.lostSpans(pkg, f)
					}
				}
			}
		}
	}
	return t.list
}

// A library is a tracing library with the calls that findings recommend.
type library struct {
	path string
	// read returns the identifiers of the span in ctx; extract takes what a request's headers say into ctx.
	read, extract string
	// baggage carries other texts along with the trace.
	baggage string
}

var libraries = []*library{
	{
		path:    "go.opentelemetry.io/otel",
		read:    "trace.SpanContextFromContext(ctx)",
		extract: "otel.GetTextMapPropagator().Extract(ctx, propagation.HeaderCarrier(r.Header))",
		baggage: "baggage.ContextWithBaggage(ctx, b)",
	},
	{
		path:    "github.com/opentracing/opentracing-go",
		read:    "opentracing.SpanFromContext(ctx)",
		extract: "tracer.Extract(opentracing.HTTPHeaders, opentracing.HTTPHeadersCarrier(r.Header))",
		baggage: "span.SetBaggageItem(key, id)",
	},
}

// of reports whether a package belongs to the library.
func (l *library) of(pkg *types.Package) bool {
	return pkg != nil && (pkg.Path() == l.path || strings.HasPrefix(pkg.Path(), l.path+"/"))
}

// A tracer looks for trace identifiers in one program.
type tracer struct {
	census *census.Census
	// library is what a module traces with: one that its ordinary packages import themselves.
	library map[*program.Module]*library
	seen    map[ast.Node]bool
	list    []*rules.Finding
}

func (t *tracer) findLibraries(prog *program.Program) {
	for _, l := range libraries {
		for _, cfg := range prog.Configs {
			for _, pkg := range cfg.Packages {
				if !pkg.World || pkg.XTest || t.library[pkg.Module] != nil {
					continue
				}
				for _, imp := range pkg.Imports {
					if imp != nil && l.of(imp.Types) {
						t.library[pkg.Module] = l
					}
				}
			}
		}
	}
}

// writer judges a place that stores a value.
func (t *tracer) writer(k *census.Key, s *census.Site) {
	l := t.library[s.Pkg.Module]
	if l == nil || t.seen[s.Expr] {
		return
	}
	value := ast.Unparen(s.Lookup.Value)
	what := ""
	switch from := t.source(l, s.Lookup, value); {
	case !carriesID(s.Lookup.Pkg.Info.TypeOf(value)):
	case from == header:
		what = "a trace header is carried by hand, and spans do not know of it; take it over with " + l.extract + " and start spans from the ctx that results"
	case from == spanContext:
		what = "an identifier of the span is stored beside the span; readers have it from " + l.read
	case saysTrace(keyText(k, s)):
		what = "a trace identifier is carried by hand beside the one that spans have; readers have that from " + l.read
	case saysCorrelation(keyText(k, s)):
		what = "a correlation identifier is carried by hand and ends with this process; " + l.baggage + " hands it on with the trace"
	}
	if what == "" {
		return
	}
	t.seen[s.Expr] = true
	f := t.finding(s.File, s.Expr, "%s", what)
	f.Key = k.Name()
	for _, r := range k.Sites {
		if r.Role == census.Reader && r.Pkg.World && len(f.Related) < maxRelated {
			f.Related = append(f.Related, rules.Related{File: r.File, Pos: r.Expr.Pos(), Message: "read here"})
		}
	}
}

// maxRelated bounds the places listed with one finding.
const maxRelated = 20

func (t *tracer) finding(file *program.File, at ast.Node, format string, args ...any) *rules.Finding {
	f := &rules.Finding{
		Rule:          name,
		Message:       fmt.Sprintf(format, args...),
		File:          file,
		Pos:           at.Pos(),
		End:           at.End(),
		Applicability: rules.Manual,
		Status:        rules.NoFix,
	}
	t.list = append(t.list, f)
	return f
}

// keyText is what a key says of itself: its text, or the name of its constant, variable or type.
func keyText(k *census.Key, s *census.Site) string {
	text := k.Type[strings.LastIndexByte(k.Type, '.')+1:] + " " + k.Value
	switch e := s.Expr.(type) {
	case *ast.Ident:
		text += " " + e.Name
	case *ast.SelectorExpr:
		text += " " + e.Sel.Name
	}
	return text
}

// saysTrace reports whether a text speaks of the identifier of a trace or span. Identifiers of requests and of
// business transactions are others, and theirs to carry.
func saysTrace(text string) bool {
	text = letters(text)
	for _, word := range []string{"traceid", "spanid", "traceparent", "tracestate"} {
		if strings.Contains(text, word) {
			return true
		}
	}
	return false
}

// saysCorrelation reports whether a text speaks of the identifier by which services tell what belongs together.
func saysCorrelation(text string) bool { return strings.Contains(letters(text), "correlationid") }

// saysHeader reports whether a text is the name of a header that tracers exchange.
func saysHeader(text string) bool {
	text = letters(text)
	return saysTrace(text) || text == "b3" || text == "xcloudtracecontext"
}

// letters returns the letters and digits of a text, in lower case.
func letters(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return unicode.ToLower(r)
		}
		return -1
	}, text)
}
