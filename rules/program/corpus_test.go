package program

import (
	"os"
	"path/filepath"
	"testing"
)

// TestCorpus loads the programs in the directories that CTXMEND_CORPUS lists; they must
// build. No package may have errors, dependencies included.
func TestCorpus(t *testing.T) {
	list := os.Getenv("CTXMEND_CORPUS")
	if list == "" {
		t.Skip("CTXMEND_CORPUS names no programs")
	}
	for _, dir := range filepath.SplitList(list) {
		p, err := Load(t.Context(), Options{Dir: dir, Tests: true})
		if err != nil {
			t.Errorf("%s: %v", dir, err)
			continue
		}
		for _, c := range p.Configs {
			for _, q := range c.Packages {
				for _, e := range append(q.typeErrs, q.listErrs...) {
					t.Errorf("%s: %s: %s: %s", dir, q.Path, e.Pos, e.Msg)
				}
			}
		}
	}
}
