// Package page writes a report as one HTML file that needs nothing else: no network, no server, no other file. It can be searched and
// filtered, and shows what each fix would change side by side.
//
// A policy in the file forbids everything but the style and the script that belong to it, by their hashes. All text goes through
// html/template, and characters that would not be shown as themselves are replaced. Findings are listed in the document, so that
// it can be read and printed without a script; their details are data that the script lays out when one is opened, so that
// thousands of findings open as fast as ten.
package page

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"html/template"
	"io"
	"path"
	"strings"
	"sync"

	"github.com/ctxmend/ctxmend/patches/report/draw"
)

// A Page is the document.
type Page struct {
	// Title is its heading, Intro a sentence under it.
	Title, Intro string
	Stats        []Stat
	// Picture is drawn at the top; nil for none.
	Picture *draw.Picture
	// Lists are tables beside the findings.
	Lists    []List
	Findings []Finding
	Hunks    []Hunk
	// Foot is a line at the end: what made the page.
	Foot string
}

// A Stat is a number worth knowing.
type Stat struct {
	Count int
	Label string
	// Class is "good", "bad" or "".
	Class string
}

// A List is a table of places: losses, keys.
type List struct {
	ID, Title, Intro string
	Items            []Item
}

// An Item of a list can be found by search and filters as findings can.
type Item struct {
	// Head is what it is about, Side what is said of it in brief.
	Head, Side string
	// Class is "bad" where something is wrong.
	Class         string
	Rule, Package string
	// Steps lead to it, in order; Facts are told when it is opened.
	Steps []Step
	Facts []Fact
}

// A Step is a place on a way.
type Step struct{ Name, Detail, Where string }

// A Fact is something about an item with the places that show it.
type Fact struct {
	Label  string
	Places []string
}

// A Finding is one misuse. Its JSON form is what the script reads.
type Finding struct {
	Rule    string `json:"-"`
	Package string `json:"-"`
	Status  string `json:"-"`
	Where   string `json:"-"`
	Message string `json:"-"`
	Key     string `json:"-"`
	// Level is how far its fix can be trusted.
	Level string `json:"-"`

	Source  string   `json:"source,omitempty"`
	Note    string   `json:"note,omitempty"`
	Blocked string   `json:"blocked,omitempty"`
	Related []string `json:"related,omitempty"`
	// Hunks are indices of what its fix changes; Others is how many more there are that are not shown.
	Hunks  []int `json:"hunks,omitempty"`
	Others int   `json:"others,omitempty"`
}

// A Hunk is a run of changed lines.
type Hunk struct {
	File  string   `json:"file"`
	Old   int      `json:"old"`
	New   int      `json:"new"`
	Lines []string `json:"lines"`
}

//go:embed page.html page.css page.js
var assets embed.FS

var (
	layout = sync.OnceValue(func() *template.Template {
		return template.Must(template.New("page.html").Funcs(template.FuncMap{"base": path.Base}).ParseFS(assets, "page.html"))
	})
	css = asset("page.css") + draw.Style
	js  = asset("page.js")
)

func asset(name string) string {
	data, err := assets.ReadFile(name)
	if err != nil {
		panic(err) // it is embedded
	}
	return string(data)
}

// hash names a style or script in the page's policy.
func hash(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}

// A view is what the template sees.
type view struct {
	*Page
	Policy  string
	CSS     template.CSS
	JS      template.JS
	Drawing template.HTML
	Data    data
	Rules   []choice
	Pkgs    []choice
	States  []choice
}

// data is what the script reads.
type data struct {
	Findings []Finding `json:"findings"`
	Hunks    []Hunk    `json:"hunks"`
}

// Write writes the page. An error is one of w's.
func (p *Page) Write(w io.Writer) error {
	p.clean()
	v := &view{
		Page: p, CSS: template.CSS(css), JS: template.JS(js), Data: data{p.Findings, p.Hunks},
		Policy: "default-src 'none'; style-src " + hash(css) + "; script-src " + hash(js) + "; base-uri 'none'; form-action 'none'",
	}
	if p.Picture != nil && len(p.Picture.Boxes) > 0 {
		var svg strings.Builder
		if err := p.Picture.WriteSVG(&svg, draw.Options{Embedded: true}); err != nil {
			return err
		}
		v.Drawing = template.HTML(svg.String())
	}
	v.choices()
	var out bytes.Buffer
	if err := layout().Execute(&out, v); err != nil {
		return err
	}
	for line := range bytes.Lines(out.Bytes()) {
		text, ended := bytes.CutSuffix(line, []byte("\n"))
		shown := draw.Clean(string(text)) // what is the page's own is so already
		if ended {
			shown += "\n"
		}
		if _, err := io.WriteString(w, shown); err != nil {
			return err
		}
	}
	return nil
}

// clean makes the text that the script lays out such that a browser shows it as it is; tabs are as wide as in the source.
func (p *Page) clean() {
	for i := range p.Findings {
		f := &p.Findings[i]
		for _, s := range []*string{&f.Source, &f.Note, &f.Blocked} {
			*s = draw.Clean(*s)
		}
		for j, s := range f.Related {
			f.Related[j] = draw.Clean(s)
		}
	}
	for i := range p.Hunks {
		p.Hunks[i].File = draw.Clean(p.Hunks[i].File)
		for j, line := range p.Hunks[i].Lines {
			p.Hunks[i].Lines[j] = draw.Clean(strings.ReplaceAll(line, "\t", "    "))
		}
	}
}
