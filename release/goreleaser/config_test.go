// Package goreleaser holds the release configuration to what goreleaser itself reads. It is a module of its own, so that
// ctxmend does not depend on goreleaser.
package goreleaser

import (
	"testing"

	"github.com/goreleaser/goreleaser/v2/pkg/config"
)

// TestGoreleaserReadsTheConfiguration: unknown fields and wrong types are errors to goreleaser.
func TestGoreleaserReadsTheConfiguration(t *testing.T) {
	project, err := config.Load("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if len(project.Builds) != 1 || len(project.Archives) != 1 || project.Checksum.NameTemplate == "" {
		t.Errorf("%d builds, %d archives, checksums %q", len(project.Builds), len(project.Archives), project.Checksum.NameTemplate)
	}
}
