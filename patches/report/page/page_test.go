package page

import (
	"bytes"
	"encoding/json"
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/ctxmend/ctxmend/patches/report/draw"
)

// hostile is text that would leave its place, or turn what stands after it, if it were written as it is.
const hostile = "</script><script>alert(1)</script><!-- --><img src=x onerror=alert(2)>'\"`&\u202e\u2066\x00\x1b[31m\xff\u2028]]>{{.}}"

func hostilePage() *Page {
	box := &draw.Box{Title: hostile, Tip: hostile, ID: hostile, Rows: []*draw.Row{{Text: hostile, Side: hostile, Tip: hostile, ID: hostile, Mark: "lost"}}}
	other := &draw.Box{Title: "b", ID: "b"}
	return &Page{
		Title: hostile, Intro: hostile, Foot: hostile, Stats: []Stat{{Count: 1, Label: hostile}},
		Picture: &draw.Picture{
			Title: hostile, Desc: hostile, Boxes: []*draw.Box{box, other}, Notes: []string{hostile}, Legend: []draw.Entry{{Mark: "has", Text: hostile}},
			Lines: []*draw.Line{{From: box, FromRow: 0, To: other, ToRow: -1, Class: "handed", Tip: hostile}},
		},
		Lists: []List{{ID: "list", Title: hostile, Intro: hostile, Items: []Item{
			{Head: hostile, Side: hostile, Rule: "rule", Package: hostile, Steps: []Step{{hostile, hostile, hostile}}, Facts: []Fact{{"label", []string{hostile}}}},
		}}},
		Findings: []Finding{{Rule: "rule", Package: hostile, Status: "fixable", Where: hostile, Message: hostile, Source: hostile, Note: hostile, Blocked: hostile, Related: []string{hostile}, Hunks: []int{0}}},
		Hunks:    []Hunk{{File: hostile, Old: 1, New: 1, Lines: []string{" " + hostile, "-" + hostile, "+" + hostile}}},
	}
}

func write(t *testing.T, p *Page) string {
	t.Helper()
	var b bytes.Buffer
	if err := p.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// TestHostileText holds that no text of a program can become part of the page's markup or script, nor turn the direction of
// what is read.
func TestHostileText(t *testing.T) {
	out := write(t, hostilePage())
	if n := strings.Count(out, "<script"); n != 2 {
		t.Errorf("the page has %d scripts, want its data and its own", n)
	}
	for _, bad := range []string{"<img", "<!-- -->", "\u202e", "\u2066", "\x00", "\x1b", "\xff"} {
		if strings.Contains(out, bad) {
			t.Errorf("the page contains %q", bad)
		}
	}
	if !strings.Contains(out, "alert(2)") {
		t.Error("the text is not shown at all")
	}
	m := regexp.MustCompile(`(?s)id="data">(.*?)</script>`).FindStringSubmatch(out)
	var d data
	if m == nil || json.Unmarshal([]byte(m[1]), &d) != nil || len(d.Findings) != 1 || len(d.Hunks) != 1 || !strings.HasPrefix(d.Hunks[0].Lines[1], "-</script>") {
		t.Errorf("the data do not say what they should: %q", m)
	}
}

// TestPolicy holds that the policy allows the style and the script of the page, and nothing else.
func TestPolicy(t *testing.T) {
	out := write(t, hostilePage())
	text := func(tag string) string {
		m := regexp.MustCompile(`(?s)<`+tag+`>(.*?)</`+tag+`>`).FindAllStringSubmatch(out, -1)
		if len(m) != 1 {
			t.Fatalf("%d elements %s", len(m), tag)
		}
		return m[0][1]
	}
	want := "default-src 'none'; style-src " + hash(text("style")) + "; script-src " + hash(text("script")) + "; base-uri 'none'; form-action 'none'"
	if !strings.Contains(html.UnescapeString(out), `content="`+want+`"`) {
		t.Errorf("the policy is not %s", want)
	}
	for _, outside := range []string{"http://", "https://", "//cdn", "@import", "url("} {
		at := strings.ReplaceAll(out, `xmlns="http://www.w3.org/2000/svg"`, "")
		at = strings.ReplaceAll(at, "url(#end-", "")
		if strings.Contains(at, outside) {
			t.Errorf("the page mentions %s", outside)
		}
	}
	if regexp.MustCompile(`<[^>]* (style|on[a-z]+)="`).MatchString(out) {
		t.Error("an element has a style or a handler of its own, which the policy forbids")
	}
}

// TestEmpty is about a program without findings.
func TestEmpty(t *testing.T) {
	out := write(t, &Page{Title: "nothing"})
	if !strings.Contains(out, "None.") || strings.Contains(out, "<svg") || !strings.Contains(out, `"findings":null`) && !strings.Contains(out, `"findings":[]`) {
		t.Errorf("%s", out)
	}
}
