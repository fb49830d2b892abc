package main

import (
	"context"
	"go/ast"
	"go/constant"
	"go/token"
	"path"
	"slices"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/census"
	"github.com/ctxmend/ctxmend/rules/program"
)

func (a *app) keysCommand() *cobra.Command {
	return a.viewCommand(&cobra.Command{
		Use:   "keys [packages]",
		Short: "Print the census of context keys",
		Long: `Keys prints every context key that the program writes or reads: its type, what
is stored under it, and where. Packages choose nothing here but what is loaded:
the census is always that of the whole program.`,
	}, "table", "print a table", a.keys)
}

func (a *app) keys(ctx context.Context, flags *runFlags, patterns []string) error {
	res, err := a.run(ctx, flags, patterns)
	if err != nil {
		return err
	}
	doc := report.NewKeys(censusKeys(res))
	switch flags.format.value {
	case "json":
		return doc.WriteJSON(a.stdout)
	case "dot":
		return doc.WriteDot(a.stdout)
	case "mermaid":
		return doc.WriteMermaid(a.stdout)
	case "svg":
		return doc.WriteSVG(a.stdout)
	case "html":
		return doc.WriteHTML(a.stdout, makeReport(res, 0), pageContext(res))
	}
	if len(doc.Keys) == 0 {
		a.note("no context keys in %s", packageCount(res.Program))
		return nil
	}
	return doc.WriteTable(a.stdout, report.TextOptions{Color: a.colored(a.stdout), Quiet: a.quiet})
}

// censusKeys returns the keys that the world touches. Keys that live in
// dependencies alone are nobody's business here.
func censusKeys(res *rewrite.Result) []report.Key {
	verdicts := map[string]*rules.Finding{}
	for _, f := range res.Findings {
		id := f.KeyID
		if id == "" {
			id = f.Key
		}
		if id != "" && f.Status != rules.Suppressed && verdicts[id] == nil {
			verdicts[id] = f
		}
	}
	var out []report.Key
	for _, k := range res.Census.Keys {
		if !slices.ContainsFunc(k.Sites, func(s *census.Site) bool { return s.Pkg.World }) {
			continue
		}
		verdict := verdicts[k.UnitName()]
		if verdict == nil {
			verdict = verdicts[k.Name()]
		}
		out = append(out, reportKey(k, verdict))
	}
	return out
}

func reportKey(k *census.Key, verdict *rules.Finding) report.Key {
	out := report.Key{Key: k.Name(), Type: k.Type, Text: k.Value, ValueTypes: k.ValueTypes}
	if k.Const != nil && k.Const.Kind() == constant.String {
		out.Text = constant.StringVal(k.Const)
	}
	seen := map[report.Site]bool{}
	for _, s := range k.Sites {
		site := siteOf(s.File, s.Expr.Pos(), s.Pkg)
		// A look-up elsewhere than the site means that a function stands between.
		if s.Lookup != nil && s.Lookup.Key.Pos() != s.Expr.Pos() {
			if via := siteOf(s.Lookup.File, s.Lookup.Key.Pos(), s.Lookup.Pkg); via.Function != site.Function || via.File != site.File {
				site.Via = viaName(site, via)
				if !seen[via] {
					seen[via] = true
					out.Forwarders = append(out.Forwarders, via)
				}
			}
		}
		if s.Role == census.Writer {
			out.Writers = append(out.Writers, site)
		} else {
			out.Readers = append(out.Readers, site)
		}
	}
	if verdict != nil {
		out.Verdict, out.Reason = verdict.Rule, string(verdict.Status)
		if verdict.Blocker != nil {
			out.Reason = "blocked, " + verdict.Blocker.Message
		}
	}
	return out
}

// viaName names the function between a place and its key as the place's package does.
func viaName(site, via report.Site) string {
	if via.Package == site.Package || via.Function == "" {
		return via.Function
	}
	return path.Base(via.Package) + "." + via.Function
}

func siteOf(f *program.File, pos token.Pos, pkg *program.Package) report.Site {
	site := report.SiteAt(f, pos)
	site.Package, site.Outside = pkg.Path, !pkg.World
	if f.AST != nil {
		site.Function = enclosing(f.AST, pos)
	}
	return site
}

// enclosing names the function declaration that pos lies in, as go doc does.
func enclosing(file *ast.File, pos token.Pos) string {
	for _, decl := range file.Decls {
		fn, ok := decl.(*ast.FuncDecl)
		if !ok || pos < fn.Pos() || pos >= fn.End() {
			continue
		}
		if fn.Recv == nil || len(fn.Recv.List) == 0 {
			return fn.Name.Name
		}
		return receiver(fn.Recv.List[0].Type) + "." + fn.Name.Name
	}
	return ""
}

func receiver(expr ast.Expr) string {
	switch x := expr.(type) {
	case *ast.StarExpr:
		return receiver(x.X)
	case *ast.ParenExpr:
		return receiver(x.X)
	case *ast.IndexExpr:
		return receiver(x.X)
	case *ast.IndexListExpr:
		return receiver(x.X)
	case *ast.Ident:
		return x.Name
	}
	return "?"
}
