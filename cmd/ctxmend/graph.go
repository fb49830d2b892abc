package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches/report"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules/program"
	"github.com/ctxmend/ctxmend/rules/travel"
)

func (a *app) graphCommand() *cobra.Command {
	return a.viewCommand(&cobra.Command{
		Use:   "graph [packages]",
		Short: "Show how contexts travel: where they are born, handed on, lost",
		Long: `Graph shows how contexts travel through the program: which functions are given one and hand it on,
where a fresh one is made, and where a context is lost on its way. Packages choose what is shown, with its
neighbours; ./... by default. Tests and generated files are left out.`,
	}, "text", "print text", a.graph)
}

func (a *app) graph(ctx context.Context, flags *runFlags, patterns []string) error {
	res, err := a.run(ctx, flags, patterns)
	if err != nil {
		return err
	}
	var model *travel.Graph
	program.Doing("the graph", func() { model = travel.Build(res.Pass.Supply()) })
	r := makeReport(res, 0)
	var keep func(*program.File) bool
	if len(patterns) > 0 {
		keep = res.Program.Selected
	}
	doc := report.NewGraph(model, r.Findings, keep)
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
		return doc.WriteHTML(a.stdout, r, pageContext(res))
	}
	if len(doc.Functions) == 0 {
		a.note("no contexts in %s", packageCount(res.Program))
		return nil
	}
	return doc.WriteText(a.stdout, report.TextOptions{Color: a.colored(a.stdout), Quiet: a.quiet})
}

// pageContext says what pages tell besides what was found.
func pageContext(res *rewrite.Result) *report.Context {
	c := &report.Context{Version: version(), Set: res.Set}
	for _, m := range res.Program.Modules {
		if c.Program != "" {
			c.Program += ", "
		}
		c.Program += m.Path
	}
	if len(res.Program.Modules) > 3 {
		c.Program = fmt.Sprintf("%s and %d more modules", res.Program.Modules[0].Path, len(res.Program.Modules)-1)
	}
	return c
}
