package report

import (
	"bufio"
	"fmt"
	"go/token"
	"io"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/rules/program"
)

// Keys is the census as it is printed.
type Keys struct {
	Version int   `json:"version"`
	Keys    []Key `json:"keys"`
}

// A Key is one context key of the census with everything that touches it.
type Key struct {
	// Key is the key as people write it, Type its type and Text its constant value,
	// "" when it has none.
	Key  string `json:"key"`
	Type string `json:"type"`
	Text string `json:"text"`
	// ValueTypes are the types of the values stored under it.
	ValueTypes []string `json:"value_types"`
	Writers    []Site   `json:"writers"`
	Readers    []Site   `json:"readers"`
	// Forwarders are the functions through which some of the sites reach the key.
	Forwarders []Site `json:"forwarders"`
	// Verdict is a rule's name, or "" for a key nothing is wrong with.
	Verdict string `json:"verdict"`
	// Reason says why, or what stands in the way of a cure.
	Reason string `json:"reason"`
}

// A Site is a place in the census.
type Site struct {
	File   string `json:"file"`
	Line   int    `json:"line"`
	Column int    `json:"column"`
	// Package is the import path of the package, Function the enclosing function.
	Package  string `json:"package"`
	Function string `json:"function"`
	Test     bool   `json:"test"`
	// Outside is set for code outside the program.
	Outside bool `json:"outside"`
	// Via is the function through which the place reaches the key, "" for none.
	Via string `json:"via"`
}

// SiteAt returns the place of pos in f. Files of dependencies, which have no name
// relative to the directory worked in, are named after their package.
func SiteAt(f *program.File, pos token.Pos) Site {
	p := position(f, pos)
	name := f.Rel
	if !f.World && f.PkgPath != "" {
		name = path.Join(f.PkgPath, filepath.Base(f.Name))
	}
	return Site{File: name, Line: p.Line, Column: p.Column, Test: f.Test}
}

// NewKeys makes the document of the given keys, in the order given.
func NewKeys(keys []Key) *Keys {
	doc := &Keys{Version: Version, Keys: make([]Key, 0, len(keys))}
	for _, k := range keys {
		k.ValueTypes = append([]string{}, k.ValueTypes...)
		k.Writers = append([]Site{}, k.Writers...)
		k.Readers = append([]Site{}, k.Readers...)
		k.Forwarders = append([]Site{}, k.Forwarders...)
		doc.Keys = append(doc.Keys, k)
	}
	return doc
}

// WriteJSON writes the census as one JSON document. An error is one of w's.
func (k *Keys) WriteJSON(w io.Writer) error { return writeJSON(w, k) }

// WriteTable writes the census as a table, one line for each key. An error is one of w's.
func (k *Keys) WriteTable(w io.Writer, opts TextOptions) error {
	out := newText(w, opts)
	rows := [][]string{{"KEY", "TYPE", "VALUE", "WRITTEN", "READ", "VERDICT"}}
	for i := range k.Keys {
		rows = append(rows, k.Keys[i].row())
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], width(cell))
		}
	}
	for n, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			line.WriteString(cell)
			if i < len(row)-1 {
				line.WriteString(strings.Repeat(" ", widths[i]-width(cell)+2))
			}
		}
		style := plain
		if n == 0 {
			style = bold
		} else if k.Keys[n-1].Verdict != "" {
			style = yellow
		}
		fmt.Fprintln(out, out.paint(style, strings.TrimRight(line.String(), " ")))
	}
	return out.Flush()
}

func (k *Key) row() []string {
	verdict := k.Verdict
	if verdict == "" {
		verdict = "ok"
	}
	if k.Reason != "" {
		verdict += ": " + k.Reason
	}
	row := []string{k.Key, k.Type, strings.Join(k.ValueTypes, ", "), siteSummary(k.Writers), siteSummary(k.Readers), verdict}
	for i, cell := range row {
		if cell = display(cell); cell == "" {
			cell = "-"
		}
		row[i] = cell
	}
	return row
}

// siteSummary is one place, the first outside tests if there is one, with the
// number of others.
func siteSummary(sites []Site) string {
	if len(sites) == 0 {
		return ""
	}
	first := max(slices.IndexFunc(sites, func(s Site) bool { return !s.Test }), 0)
	text := place(sites[first].File, sites[first].Line, 0)
	if len(sites) == 1 {
		return text
	}
	return fmt.Sprintf("%s +%d", text, len(sites)-1)
}

// flow is one arrow of the graph: a package writes or reads a key so many times.
type flow struct {
	pkg   string
	count int
}

// flows adds sites up by package, in order of first mention.
func flows(sites []Site) []flow {
	var out []flow
	index := map[string]int{}
	for _, s := range sites {
		i, seen := index[s.Package]
		if !seen {
			i = len(out)
			index[s.Package] = i
			out = append(out, flow{pkg: s.Package})
		}
		out[i].count++
	}
	return out
}

// packages returns every package that touches a key, in order of first mention.
func (k *Keys) packages() []string {
	var out []string
	seen := map[string]bool{}
	for i := range k.Keys {
		for _, sites := range [][]Site{k.Keys[i].Writers, k.Keys[i].Readers} {
			for _, f := range flows(sites) {
				if !seen[f.pkg] {
					seen[f.pkg] = true
					out = append(out, f.pkg)
				}
			}
		}
	}
	return out
}

// WriteDot writes the census as a Graphviz graph: packages that write a key
// point to it, and it points to those that read it. An error is one of w's.
func (k *Keys) WriteDot(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "digraph keys {\n\trankdir=LR;\n\tnode [fontname=\"sans-serif\"];\n")
	for _, pkg := range k.packages() {
		fmt.Fprintf(out, "\t%s [shape=box];\n", dotString(pkg))
	}
	for i := range k.Keys {
		key, id := &k.Keys[i], fmt.Sprintf("key%d", i)
		color := "palegreen"
		if key.Verdict != "" {
			color = "lightsalmon"
		}
		fmt.Fprintf(out, "\t%s [label=%s, shape=ellipse, style=filled, fillcolor=%s];\n", id, dotString(key.label()), color)
		for _, f := range flows(key.Writers) {
			fmt.Fprintf(out, "\t%s -> %s%s;\n", dotString(f.pkg), id, dotCount(f.count))
		}
		for _, f := range flows(key.Readers) {
			fmt.Fprintf(out, "\t%s -> %s%s;\n", id, dotString(f.pkg), dotCount(f.count))
		}
	}
	fmt.Fprint(out, "}\n")
	return out.Flush()
}

func (k *Key) label() string {
	if k.Verdict == "" {
		return k.Key
	}
	return k.Key + "\n" + k.Verdict
}

func dotString(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(displayLines(s)) + `"`
}

func dotCount(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf(" [label=\"%d\"]", n)
}

// WriteMermaid writes the same graph as a Mermaid flowchart, for Markdown.
// An error is one of w's.
func (k *Keys) WriteMermaid(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "flowchart LR\n")
	ids := map[string]string{}
	for i, pkg := range k.packages() {
		ids[pkg] = fmt.Sprintf("pkg%d", i)
		fmt.Fprintf(out, "\t%s[%s]\n", ids[pkg], mermaidString(pkg))
	}
	flagged := false
	for i := range k.Keys {
		key, id := &k.Keys[i], fmt.Sprintf("key%d", i)
		class := ""
		if key.Verdict != "" {
			class, flagged = ":::misuse", true
		}
		fmt.Fprintf(out, "\t%s([%s])%s\n", id, mermaidString(key.label()), class)
		for _, f := range flows(key.Writers) {
			fmt.Fprintf(out, "\t%s -->%s %s\n", ids[f.pkg], mermaidCount(f.count), id)
		}
		for _, f := range flows(key.Readers) {
			fmt.Fprintf(out, "\t%s -->%s %s\n", id, mermaidCount(f.count), ids[f.pkg])
		}
	}
	if flagged {
		fmt.Fprint(out, "\tclassDef misuse fill:#ffa07a\n")
	}
	return out.Flush()
}

// mermaidString uses Mermaid's entity codes: the language has no escapes.
func mermaidString(s string) string {
	return `"` + strings.NewReplacer(`"`, "#quot;", "#", "#35;", "<", "#lt;", ">", "#gt;", "\n", "<br>").Replace(displayLines(s)) + `"`
}

func mermaidCount(n int) string {
	if n == 1 {
		return ""
	}
	return fmt.Sprintf("|%d|", n)
}

// displayLines is display for labels that may have several lines.
func displayLines(s string) string {
	lines := strings.Split(s, "\n")
	for i, line := range lines {
		lines[i] = display(line)
	}
	return strings.Join(lines, "\n")
}
