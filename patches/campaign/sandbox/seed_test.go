package sandbox

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// TestSeed builds a package of the standard library once for all commands, none of which can change what the others get.
func TestSeed(t *testing.T) {
	b, p := open(t), newPlace(t)
	b.Seeds, b.standard = t.TempDir(), "unicode"
	build := []string{"go", "build", "-x", "unicode"}
	compiles := func(cache string) bool {
		t.Helper()
		result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: build, Cache: cache})
		if err != nil || !result.OK {
			t.Fatalf("%+v, %v", result, err)
		}
		return strings.Contains(result.Output, "/compile ")
	}
	if compiles("") {
		t.Error("what is in the seed is compiled again")
	}
	state := func() map[string]string {
		files := map[string]string{}
		err := filepath.WalkDir(b.Seeds, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			data, err := os.ReadFile(name)
			files[name] = fmt.Sprintf("%x", sha256.Sum256(data))
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return files
	}
	before := state()
	if len(before) == 0 {
		t.Fatal("there is no seed")
	}
	// A command that spoils all it can reach of the build cache, in a way that others would build from.
	shared := filepath.Join(t.TempDir(), "shared")
	spoil := `go env GOCACHE; for f in $GOCACHE/??/*; do (echo evil > $f; rm -f $f; echo evil > $f) 2>/dev/null; done; echo evil > /ctxmend/seed/00/evil; true`
	result, err := b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: []string{"go", "version"}, Cache: shared})
	if err != nil || !result.OK {
		t.Fatalf("%+v, %v", result, err)
	}
	if result, err = b.Run(t.Context(), campaign.SandboxCommand{Dir: p.dir, Args: bash(spoil), Cache: shared}); err != nil || !result.OK {
		t.Fatalf("%+v, %v", result, err)
	}
	if !compiles(shared) {
		t.Error("the cache was not spoilt, so that this proves nothing")
	}
	if diff := cmp.Diff(before, state()); diff != "" {
		t.Errorf("the seed was changed:\n%s", diff)
	}
	if compiles("") {
		t.Error("a spoilt cache is that of another command")
	}
	b.Seeds = ""
	if !compiles("") {
		t.Error("without seeds nothing is compiled, so that this proves nothing")
	}
}
