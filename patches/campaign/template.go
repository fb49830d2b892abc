package campaign

import (
	"errors"
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"unicode"
)

// A Template is a text/template over [Words].
type Template string

// Check implements config.Checker: it carries the template out, on a made-up change.
func (t Template) Check() error {
	_, err := t.render("", sample)
	if err != nil {
		return fmt.Errorf("is not a template that works: %w", err)
	}
	return nil
}

// Words are what a template can speak of.
type Words struct {
	Campaign   string
	Repository string
	Branch     string // of the pull request
	Base       string // the default branch
	Commit     string // the commit of it that the change was made on
	Shard      string // what tells this pull request from others of the repository; "" where there is one for all
	Summary    string // "typed keys for 3 context values": what is mended, in a few words
	Title      string // of the pull request; empty in its own template
	Units      []Unit // with their findings, reasons, checks and hunks
	Files      []string
	Verified   []string // checks passed besides the type check
	// Left is how many findings of the repository no change mends.
	Left int
}

// sample is a change that templates are tried on when they are read.
var sample = Words{
	Campaign: "keys", Repository: "shop/cart", Branch: "ctxmend/keys", Base: "main", Commit: "4b825dc642cb6eb9a060e54bf8d69288fbee4904",
	Summary: "a typed key for a context value", Title: "a typed key for a context value", Files: []string{"auth/auth.go"}, Verified: []string{"go test ./..."},
	Units: []Unit{{
		ID: `builtinkey:"user"`, Rule: "builtinkey", Title: `give "user" a private typed key`, Applicability: "safe", Status: "fixable",
		Reasons: []string{"every place that uses the key is in this repository"}, Check: "type-checked", Files: []string{"auth/auth.go"},
		Findings: []string{"auth/auth.go:10: builtinkey: string \"user\" is a context key"},
		Hunks:    []Hunk{{File: "auth/auth.go", Line: 10, Before: "a\n", After: "b\n"}},
	}},
}

// The templates where campaign.yaml has none.
const (
	defaultTitle   Template = `{{.Summary}}{{if and .Shard (not (contains .Summary .Shard))}} ({{.Shard}}){{end}}`
	defaultMessage Template = `{{.Title}}

{{range .Units}}- {{.Title}} ({{with at .}}{{.}}; {{end}}{{.Rule}}, {{.Applicability}})
{{end}}`
	defaultBody Template = `{{plural (len .Units) "change"}} in {{plural (len .Files) "file"}}, found and made by ctxmend. Each one was type-checked together with the
whole repository before it was proposed{{if .Verified}}, and these have passed: {{range $i, $v := .Verified}}{{if $i}}, {{end}}{{code $v}}{{end}}{{end}}.
{{range .Units}}
### {{text .Title}}

{{code .Rule}}, {{if eq .Applicability "safe"}}**safe**: behaviour stays as it is{{else}}**{{.Applicability}}**: please read it, behaviour or exported API may change{{end}}.
{{range .Findings}}
- {{code .}}{{end}}
{{range .Reasons}}
How: {{text .}}
{{end}}{{if .Check}}
Check passed: {{text .Check}}
{{end}}
<details><summary>{{plural (len .Hunks) "place"}} before and after</summary>
{{range .Hunks}}
{{code (printf "%s:%d" .File .Line)}}

{{diff .}}
{{end}}
</details>
{{end}}
---
Made on {{code .Commit}} of {{code .Base}} by the campaign {{code .Campaign}}. It is brought up to date when {{code .Base}} moves, until somebody else
commits to the branch. Closing this pull request means no: it will not be opened again.
`
)

// maxBody is less than what any forge takes, GitHub's 65536 letters being the least.
const maxBody = 60000

// maxTitle is what GitHub takes at most.
const maxTitle = 240

var templateFuncs = template.FuncMap{
	"code": code, "text": plainText, "diff": diffBlock, "plural": plural, "join": strings.Join, "base": path.Base, "contains": strings.Contains, "at": at,
}

func (t Template) render(name string, words Words) (string, error) {
	parsed, err := template.New(name).Funcs(templateFuncs).Option("missingkey=error").Parse(string(t))
	if err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "template: "))
	}
	var b strings.Builder
	if err := parsed.Execute(&b, words); err != nil {
		return "", errors.New(strings.TrimPrefix(err.Error(), "template: "))
	}
	return b.String(), nil
}

// texts renders what people will read of a change.
func (c *Config) texts(words Words) (title, message, body string, err error) {
	pick := func(own, standard Template) Template {
		if own != "" {
			return own
		}
		return standard
	}
	if title, err = pick(c.PullRequest.Title, defaultTitle).render("title", words); err != nil {
		return "", "", "", err
	}
	title = shorten(strings.Join(strings.Fields(printable(title)), " "), maxTitle)
	words.Title = title
	if message, err = pick(c.Commit.Message, defaultMessage).render("message", words); err != nil {
		return "", "", "", err
	}
	message = strings.TrimSpace(printable(message)) + "\n\n" + trailer(c.Name) + "\n"
	// A body that is too long has fewer hunks, not half a hunk.
	for most := 1 << 20; ; most /= 2 {
		if body, err = pick(c.PullRequest.Body, defaultBody).render("body", words.atMost(most)); err != nil {
			return "", "", "", err
		}
		if body = printable(body); len(body) <= maxBody {
			return title, message, body, nil
		}
		if most == 0 {
			return title, message, shorten(body, maxBody), nil
		}
	}
}

// atMost returns the words with that many lines of hunks for each unit.
func (w Words) atMost(lines int) Words {
	w.Units = slices.Clone(w.Units)
	for i := range w.Units {
		left := lines
		for n, h := range w.Units[i].Hunks {
			if left -= strings.Count(h.Before, "\n") + strings.Count(h.After, "\n"); left < 0 {
				w.Units[i].Hunks = w.Units[i].Hunks[:n]
				break
			}
		}
	}
	return w
}

// trailer marks our commits.
func trailer(name Name) string { return "Ctxmend-Campaign: " + string(name) }

// summary says in a few words what units mend, and the place where that is not what tells their change from others already.
func summary(units []Unit, where string) string {
	counts := map[string]int{}
	var order, files []string
	alike := len(units) > 0
	for _, u := range units {
		if counts[u.Rule]++; counts[u.Rule] == 1 {
			order = append(order, u.Rule)
		}
		files = append(files, u.Files...)
		alike = alike && u.Title == units[0].Title
	}
	if alike {
		text := fewer(units[0].Title)
		if at := place(files); at != "" && at != where && !strings.HasPrefix(where, at+":") && !saysWhere.MatchString(text) {
			text += " in " + at
		}
		return text
	}
	slices.Sort(order)
	var parts []string
	for _, rule := range order {
		parts = append(parts, fmt.Sprintf("%d %s", counts[rule], rule))
	}
	text := "mend misuse of context.Context"
	if at := place(files); at != "" && at != where {
		text += " in " + at
	}
	return text + ": " + strings.Join(parts, ", ")
}

// subject is how long the first line of a commit should be at most.
const subject = 72

// fewer names only the first of several keys where naming all makes a title too long.
func fewer(title string) string {
	if len(title) <= subject {
		return title
	}
	return manyKeys.ReplaceAllStringFunc(title, func(list string) string {
		keys := quoted.FindAllString(list, -1)
		return fmt.Sprintf("%s and %d more", keys[0], len(keys)-1)
	})
}

var (
	quoted   = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)
	manyKeys = regexp.MustCompile(quoted.String() + "(?:, " + quoted.String() + ")+")
)

// at is where the first finding of a unit lies.
func at(u Unit) string {
	if len(u.Findings) == 0 {
		return place(u.Files)
	}
	file, rest, _ := strings.Cut(u.Findings[0], ":")
	line, _, _ := strings.Cut(rest, ":")
	return file + ":" + line
}

// saysWhere matches titles that end with a package.
var saysWhere = regexp.MustCompile(` in [^ "` + "`" + `]+$`)

// place is the file, or else the directory, that all of some files are or lie in; "" for the top.
func place(files []string) string {
	if len(files) == 0 {
		return ""
	}
	if !slices.ContainsFunc(files, func(f string) bool { return f != files[0] }) {
		return files[0]
	}
	if dir := (Sharding{Depth: 1 << 10}).directory(files); dir != "." {
		return dir
	}
	return ""
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// printable takes out control characters and those that turn the direction of writing round: what comes from a
// repository may not look like something else.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return r
		}
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return -1
		}
		return r
	}, strings.ToValidUTF8(s, ""))
}

// shorten cuts a text to that many bytes, between letters.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}

// plainText makes text mean itself in Markdown: no link, picture, mention or HTML comes out of a repository's names.
func plainText(s string) string {
	var b strings.Builder
	for _, r := range strings.Join(strings.Fields(printable(s)), " ") {
		switch {
		case strings.ContainsRune("\\`*_{}[]<>#|!~", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '@':
			b.WriteString("@\u200b") // mentions nobody
		case r == '&':
			b.WriteString("&amp;")
		default:
			b.WriteRune(r)
		}
	}
	return b.String()
}

// code writes text between as many backquotes as it needs.
func code(s string) string {
	s = strings.Join(strings.Fields(printable(s)), " ")
	fence := strings.Repeat("`", longestRun(s, '`')+1)
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		s = " " + s + " "
	}
	return fence + s + fence
}

// diffBlock shows a hunk.
func diffBlock(h Hunk) string {
	var b strings.Builder
	for _, part := range []struct{ sign, text string }{{"-", h.Before}, {"+", h.After}} {
		for line := range strings.Lines(printable(part.text)) {
			b.WriteString(part.sign + strings.TrimSuffix(line, "\n") + "\n")
		}
	}
	fence := strings.Repeat("`", max(3, longestRun(b.String(), '`')+1))
	return fence + "diff\n" + b.String() + fence
}

func longestRun(s string, of rune) int {
	longest, n := 0, 0
	for _, r := range s {
		if r == of {
			n++
			longest = max(longest, n)
		} else {
			n = 0
		}
	}
	return longest
}
