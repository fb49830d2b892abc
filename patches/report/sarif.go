package report

import (
	"io"
	"net/url"
	"slices"
	"strings"
)

// The types are the part of SARIF 2.1.0 that is written. Of what GitHub code scanning makes of it: it shows one
// location for a result and ignores fixes, so the places that belong together are related locations, and a flow
// from where a value is written to where it is read.
// Source: docs.github.com, "SARIF support for code scanning".
type (
	sarifLog struct {
		Schema  string     `json:"$schema"`
		Version string     `json:"version"`
		Runs    []sarifRun `json:"runs"`
	}
	sarifRun struct {
		Tool       sarifTool     `json:"tool"`
		ColumnKind string        `json:"columnKind"`
		Results    []sarifResult `json:"results"`
	}
	sarifTool struct {
		Driver sarifDriver `json:"driver"`
	}
	sarifDriver struct {
		Name           string      `json:"name"`
		Version        string      `json:"version"`
		InformationURI string      `json:"informationUri"`
		Rules          []sarifRule `json:"rules"`
	}
	sarifRule struct {
		ID      string     `json:"id"`
		Short   sarifText  `json:"shortDescription"`
		Full    sarifText  `json:"fullDescription"`
		Help    sarifText  `json:"help"`
		Default sarifLevel `json:"defaultConfiguration"`
	}
	sarifLevel struct {
		Level string `json:"level"`
	}
	sarifText struct {
		Text     string `json:"text"`
		Markdown string `json:"markdown,omitempty"`
	}
	sarifResult struct {
		RuleID       string             `json:"ruleId"`
		RuleIndex    *int               `json:"ruleIndex,omitempty"`
		Level        string             `json:"level"`
		Message      sarifText          `json:"message"`
		Locations    []sarifLocation    `json:"locations"`
		Related      []sarifLocation    `json:"relatedLocations,omitempty"`
		Flows        []sarifFlow        `json:"codeFlows,omitempty"`
		Fingerprints map[string]string  `json:"partialFingerprints"`
		Suppressions []sarifSuppression `json:"suppressions,omitempty"`
		Properties   sarifProperties    `json:"properties"`
	}
	sarifProperties struct {
		Status        string `json:"status"`
		Applicability string `json:"applicability,omitempty"`
		Unit          string `json:"unit,omitempty"`
		Key           string `json:"key,omitempty"`
		Blocker       string `json:"blocker,omitempty"`
	}
	sarifSuppression struct {
		Kind string `json:"kind"`
	}
	sarifLocation struct {
		ID       *int          `json:"id,omitempty"`
		Physical sarifPhysical `json:"physicalLocation"`
		Message  *sarifText    `json:"message,omitempty"`
	}
	sarifPhysical struct {
		Artifact sarifArtifact `json:"artifactLocation"`
		Region   sarifRegion   `json:"region"`
	}
	sarifArtifact struct {
		URI   string `json:"uri"`
		Index string `json:"uriBaseId,omitempty"`
	}
	sarifRegion struct {
		StartLine   int `json:"startLine"`
		StartColumn int `json:"startColumn,omitempty"`
		EndLine     int `json:"endLine,omitempty"`
		EndColumn   int `json:"endColumn,omitempty"`
	}
	sarifFlow struct {
		Threads []sarifThread `json:"threadFlows"`
	}
	sarifThread struct {
		Locations []sarifStep `json:"locations"`
	}
	sarifStep struct {
		Location sarifLocation `json:"location"`
	}
)

// sarifSchema names the schema that the output is valid by.
const sarifSchema = "https://json.schemastore.org/sarif-2.1.0.json"

// homepage is where people read about ctxmend.
const homepage = "https://github.com/ctxmend/ctxmend"

func (r *Report) writeSARIF(w io.Writer, c *Context) error {
	run := sarifRun{
		Tool:       sarifTool{sarifDriver{Name: "ctxmend", Version: c.Version, InformationURI: homepage, Rules: []sarifRule{}}},
		ColumnKind: "utf16CodeUnits",
		Results:    []sarifResult{},
	}
	at := map[string]int{}
	for i, rule := range c.Rules {
		at[rule.Name] = i
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, sarifRule{
			ID: rule.Name, Short: sarifText{Text: rule.Summary}, Full: sarifText{Text: rule.Summary},
			Help: sarifText{Text: rule.Doc, Markdown: markdown(rule.Doc)}, Default: sarifLevel{"warning"},
		})
	}
	for i := range r.Findings {
		result := c.sarifResult(&r.Findings[i])
		if n, ok := at[result.RuleID]; ok {
			result.RuleIndex = &n
		}
		run.Results = append(run.Results, result)
	}
	return writeJSON(w, sarifLog{sarifSchema, "2.1.0", []sarifRun{run}})
}

func (c *Context) sarifResult(f *Finding) sarifResult {
	result := sarifResult{
		RuleID: f.Rule, Level: "warning", Message: sarifText{Text: f.sentence()},
		Locations:    []sarifLocation{c.sarifPlace(f.File, sarifRegion{f.Line, f.UnitColumn, f.EndLine, f.UnitEndColumn}, "")},
		Fingerprints: map[string]string{"ctxmend/v1": f.Fingerprint},
		Properties:   sarifProperties{Status: f.Status, Applicability: f.Applicability, Unit: f.Unit, Key: f.Key},
	}
	if f.LineHash != "" {
		result.Fingerprints["primaryLocationLineHash"] = f.LineHash
	}
	if f.Blocker != nil {
		result.Properties.Blocker = f.Blocker.Reason
	}
	if f.Status == "suppressed" {
		result.Suppressions = []sarifSuppression{{"inSource"}}
	}
	for i, rel := range f.Related {
		place := c.sarifPlace(rel.File, sarifRegion{StartLine: rel.Line, StartColumn: rel.UnitColumn}, rel.Message)
		place.ID = &i
		result.Related = append(result.Related, place)
	}
	if steps := c.sarifSteps(f, result.Locations[0]); len(steps) > 1 {
		result.Flows = []sarifFlow{{[]sarifThread{{steps}}}}
	}
	return result
}

// sarifSteps leads from where a value is written to where it is read, with the finding itself on its way. Findings
// that have no such places have no steps.
func (c *Context) sarifSteps(f *Finding, here sarifLocation) []sarifStep {
	var before, after []sarifStep
	for _, rel := range f.Related {
		step := sarifStep{c.sarifPlace(rel.File, sarifRegion{StartLine: rel.Line, StartColumn: rel.UnitColumn}, rel.Message)}
		switch {
		case strings.HasPrefix(rel.Message, "written"), strings.HasPrefix(rel.Message, "attached"):
			before = append(before, step)
		case strings.HasPrefix(rel.Message, "read"):
			after = append(after, step)
		}
	}
	if len(before)+len(after) == 0 {
		return nil
	}
	here.Message = &sarifText{Text: f.Message}
	return slices.Concat(before, []sarifStep{{here}}, after)
}

func (c *Context) sarifPlace(file string, region sarifRegion, message string) sarifLocation {
	region.StartLine = max(region.StartLine, 1)
	place := sarifLocation{Physical: sarifPhysical{sarifArtifact{URI: (&url.URL{Path: c.fromTop(file)}).String()}, region}}
	if !strings.HasPrefix(c.fromTop(file), "../") {
		place.Physical.Artifact.Index = "%SRCROOT%"
	}
	if message != "" {
		place.Message = &sarifText{Text: message}
	}
	return place
}

// markdown turns the text of a Go doc comment into Markdown: what is indented is code there too, once it is marked.
func markdown(doc string) string {
	var b strings.Builder
	code := false
	lines := strings.Split(strings.TrimRight(doc, "\n"), "\n")
	for i, line := range lines {
		indented := strings.HasPrefix(line, "\t") || code && line == "" && i+1 < len(lines) && strings.HasPrefix(lines[i+1], "\t")
		if indented != code {
			if code = indented; code {
				b.WriteString("```go\n")
			} else {
				b.WriteString("```\n")
			}
		}
		b.WriteString(strings.TrimPrefix(line, "\t") + "\n")
	}
	if code {
		b.WriteString("```\n")
	}
	return b.String()
}
