package clone

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// indexName begins the names of the indexes that commits are made in.
const indexName = "ctxmend-index-"

// Commit makes a commit of its parent's files with changes, and touches nothing but objects.
func (g *Git) Commit(ctx context.Context, dir string, c campaign.Commit) (string, error) {
	at := gitDir(dir)
	parent, err := g.resolve(ctx, at, c.Parent)
	if err != nil {
		return "", err
	}
	entries, err := g.entries(ctx, at, parent)
	if err != nil {
		return "", err
	}
	info, err := g.indexInfo(ctx, at, entries, c.Changes)
	if err != nil {
		return "", err
	}
	index, err := os.CreateTemp(at, indexName)
	if err != nil {
		return "", err
	}
	index.Close()
	defer os.Remove(index.Name())
	if err := os.Remove(index.Name()); err != nil { // git takes an empty file for a broken index
		return "", err
	}
	env := []string{"GIT_INDEX_FILE=" + index.Name()}
	if _, err := g.run(ctx, command{gitDir: at, args: []string{"read-tree", parent}, env: env}); err != nil {
		return "", err
	}
	if _, err := g.run(ctx, command{gitDir: at, args: []string{"update-index", "-z", "--index-info"}, env: env, stdin: info}); err != nil {
		return "", err
	}
	tree, err := g.hash(ctx, command{gitDir: at, args: []string{"write-tree"}, env: env})
	if err != nil {
		return "", err
	}
	if env, err = g.identity(ctx, at, parent, &c); err != nil {
		return "", err
	}
	message := strings.TrimRight(c.Message, "\n") + "\n"
	return g.hash(ctx, command{gitDir: at, args: []string{"commit-tree", "-p", parent, "-F", "-", tree}, env: env, stdin: []byte(message)})
}

// indexInfo writes the objects of changed files, and returns what git update-index --index-info reads.
func (g *Git) indexInfo(ctx context.Context, at string, entries []entry, changes []campaign.FileChange) ([]byte, error) {
	have := make(map[string]entry, len(entries))
	for _, e := range entries {
		have[e.name] = e
	}
	var info bytes.Buffer
	for _, change := range changes {
		mode, err := checkChange(have, change)
		if err != nil {
			return nil, err
		}
		if change.After == nil {
			fmt.Fprintf(&info, "0 %040d\t%s\x00", 0, change.Name)
			continue
		}
		object, err := g.hash(ctx, command{gitDir: at, args: []string{"hash-object", "-w", "-t", "blob", "--no-filters", "--stdin"}, stdin: change.After})
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&info, "%s %s\t%s\x00", mode, object, change.Name)
	}
	return info.Bytes(), nil
}

// checkChange makes sure that a change is one of a plain file that is what it was when the change was planned, and returns its mode.
func checkChange(have map[string]entry, change campaign.FileChange) (string, error) {
	name := change.Name
	if err := checkName(name); err != nil {
		return "", err
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if e, ok := have[dir]; ok {
			return "", fmt.Errorf("%w: %q lies below %q, which is no directory (mode %s)", campaign.ErrHostile, name, dir, e.mode)
		}
	}
	e, ok := have[name]
	switch {
	case !ok && change.Before != nil:
		return "", fmt.Errorf("%q is not in the commit that it was planned on", name)
	case !ok:
		return modeFile, nil
	case change.Before == nil:
		return "", fmt.Errorf("%q is in the commit already", name)
	case e.mode == modeSymlink:
		return "", fmt.Errorf("%w: %q is a symbolic link", campaign.ErrHostile, name)
	case blobHash(change.Before, len(e.hash)) != e.hash:
		return "", fmt.Errorf("%q is not what it was when the change was planned", name)
	}
	return e.mode, nil
}

// blobHash is what git calls the contents of a file, where names of objects have so many digits.
func blobHash(data []byte, digits int) string {
	var h hash.Hash = sha1.New()
	if digits == 2*sha256.Size {
		h = sha256.New()
	}
	fmt.Fprintf(h, "blob %d\x00", len(data))
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

// hash runs a command that prints the name of an object.
func (g *Git) hash(ctx context.Context, c command) (string, error) {
	out, err := g.run(ctx, c)
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(string(out))
	if !isHash(name) {
		return "", fmt.Errorf("git %s printed %q", c.args[0], clean(name, nil))
	}
	return name, nil
}

// identity returns the variables that say who commits when. Where no time is given it is that of the parent, so that the same
// commit has the same hash.
func (g *Git) identity(ctx context.Context, at, parent string, c *campaign.Commit) ([]string, error) {
	if strings.ContainsAny(c.Name+c.Email, "<>\n\r\x00") || strings.TrimSpace(c.Name) == "" || strings.TrimSpace(c.Email) == "" {
		return nil, fmt.Errorf("%q <%s> cannot be the author of a commit", c.Name, c.Email)
	}
	if strings.ContainsRune(c.Message, 0) || strings.TrimSpace(c.Message) == "" {
		return nil, errors.New("the message of a commit is empty, or has a NUL in it")
	}
	when := c.When.Unix()
	if c.When.IsZero() {
		infos, err := g.commits(ctx, at, []string{parent})
		if err != nil {
			return nil, err
		}
		when = infos[0].when
	}
	date := fmt.Sprintf("@%d +0000", max(when, 0))
	return []string{
		"GIT_AUTHOR_NAME=" + c.Name, "GIT_AUTHOR_EMAIL=" + c.Email, "GIT_AUTHOR_DATE=" + date,
		"GIT_COMMITTER_NAME=" + c.Name, "GIT_COMMITTER_EMAIL=" + c.Email, "GIT_COMMITTER_DATE=" + date,
	}, nil
}

// Branch says what the remote has under a branch's name.
func (g *Git) Branch(ctx context.Context, remote campaign.Remote, dir, name string) (campaign.Branch, error) {
	at := gitDir(dir)
	var none campaign.Branch
	if err := g.checkBranch(ctx, at, name); err != nil {
		return none, err
	}
	ref := "refs/heads/" + name
	listed, err := g.list(ctx, at, &remote, ref)
	if err != nil {
		return none, err
	}
	tip := listed.refs[ref]
	if tip == "" || listed.headCommit == "" || listed.head == "" {
		return campaign.Branch{Commit: tip}, nil
	}
	if tip == listed.headCommit {
		return campaign.Branch{Commit: tip}, nil
	}
	history := filepath.Join(at, historyName)
	defer removeAll(history)
	// Mostly the branch is one commit on a recent one of the default branch. Where it is not, nothing less than the whole
	// history tells which commits the default branch contains.
	for _, flags := range [][]string{{"--filter=tree:0", "--depth=50"}, {"--filter=tree:0"}} {
		if err := removeAll(history); err != nil {
			return none, err
		}
		if err := g.init(ctx, history); err != nil {
			return none, err
		}
		if err := g.fetch(ctx, &remote, history, flags, "+refs/heads/"+listed.head+":"+baseRef, "+"+ref+":refs/ctxmend/tip"); err != nil {
			return none, err
		}
		b, certain, err := g.beyond(ctx, history)
		if err != nil || certain {
			return b, err
		}
	}
	return none, errors.New("the history of the branch could not be read")
}

// maxCommits is how many commits of a branch are told.
const maxCommits = 50

// beyond returns the commits of the tip that the base does not contain, and whether what has been fetched is enough to tell.
func (g *Git) beyond(ctx context.Context, history string) (b campaign.Branch, certain bool, err error) {
	if b.Commit, err = g.resolve(ctx, history, "refs/ctxmend/tip"); err != nil {
		return b, false, err
	}
	out, err := g.run(ctx, command{gitDir: history, args: []string{"rev-list", "--topo-order", "--max-count=" + strconv.Itoa(maxCommits), "refs/ctxmend/tip", "^" + baseRef}})
	if err != nil {
		return b, false, err
	}
	hashes := lines(out)
	cut, err := os.ReadFile(filepath.Join(history, "shallow"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return b, false, err
	}
	if boundary := lines(cut); len(boundary) > 0 && (len(hashes) > 1 || len(hashes) == 1 && slices.Contains(boundary, hashes[0])) {
		return b, false, nil
	}
	infos, err := g.commits(ctx, history, hashes)
	for _, info := range infos {
		b.Commits = append(b.Commits, info.CommitInfo)
	}
	return b, true, err
}

// A madeCommit is a commit with the second it was made in.
type madeCommit struct {
	campaign.CommitInfo
	when int64
}

// commits reads commits.
func (g *Git) commits(ctx context.Context, at string, hashes []string) ([]madeCommit, error) {
	var list []madeCommit
	for _, hash := range hashes {
		out, err := g.run(ctx, command{gitDir: at, args: []string{"cat-file", "commit", hash}})
		if err != nil {
			return nil, err
		}
		list = append(list, parseCommit(hash, string(out)))
	}
	return list, nil
}

// parseCommit reads a commit object. A header goes on in lines that begin with a space.
func parseCommit(hash, text string) madeCommit {
	c := madeCommit{CommitInfo: campaign.CommitInfo{Hash: hash}}
	head, message, _ := strings.Cut(text, "\n\n")
	c.Message = message
	for line := range strings.Lines(head) {
		who, ok := strings.CutPrefix(strings.TrimSuffix(line, "\n"), "committer ")
		if !ok {
			continue
		}
		open, end := strings.IndexByte(who, '<'), strings.LastIndexByte(who, '>')
		if open < 0 || end < open {
			break
		}
		c.CommitterName, c.CommitterEmail = strings.TrimSpace(who[:open]), who[open+1:end]
		seconds, _, _ := strings.Cut(strings.TrimSpace(who[end+1:]), " ")
		c.when, _ = strconv.ParseInt(cmp.Or(seconds, "0"), 10, 64)
		break
	}
	return c
}
