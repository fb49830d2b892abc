package report

import (
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// writeGitHub writes workflow commands, which GitHub Actions turns into annotations of the changed files. It shows ten
// warnings for a step; the others are in the log.
// Source: docs.github.com, "Workflow commands for GitHub Actions".
func (r *Report) writeGitHub(w io.Writer, c *Context) error {
	for _, f := range r.reported() {
		place := fmt.Sprintf("file=%s,line=%d,endLine=%d", commandProperty(c.fromTop(f.File)), f.Line, f.EndLine)
		if f.Line == f.EndLine { // columns count for one line only
			place += fmt.Sprintf(",col=%d,endColumn=%d", f.UnitColumn, f.UnitEndColumn)
		}
		if _, err := fmt.Fprintf(w, "::warning %s,title=%s::%s\n", place, commandProperty("ctxmend "+f.Rule), commandText.Replace(f.sentence())); err != nil {
			return err
		}
	}
	return nil
}

// commandText escapes the message of a workflow command.
var commandText = strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")

func commandProperty(s string) string {
	return strings.NewReplacer(":", "%3A", ",", "%2C").Replace(commandText.Replace(s))
}

type (
	checkstyle struct {
		XMLName xml.Name         `xml:"checkstyle"`
		Version string           `xml:"version,attr"`
		Files   []checkstyleFile `xml:"file"`
	}
	checkstyleFile struct {
		Name   string            `xml:"name,attr"`
		Errors []checkstyleError `xml:"error"`
	}
	checkstyleError struct {
		Line     string `xml:"line,attr"`
		Column   string `xml:"column,attr"`
		Severity string `xml:"severity,attr"`
		Message  string `xml:"message,attr"`
		Source   string `xml:"source,attr"`
	}
)

// writeCheckstyle writes the report of Checkstyle, which Jenkins and many others read. 5.0 is the version of the format.
func (r *Report) writeCheckstyle(w io.Writer, c *Context) error {
	doc := checkstyle{Version: "5.0"}
	for _, f := range r.reported() {
		if n := len(doc.Files); n == 0 || doc.Files[n-1].Name != f.File {
			doc.Files = append(doc.Files, checkstyleFile{Name: f.File})
		}
		file := &doc.Files[len(doc.Files)-1]
		file.Errors = append(file.Errors, checkstyleError{strconv.Itoa(f.Line), strconv.Itoa(f.Column), "warning", f.sentence(), "ctxmend." + f.Rule})
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(doc); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}
