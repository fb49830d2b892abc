// Package schemas holds what ctxmend prints for other programs to their published schemas. It is a module of its own, so
// that ctxmend does not depend on what reads schemas.
package schemas

import (
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/xeipuuv/gojsonschema"
)

// root is the top of the repository.
const root = "../../.."

// module returns where a version of a module lies, after fetching it where it is not there.
func module(t *testing.T, version string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "mod", "download", "-json", version).Output()
	var m struct{ Dir string }
	if err == nil {
		err = json.Unmarshal(out, &m)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", version, err, out)
	}
	return m.Dir
}

// check builds the command and returns what it says about the demo.
func check(t *testing.T, format string) []byte {
	t.Helper()
	command := filepath.Join(t.TempDir(), "ctxmend.exe")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", command, "./cmd/ctxmend")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %v\n%s", cmd, err, out)
	}
	cmd = exec.CommandContext(t.Context(), command, "-C", filepath.Join(root, "testdata", "demo"), "check", "--format", format)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Fatalf("%v: %v\n%s", cmd, err, &stderr)
	}
	return out
}

// validate holds a document to a schema, which must refuse the document once a field is a number.
func validate(t *testing.T, schema, document []byte, field string) {
	t.Helper()
	for _, e := range errorsOf(t, schema, document) {
		t.Error(e)
	}
	wrong := bytes.ReplaceAll(document, []byte(`"`+field+`":`), []byte(`"`+field+`": 7, "other":`))
	if len(errorsOf(t, schema, wrong)) == 0 {
		t.Error("the schema takes anything")
	}
}

func errorsOf(t *testing.T, schema, document []byte) []gojsonschema.ResultError {
	t.Helper()
	res, err := gojsonschema.Validate(gojsonschema.NewBytesLoader(schema), gojsonschema.NewBytesLoader(document))
	if err != nil {
		t.Fatal(err)
	}
	return res.Errors()
}

// TestSARIF uses the copy of the schema that a Go module has as a constant.
func TestSARIF(t *testing.T) {
	file := filepath.Join(module(t, "github.com/owenrumney/go-sarif/v3@v3.3.1"), "pkg/report/v210/sarif/schema.go")
	tree, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var schema strings.Builder
	ast.Inspect(tree, func(n ast.Node) bool {
		if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			schema.WriteString(text)
		}
		return true
	})
	validate(t, []byte(schema.String()), check(t, "sarif"), "ruleId")
}

// TestRDJSON uses the schema that reviewdog publishes.
func TestRDJSON(t *testing.T) {
	file := filepath.Join(module(t, "github.com/reviewdog/reviewdog@v0.21.2"), "proto/rdf/jsonschema/DiagnosticResult.json")
	schema, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	validate(t, schema, check(t, "rdjson"), "diagnostics")
}
