package git

import (
	"cmp"
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Hidden returns the paths of which another program holds back what is not staged while it runs hooks, with the file that it
// keeps that in. It puts it back as a patch, line by line, for which the files have to be what they were.
func (r *Repo) Hidden(ctx context.Context, env []string) (map[string]string, error) {
	patches := []string{
		filepath.Join(r.Common, "info", "lefthook-unstaged.patch"),
		filepath.Join(r.Dir, "info", "lefthook-unstaged.patch"),
		filepath.Join(r.Dir, "lint-staged_unstaged.patch"),
	}
	if getenv(env, "PRE_COMMIT") != "" {
		cache := cmp.Or(getenv(env, "XDG_CACHE_HOME"), filepath.Join(getenv(env, "HOME"), ".cache"))
		store := cmp.Or(getenv(env, "PRE_COMMIT_HOME"), filepath.Join(cache, "pre-commit"))
		// The names end in the number of the process that runs hooks, our parent.
		found, err := filepath.Glob(filepath.Join(store, "patch*-"+strconv.Itoa(os.Getppid())))
		if err != nil {
			return nil, err
		}
		patches = append(patches, found...)
	}
	hidden := map[string]string{}
	for _, patch := range patches {
		if info, err := os.Stat(patch); err != nil || info.Size() == 0 {
			continue
		}
		out, err := r.run(ctx, nil, "apply", "--numstat", "-z", "--unidiff-zero", patch)
		if err != nil {
			return nil, err
		}
		for _, line := range fields(out) {
			if words := strings.SplitN(line, "\t", 3); len(words) == 3 {
				hidden[words[2]] = patch
			}
		}
	}
	return hidden, nil
}
