package clone

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// errURL says that an address is none that git is given. It does not repeat it: there may be a password in it.
var errURL = errors.New("the address of a repository is https or http, without user name and password")

// address returns what git is told, and arguments for the command that speaks to it.
func address(remote *campaign.Remote, service string) (string, []string, error) {
	if remote.Local {
		if !filepath.IsAbs(remote.URL) || strings.ContainsAny(remote.URL, "\n\r\x00") {
			return "", nil, fmt.Errorf("the directory of a local repository is absolute: %q", remote.URL)
		}
		// By file:// and not by name: git would link the files of a directory it is given by name.
		at := url.URL{Scheme: "file", Path: filepath.ToSlash(remote.URL)}
		return "file://" + at.Path, []string{"--" + service + "=git " + serverSettings + " " + service}, nil
	}
	at, err := url.Parse(remote.URL)
	if err != nil || at.Scheme != "https" && at.Scheme != "http" || at.Host == "" || at.User != nil || at.RawQuery != "" || at.Fragment != "" ||
		strings.ContainsFunc(remote.URL, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return "", nil, errURL
	}
	return remote.URL, nil, nil
}

// A listing is what a remote has.
type listing struct {
	// head is the default branch with its commit; "" where there is none.
	head, headCommit string
	refs             map[string]string
}

// list asks a remote for its default branch and some refs.
func (g *Git) list(ctx context.Context, gitDir string, remote *campaign.Remote, refs ...string) (*listing, error) {
	at, more, err := address(remote, "upload-pack")
	if err != nil {
		return nil, err
	}
	args := append([]string{"ls-remote", "--quiet", "--symref"}, more...)
	args = append(append(args, "--", at, "HEAD"), refs...)
	out, err := g.run(ctx, command{gitDir: gitDir, args: args, remote: remote})
	if err != nil {
		return nil, err
	}
	l := &listing{refs: map[string]string{}}
	for _, line := range lines(out) {
		value, name, ok := strings.Cut(line, "\t")
		if !ok {
			continue
		}
		if target, ok := strings.CutPrefix(value, "ref: "); ok {
			if branch, ok := strings.CutPrefix(target, "refs/heads/"); ok && name == "HEAD" {
				l.head = branch
			}
			continue
		}
		if !isHash(value) {
			return nil, fmt.Errorf("the remote names a commit %q", clean(value, nil))
		}
		l.refs[name] = value
	}
	l.headCommit = l.refs["HEAD"]
	return l, nil
}

// isHash reports whether a word is the whole name of an object.
func isHash(s string) bool {
	return (len(s) == 40 || len(s) == 64) && strings.Trim(s, "0123456789abcdef") == ""
}

// checkBranch refuses names that git would not take for branches.
func (g *Git) checkBranch(ctx context.Context, gitDir, name string) error {
	if name == "" || strings.HasPrefix(name, "-") {
		return fmt.Errorf("%q is no name for a branch", name)
	}
	_, err := g.run(ctx, command{gitDir: gitDir, args: []string{"check-ref-format", "refs/heads/" + name}})
	var failed *Error
	if errors.As(err, &failed) {
		return fmt.Errorf("%q is no name for a branch", name)
	}
	return err
}
