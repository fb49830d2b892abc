package main

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestRelease holds the release configuration to what there is: the commands that it runs work, the files it packs exist or are made
// by them, the variable it sets is there, and .ci/run builds every target.
func TestRelease(t *testing.T) {
	data, err := os.ReadFile("../../.goreleaser.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var release struct {
		Before struct{ Hooks []string }
		Builds []struct {
			Main         string
			Ldflags      []string
			Env          []string
			Goos, Goarch []string
		}
		Archives []struct{ Files []yaml.Node }
	}
	if err := yaml.Unmarshal(data, &release); err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, hook := range release.Before.Hooks {
		m := regexp.MustCompile(`go run \./cmd/ctxmend ([a-z ]+) > (\S+)"`).FindStringSubmatch(hook)
		if m == nil {
			continue
		}
		made[m[2][:strings.LastIndexByte(m[2], '/')]] = true
		if out := runApp(t, exitOK, strings.Fields(m[1])...); !strings.Contains(strings.ToLower(out), "ctxmend") {
			t.Errorf("ctxmend %s prints %.80q", m[1], out)
		}
	}
	for _, node := range release.Archives[0].Files {
		name := node.Value
		if node.Kind == yaml.MappingNode {
			name = node.Content[1].Value
		}
		if dir, below := strings.CutSuffix(name, "/*"); below && made[dir] {
			continue
		}
		if _, err := os.Stat("../../" + name); err != nil {
			t.Errorf("archives want %s: %v", name, err)
		}
	}
	b := release.Builds[0]
	if !slices.Contains(b.Env, "CGO_ENABLED=0") {
		t.Error("the binaries are not static")
	}
	if !strings.Contains(b.Ldflags[0], "-X main.releaseVersion=") {
		t.Errorf("the linker is told %q", b.Ldflags)
	}
	ci, err := os.ReadFile("../../.ci/run")
	if err != nil {
		t.Fatal(err)
	}
	for _, goos := range b.Goos {
		for _, goarch := range b.Goarch {
			if !regexp.MustCompile(`(?m)^releases="[^"]*\b` + goos + "/" + goarch + `\b`).Match(ci) {
				t.Errorf(".ci/run does not build %s/%s", goos, goarch)
			}
		}
	}
}
