package campaign

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/ctxmend/ctxmend/internal/config"
	"github.com/ctxmend/ctxmend/patches/campaign/forge"
)

// ErrNoTargets means that what campaign.yaml chooses is empty.
var ErrNoTargets = errors.New("the targets of the campaign choose no repository")

// Targets finds the repositories of a campaign, in the order of campaign.yaml: those named, then those found. The
// first ones are the canaries.
func (e *Engine) Targets(ctx context.Context) ([]*Repository, error) {
	t := e.Config.Targets
	var list []*Repository
	seen := map[string]bool{}
	left := config.Match(t.Exclude)
	add := func(r *Repository) {
		if len(t.Exclude) > 0 && left(r.Name) || seen[r.Name] {
			return
		}
		seen[r.Name] = true
		r.Order, r.State = len(list), RepositoryNew
		list = append(list, r)
	}
	names, dirs := slices.Clone(t.Repositories), slices.Clone(t.Directories)
	if t.File != "" {
		more, local, err := e.targetFile(t.File)
		if err != nil {
			return nil, err
		}
		names, dirs = append(names, more...), append(dirs, local...)
	}
	if e.Config.Forge.Kind == "none" && len(names) > 0 {
		return nil, fmt.Errorf("%s: %s names a repository of a forge, and forge.kind does not say which forge", t.File, names[0])
	}
	for _, name := range names {
		add(&Repository{Name: string(name)})
	}
	local, err := e.localTargets(dirs)
	if err != nil {
		return nil, err
	}
	for _, r := range local {
		add(r)
	}
	for _, q := range []forge.Query{{Organization: t.Organization}, {Topic: t.Topic}, {Search: t.Search}} {
		if q == (forge.Query{}) {
			continue
		}
		found, err := e.Forge.Repositories(ctx, q)
		if err != nil {
			return nil, err
		}
		for _, info := range found {
			add(&Repository{Name: info.Name, URL: info.CloneURL})
		}
	}
	if len(list) == 0 {
		return nil, ErrNoTargets
	}
	return list, nil
}

// targetFile reads a file of names and directories.
func (e *Engine) targetFile(name string) (names []RepositoryName, dirs []string, err error) {
	data, err := os.ReadFile(e.inDir(name))
	if err != nil {
		return nil, nil, err
	}
	n := 0
	for line := range strings.Lines(string(data)) {
		n++
		line = strings.TrimSpace(line)
		switch {
		case line == "" || line[0] == '#':
		case line[0] == '.' || filepath.IsAbs(line):
			dirs = append(dirs, line)
		case RepositoryName(line).Check() != nil:
			return nil, nil, fmt.Errorf("%s:%d: %q %v", name, n, line, RepositoryName(line).Check())
		default:
			names = append(names, RepositoryName(line))
		}
	}
	return names, dirs, nil
}

func (e *Engine) inDir(name string) string {
	if filepath.IsAbs(name) {
		return filepath.Clean(name)
	}
	return filepath.Join(e.Config.Dir, name)
}

// localTargets finds the repositories that patterns name. A repository is called after its directory, and those
// of one name after as much of their path as tells them apart.
func (e *Engine) localTargets(patterns []string) ([]*Repository, error) {
	var paths []string
	for _, p := range patterns {
		found, err := filepath.Glob(e.inDir(p))
		if err != nil {
			return nil, fmt.Errorf("targets.directories: %q: %w", p, err)
		}
		n := len(paths)
		for _, path := range found {
			if isRepository(path) {
				paths = append(paths, path)
			}
		}
		if len(paths) == n {
			return nil, fmt.Errorf("targets.directories: %q names no git repository", p)
		}
	}
	slices.Sort(paths)
	paths = slices.Compact(paths)
	var list []*Repository
	for _, p := range paths {
		list = append(list, &Repository{Name: shortestName(p, paths), URL: p, Local: true})
	}
	return list, nil
}

func isRepository(path string) bool {
	for _, inside := range []string{".git", "HEAD"} {
		if _, err := os.Stat(filepath.Join(path, inside)); err == nil {
			return true
		}
	}
	return false
}

// shortestName returns as many elements of the end of a path as no other path ends with.
func shortestName(path string, all []string) string {
	elements := func(p string) []string {
		return strings.Split(strings.Trim(strings.TrimSuffix(filepath.ToSlash(p), ".git"), "/"), "/")
	}
	own := elements(path)
	for n := 1; n < len(own); n++ {
		name := strings.Join(own[len(own)-n:], "/")
		alone := !slices.ContainsFunc(all, func(other string) bool {
			return other != path && strings.HasSuffix("/"+strings.Join(elements(other), "/"), "/"+name)
		})
		if alone {
			return name
		}
	}
	return strings.Join(own, "/")
}
