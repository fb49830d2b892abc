package git

import (
	"bytes"
	"context"
	"fmt"
	"strings"
)

// Lines returns what tells which lines of a path are not in a commit as they are now, in the index if staged is set, in the
// working tree otherwise.
func (r *Repo) Lines(ctx context.Context, commit string, staged bool, path string) (func(line int) bool, error) {
	args := []string{"diff-index", "-p", "-U0", "-M", "--no-color", "--no-ext-diff", "--no-textconv"}
	if staged {
		args = append(args, "--cached")
	}
	args = append(args, commit, "--", ":(top,literal)"+path)
	out, err := r.run(ctx, nil, args...)
	if err != nil {
		return nil, err
	}
	type span struct{ first, n int }
	var spans []span
	for line := range bytes.Lines(out) {
		// @@ -1,2 +3,4 @@
		rest, ok := strings.CutPrefix(string(line), "@@ -")
		if !ok {
			continue
		}
		_, rest, _ = strings.Cut(rest, " +")
		rest, _, _ = strings.Cut(rest, " @@")
		s := span{n: 1}
		if _, err := fmt.Sscanf(rest, "%d,%d", &s.first, &s.n); err != nil && s.first == 0 {
			continue
		}
		spans = append(spans, s)
	}
	return func(line int) bool {
		for _, s := range spans {
			if s.first <= line && line < s.first+s.n {
				return true
			}
		}
		return false
	}, nil
}

// MergeBase returns the commit from which a revision and HEAD went different ways.
func (r *Repo) MergeBase(ctx context.Context, rev string) (string, error) {
	commit, err := r.Commit(ctx, rev)
	if err != nil {
		return "", err
	}
	out, err := r.run(ctx, nil, "merge-base", commit, "HEAD")
	if err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		return "", fmt.Errorf("%s and HEAD have no commit in common", rev)
	}
	return strings.TrimSpace(string(out)), nil
}
