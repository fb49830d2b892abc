//go:build unix

package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"image"
	"image/color"
	_ "image/png"
	"os"
	"path/filepath"
	"testing"

	"github.com/ctxmend/ctxmend/patches/report/page"
)

var screenshots = flag.String("screenshots", "", "directory in which the tests of pages leave what the browser shows")

// TestPages looks at the pages of keys and graph as a reader does: in a browser, with its keys.
func TestPages(t *testing.T) {
	b := startBrowser(t)
	for _, command := range []string{"keys", "graph"} {
		t.Run(command, func(t *testing.T) {
			b.t = t
			name := writePage(t, "demo", command)
			b.open(name, "")
			checkShown(t, b, command)
			checkFilters(t, b)
			checkDiff(t, b)
			checkPicture(t, b)
			for _, c := range b.complaints {
				t.Errorf("the page complains: %s", c)
			}
			b.complaints = nil
		})
	}
}

// writePage writes the page of a command about one of the programs in testdata.
func writePage(t *testing.T, program, command string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), command+".html")
	if err := os.WriteFile(name, picture(t, filepath.Join(testdata, program), command, "--format", "html"), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

// checkShown looks whether there is something to see, in light and in dark.
func checkShown(t *testing.T, b *browser, name string) {
	t.Helper()
	for _, scheme := range []string{"light", "dark"} {
		b.call("Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}}, nil)
		shot := b.screenshot(true)
		if *screenshots != "" {
			if err := os.WriteFile(filepath.Join(*screenshots, name+"-"+scheme+".png"), shot, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		img, _, err := image.Decode(bytes.NewReader(shot))
		if err != nil {
			t.Fatal(err)
		}
		n, corner := colors(img)
		if n < 20 {
			t.Errorf("%s: the page shows %d colours only", scheme, n)
		}
		if light := corner > 0x8000; light != (scheme == "light") {
			t.Errorf("%s: the background has brightness %#x", scheme, corner)
		}
	}
}

// colors counts the colours of an image, and tells how bright its first corner is.
func colors(img image.Image) (n int, corner uint16) {
	seen := map[color.Color]bool{}
	r := img.Bounds()
	for y := r.Min.Y; y < r.Max.Y; y += 2 {
		for x := r.Min.X; x < r.Max.X; x += 2 {
			seen[img.At(x, y)] = true
		}
	}
	return len(seen), color.Gray16Model.Convert(img.At(r.Min.X, r.Min.Y)).(color.Gray16).Y
}

const shownFindings = `document.querySelectorAll("details.finding:not([hidden])").length`

// checkFilters searches and filters, and looks how many findings are left.
func checkFilters(t *testing.T, b *browser) {
	t.Helper()
	all := b.eval(shownFindings)
	b.key("/")
	for _, r := range "tenant" {
		b.key(string(r))
	}
	b.until(shownFindings + " < " + `document.querySelectorAll("details.finding").length`)
	if b.eval(shownFindings) == 0.0 || b.eval(`[...document.querySelectorAll("details.finding:not([hidden])")].every((el) => el.textContent.includes("tenant"))`) != true {
		t.Errorf("the search for tenant shows %v", b.eval(shownFindings))
	}
	b.key("Escape")
	b.until(shownFindings + ` === document.querySelectorAll("details.finding").length`)
	b.eval(`{ const pkg = document.getElementById("pkg"); pkg.value = "example.com/demo/internal/audit"; pkg.dispatchEvent(new Event("change")); }`)
	inPackage := b.eval(shownFindings)
	b.eval(`{ const rule = document.getElementById("rule"); rule.value = "builtinkey"; rule.dispatchEvent(new Event("change")); }`)
	if inPackage == 0.0 || inPackage == all || b.eval(`[...document.querySelectorAll("details.finding:not([hidden])")].some((el) => el.dataset.rule !== "builtinkey" || !el.textContent.includes("internal/audit"))`) == true {
		t.Errorf("of %v findings, %v in one package, %v of one rule", all, inPackage, b.eval(shownFindings))
	}
	b.eval(`document.getElementById("filters").reset()`)
	b.until(shownFindings + ` === document.querySelectorAll("details.finding").length`)
}

// checkDiff walks to a finding by key and opens it: what the fix changes stands there, before beside after.
func checkDiff(t *testing.T, b *browser) {
	t.Helper()
	if n := b.eval(`document.querySelectorAll(".finding .body").length`); n != 0.0 {
		t.Errorf("%v findings are laid out before they are opened", n)
	}
	b.eval(`document.querySelector("details.finding.fixable summary").focus()`)
	b.key("Enter")
	b.until(`document.querySelector("details.finding.fixable[open] .diff") !== null`)
	b.key("j")
	if b.eval(`document.activeElement.closest("details") === document.querySelectorAll("details.finding")[[...document.querySelectorAll("details.finding")].indexOf(document.querySelector("details.fixable")) + 1]`) != true {
		t.Error("the key j does not lead to the next finding")
	}
	if b.eval(`[...document.querySelectorAll(".diff tr")].some((tr) => tr.querySelector("td.del") && tr.querySelector("td.add"))`) != true {
		t.Error("no removed line stands beside an added one")
	}
}

// checkPicture clicks a row: what it has nothing to do with fades.
func checkPicture(t *testing.T, b *browser) {
	t.Helper()
	b.eval(`document.querySelector(".picture .row[data-id]").dispatchEvent(new MouseEvent("click", {bubbles: true}))`)
	if b.eval(`document.querySelectorAll(".picture.focus .line.on").length`) == 0.0 {
		t.Error("a click on a row follows no line")
	}
	b.eval(`document.getElementById("zoom-clear").click()`)
	if b.eval(`document.querySelectorAll(".picture.focus, .picture .on").length`) != 0.0 {
		t.Error("the picture stays faded")
	}
}

// TestHostilePage opens the page of a program whose keys and comments would be markup, scripts and turned text.
func TestHostilePage(t *testing.T) {
	b := startBrowser(t)
	dir := t.TempDir()
	source := "package m\n\nimport \"context\"\n\nfunc f(ctx context.Context) any {\n" +
		"\tctx = context.WithValue(ctx, \"</script><script>document.title='taken'</script>\", 1) // \u202e </textarea>\n" +
		"\tctx = context.WithValue(ctx, \"<img src=x onerror=document.title='taken'>\", \"\\xff\\u202e\")\n" +
		"\tctx = context.WithValue(ctx, \"\\xff\\u202e{{.}}\", 2)\n" +
		"\treturn ctx.Value(\"</script><script>document.title='taken'</script>\")\n}\n\nfunc g(ctx context.Context) any { return ctx.Value(\"\\xff\\u202e{{.}}\") }\n"
	for name, text := range map[string]string{"go.mod": "module example.com/m\n\ngo 1.24\n", "m.go": source} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(dir, "keys.html")
	if err := os.WriteFile(name, picture(t, dir, "keys", "--format", "html"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.open(name, "")
	b.eval(`document.querySelectorAll("details").forEach((el) => { el.open = true; })`)
	b.until(`document.querySelectorAll(".finding .body").length === document.querySelectorAll(".finding").length`)
	if b.eval(`document.title`) == "taken" || b.eval(`document.images.length`) != 0.0 || b.eval(`document.scripts.length`) != 2.0 {
		t.Error("text of the program has become part of the page")
	}
	if b.eval(`document.querySelectorAll(".finding").length`) == 0.0 || b.eval(`document.body.textContent.includes("<img src=x onerror=")`) != true {
		t.Error("the keys are not shown")
	}
	if b.eval(`/[\u202a-\u202e\u2066-\u2069]/.test(document.body.textContent)`) == true {
		t.Error("text is turned")
	}
	for _, c := range b.complaints {
		t.Errorf("the page complains: %s", c)
	}
}

// TestLargePage opens a page with more findings than a large program has: it lays out none of their details before they are asked for.
func TestLargePage(t *testing.T) {
	b := startBrowser(t)
	p := &page.Page{Title: "large"}
	for i := range 8000 {
		p.Findings = append(p.Findings, page.Finding{
			Rule: []string{"freshctx", "builtinkey"}[i%2], Package: fmt.Sprintf("example.com/m/p%d", i%50), Status: "fixable", Where: fmt.Sprintf("p%d/f.go:%d:1", i%50, i),
			Message: fmt.Sprintf("finding %d", i), Hunks: []int{i},
		})
		p.Hunks = append(p.Hunks, page.Hunk{File: "f.go", Old: i, New: i, Lines: []string{" a", "-b", "+c", " d"}})
	}
	name := filepath.Join(t.TempDir(), "large.html")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(p.Write(f), f.Close()); err != nil {
		t.Fatal(err)
	}
	b.open(name, "q=finding+799&rule=builtinkey&pkg=example.com/m/p41") // as somebody has passed it on
	if n := b.eval(shownFindings); n != 1.0 {
		t.Errorf("%v findings are shown, want number 7991 alone", n)
	}
	if n := b.eval(`document.querySelectorAll(".body").length`); n != 0.0 {
		t.Errorf("%v findings are laid out", n)
	}
	b.key("Escape")
	b.until(shownFindings + " === 8000")
	b.key("k")
	b.key("Enter")
	b.until(`document.querySelectorAll(".diff").length === 1`)
	for _, c := range b.complaints {
		t.Errorf("the page complains: %s", c)
	}
}
