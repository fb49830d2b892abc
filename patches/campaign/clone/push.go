package clone

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// Push makes the remote's branch point to a commit, if it is where it is expected to be.
func (g *Git) Push(ctx context.Context, remote campaign.Remote, dir, name, commit, expected string) error {
	if !isHash(commit) {
		return fmt.Errorf("%q is no commit", clean(commit, nil))
	}
	return g.push(ctx, &remote, dir, name, commit, expected)
}

// Delete removes the remote's branch, if it is where it is expected to be.
func (g *Git) Delete(ctx context.Context, remote campaign.Remote, dir, name, expected string) error {
	if err := g.checkBranch(ctx, gitDir(dir), name); err != nil {
		return err
	}
	listed, err := g.list(ctx, gitDir(dir), &remote, "refs/heads/"+name)
	if err != nil {
		return err
	}
	switch at := listed.refs["refs/heads/"+name]; {
	case at == "":
		return nil
	case at != expected:
		return moved(name, at, expected)
	}
	return g.push(ctx, &remote, dir, name, "", expected)
}

// push moves a branch of the remote, or with no commit deletes it. It never touches the default branch: no plan of ours needs that.
func (g *Git) push(ctx context.Context, remote *campaign.Remote, dir, name, commit, expected string) error {
	at := gitDir(dir)
	if expected != "" && !isHash(expected) {
		return fmt.Errorf("%q is no commit", clean(expected, nil))
	}
	if err := g.checkBranch(ctx, at, name); err != nil {
		return err
	}
	ref := "refs/heads/" + name
	listed, err := g.list(ctx, at, remote, ref)
	if err != nil {
		return err
	}
	if listed.head == name {
		return fmt.Errorf("%s is the default branch: it is never pushed to", name)
	}
	switch there := listed.refs[ref]; {
	case there == commit:
		return nil // an earlier try came through
	case there != expected:
		return moved(name, there, expected)
	}
	url, more, err := address(remote, "receive-pack")
	if err != nil {
		return err
	}
	args := append([]string{"push", "--porcelain", "--no-verify", "--no-signed", "--no-follow-tags", "--recurse-submodules=no", "--force-with-lease=" + ref + ":" + expected}, more...)
	args = append(args, "--", url, commit+":"+ref)
	out, err := g.run(ctx, command{gitDir: at, args: args, remote: remote})
	var failed *Error
	if !errors.As(err, &failed) {
		return err
	}
	for _, line := range lines(out) {
		if !strings.HasPrefix(line, "!") {
			continue
		}
		said := clean(line[1:], secrets(remote.Access))
		switch {
		case strings.Contains(said, "(stale info)"), strings.Contains(said, "(fetch first)"), strings.Contains(said, "(non-fast-forward)"),
			strings.Contains(said, "failed to update ref"), strings.Contains(said, "cannot lock ref"), strings.Contains(said, "reference already exists"):
			return fmt.Errorf("%w: %s", campaign.ErrLease, said)
		}
		if strings.Contains(said, "[remote rejected]") {
			return fmt.Errorf("%w: %s: %w", campaign.ErrRefused, said, err)
		}
		return fmt.Errorf("the branch cannot be pushed: %s: %w", said, err)
	}
	return err
}

func moved(name, at, expected string) error {
	if at == "" {
		at = "gone"
	}
	if expected == "" {
		return fmt.Errorf("%w: %s exists, at %s", campaign.ErrLease, name, at)
	}
	return fmt.Errorf("%w: %s is %s, and was %s", campaign.ErrLease, name, at, expected)
}
