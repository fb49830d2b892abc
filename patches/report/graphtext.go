package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
)

// WriteText writes the graph for people: where contexts are lost and by which way, where they are born, and which package hands them
// to which. An error is one of w's.
func (g *Graph) WriteText(w io.Writer, opts TextOptions) error {
	out := newText(w, opts)
	if len(g.Losses) > 0 {
		fmt.Fprintln(out, out.paint(bold, "lost"))
		for i := range g.Losses {
			out.loss(g, &g.Losses[i])
		}
	}
	if len(g.Births) > 0 {
		fmt.Fprintln(out, out.paint(bold, "born"))
		for i := range g.Births {
			b := &g.Births[i]
			where := "at package level"
			if b.Function >= 0 {
				where = "in " + display(g.Functions[b.Function].qualified())
			}
			fmt.Fprintf(out, "   %s: %s %s\n", place(b.Place.File, b.Place.Line, b.Place.Column), display(b.Place.Callee), where)
		}
	}
	if list := g.traffic(); len(list) > 0 {
		fmt.Fprintln(out, out.paint(bold, "handed on"))
		short := g.trimCommon()
		for _, t := range list {
			fmt.Fprintf(out, "   %s -> %s %s\n", display(short(t.from)), display(short(t.to)), out.paint(dim, t.text()))
		}
	}
	if !opts.Quiet {
		fmt.Fprintln(out, out.paint(bold, g.summaryLine()))
	}
	return out.Flush()
}

// loss writes where a context is lost, and the way there.
func (t *text) loss(g *Graph, l *GraphLoss) {
	what := display(l.Place.Callee) + " gets no context"
	if l.Outside != "" {
		what = fmt.Sprintf("%s of %s gets no context", display(l.Place.Callee), display(l.Outside))
	}
	if l.Fresh {
		what = display(l.Place.Callee) + " begins anew"
	}
	if l.Rule != "" {
		what += t.paint(yellow, " ("+l.Rule+", "+l.Status+")")
	}
	fmt.Fprintf(t, "   %s: %s\n", place(l.Place.File, l.Place.Line, l.Place.Column), what)
	name := func(i int) string { return display(g.Functions[i].qualified()) }
	from := l.Function
	if len(l.Way) > 0 {
		from = l.Way[0].From
	}
	fmt.Fprintf(t, "      %s has %s\n", name(from), display(l.Context))
	for _, s := range l.Way {
		fmt.Fprintf(t, "      %s calls %s\n", place(s.Place.File, s.Place.Line, 0), name(s.To))
	}
}

func (g *Graph) summaryLine() string {
	lost := "nothing lost"
	if n := len(g.Losses); n > 0 {
		judged := 0
		for _, l := range g.Losses {
			if l.Rule != "" {
				judged++
			}
		}
		lost = fmt.Sprintf("lost in %s, %s", count(n, "place"), count(judged, "finding"))
	}
	functions, packages := g.own()
	return fmt.Sprintf("%s in %s: %s, %s (ctxmend graph --format html shows it)",
		count(functions, "function"), count(packages, "package"), count(len(g.Births), "fresh context"), lost)
}

// traffic is how often one package calls another with and without a context.
type traffic struct {
	from, to            string
	handed, fresh, none int
}

func (t *traffic) text() string {
	var parts []string
	for _, p := range []struct {
		n    int
		word string
	}{{t.handed, ""}, {t.fresh, " fresh"}, {t.none, " without"}} {
		if p.n > 0 {
			parts = append(parts, fmt.Sprintf("%d%s", p.n, p.word))
		}
	}
	return strings.Join(parts, ", ")
}

// class is what the calls have most to tell about: a context that is missing, before a fresh one.
func (t *traffic) class() string {
	switch {
	case t.none > 0:
		return "none"
	case t.fresh > 0:
		return "fresh"
	}
	return "handed"
}

// traffic adds calls up by package.
func (g *Graph) traffic() []*traffic {
	var list []*traffic
	known := map[[2]string]*traffic{}
	for i := range g.Calls {
		c := &g.Calls[i]
		at := [2]string{g.Functions[c.From].Package, g.Functions[c.To].Package}
		if at[0] == at[1] {
			continue
		}
		t := known[at]
		if t == nil {
			t = &traffic{from: at[0], to: at[1]}
			known[at] = t
			list = append(list, t)
		}
		switch n := len(c.Places); c.Context {
		case "handed":
			t.handed += n
		case "fresh":
			t.fresh += n
		default:
			t.none += n
		}
	}
	slices.SortFunc(list, func(a, b *traffic) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return list
}

// WriteDot writes the graph for Graphviz, package by package: its tools can lay out what is too large to be drawn function
// by function. An error is one of w's.
func (g *Graph) WriteDot(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "digraph contexts {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\", shape=box];\n")
	for _, p := range g.counts() {
		style := ""
		if p.lost > 0 {
			style = ", style=filled, fillcolor=lightsalmon"
		} else if p.outside {
			style = ", style=dashed"
		}
		fmt.Fprintf(out, "\t%s [label=%s%s];\n", dotString(p.name), dotString(p.label()), style)
	}
	for _, t := range g.traffic() {
		style := map[string]string{"handed": "", "fresh": ", style=dashed, color=darkgreen", "none": ", style=dotted, color=red"}[t.class()]
		fmt.Fprintf(out, "\t%s -> %s [label=%s%s];\n", dotString(t.from), dotString(t.to), dotString(t.text()), style)
	}
	fmt.Fprint(out, "}\n")
	return out.Flush()
}

// WriteMermaid writes the same as a Mermaid flowchart, for Markdown. An error is one of w's.
func (g *Graph) WriteMermaid(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "flowchart LR\n")
	ids := map[string]string{}
	flagged := false
	for i, p := range g.counts() {
		ids[p.name] = fmt.Sprintf("pkg%d", i)
		class := ""
		if p.lost > 0 {
			class, flagged = ":::lost", true
		}
		fmt.Fprintf(out, "\t%s[%s]%s\n", ids[p.name], mermaidString(p.label()), class)
	}
	for _, t := range g.traffic() {
		arrow := map[string]string{"handed": "-->", "fresh": "-.->", "none": "-.-x"}[t.class()]
		fmt.Fprintf(out, "\t%s %s|%s| %s\n", ids[t.from], arrow, t.text(), ids[t.to])
	}
	if flagged {
		fmt.Fprint(out, "\tclassDef lost fill:#ffa07a\n")
	}
	return out.Flush()
}

// packageCounts are the numbers of one package.
type packageCounts struct {
	name                    string
	outside                 bool
	functions, births, lost int
}

func (p *packageCounts) label() string {
	if p.outside {
		return p.name
	}
	text := p.name + "\n" + count(p.functions, "function")
	if p.births > 0 {
		text += fmt.Sprintf(", %d fresh", p.births)
	}
	if p.lost > 0 {
		text += fmt.Sprintf(", %d lost", p.lost)
	}
	return text
}

func (g *Graph) counts() []*packageCounts {
	known := map[string]*packageCounts{}
	var list []*packageCounts
	for _, name := range g.packages() {
		known[name] = &packageCounts{name: name}
		list = append(list, known[name])
	}
	for i := range g.Functions {
		f := &g.Functions[i]
		known[f.Package].functions++
		known[f.Package].outside = f.Outside
	}
	for _, b := range g.Births {
		if b.Function >= 0 {
			known[g.Functions[b.Function].Package].births++
		}
	}
	for _, l := range g.Losses {
		known[g.Functions[l.Function].Package].lost++
	}
	return list
}
