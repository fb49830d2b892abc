package campaign

import (
	_ "embed"
	"html/template"
	"io"
	"strings"
)

//go:embed page.html
var pageHTML string

// WriteHTML writes one file with everything: it loads nothing and runs nothing.
func (r *Report) WriteHTML(w io.Writer) error {
	page, err := template.New("report").Funcs(template.FuncMap{
		"shown": ChangeReport.shown, "waits": waits, "hunks": hunks, "units": pageUnits, "plural": plural, "lines": strings.SplitAfter,
	}).Parse(pageHTML)
	if err != nil {
		return err
	}
	return page.Execute(w, r)
}

// A pageFile is a file of a change as the page shows it.
type pageFile struct {
	Name  string
	Lines []pageLine
}

// A pageLine is a line of a diff, with the class that colours it.
type pageLine struct{ Class, Text string }

var lineClass = map[byte]string{'+': "add", '-': "del", ' ': ""}

// hunks is the diff of a change, file by file.
func hunks(c ChangeReport) []pageFile {
	if c.content == nil {
		return nil
	}
	var list []pageFile
	for _, f := range c.content.set().Files {
		file := pageFile{Name: f.Rel}
		for i, h := range f.Hunks() {
			if i > 0 {
				file.Lines = append(file.Lines, pageLine{"gap", "⋯"})
			}
			for _, line := range h.Lines {
				file.Lines = append(file.Lines, pageLine{lineClass[line[0]], printable(line)})
			}
		}
		list = append(list, file)
	}
	return list
}

// pageUnits are the decisions of a change.
func pageUnits(c ChangeReport) []Unit {
	if c.content == nil {
		return nil
	}
	return c.content.Units
}
