package clone

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// Names within a clone.
const (
	gitDirName = ".git"
	// markName is a file of the git directory that says which remote it is a clone of.
	markName    = "ctxmend-clone"
	historyName = "ctxmend-history"
	baseRef     = "refs/ctxmend/base"
)

// gitDir returns the directory of a clone that is git's.
func gitDir(dir string) string { return filepath.Join(dir, gitDirName) }

// Clone makes dir a clone of remote, or brings the one that is there up to date. Of what is too large or unsafe nothing is left.
func (g *Git) Clone(ctx context.Context, remote campaign.Remote, dir string) (_ campaign.Base, err error) {
	defer func() {
		if errors.Is(err, campaign.ErrTooLarge) || errors.Is(err, campaign.ErrHostile) {
			err = errors.Join(err, clear(dir, ""))
		}
	}()
	if !filepath.IsAbs(dir) {
		return campaign.Base{}, fmt.Errorf("the directory of a clone is absolute: %q", dir)
	}
	if _, _, err := address(&remote, "upload-pack"); err != nil {
		return campaign.Base{}, err
	}
	mark := "1 " + remote.URL + "\n"
	if have, err := os.ReadFile(filepath.Join(gitDir(dir), markName)); err == nil && string(have) == mark {
		base, err := g.update(ctx, &remote, dir)
		var failed *Error
		// What an interrupted command has left may be beyond mending, and what was fetched before may be all that is too large.
		if err == nil || ctx.Err() != nil || !errors.As(err, &failed) && !errors.Is(err, campaign.ErrTooLarge) || errors.Is(err, campaign.ErrNoAccess) {
			return base, err
		}
	}
	if err := g.create(ctx, dir, mark); err != nil {
		return campaign.Base{}, err
	}
	return g.update(ctx, &remote, dir)
}

// create makes an empty repository in dir, and nothing else.
func (g *Git) create(ctx context.Context, dir, mark string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	if err := clear(dir, ""); err != nil {
		return err
	}
	if err := g.init(ctx, gitDir(dir)); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(gitDir(dir), markName), []byte(mark), 0o644)
}

// init makes an empty repository.
func (g *Git) init(ctx context.Context, at string) error {
	if err := os.Mkdir(at, 0o755); err != nil {
		return err
	}
	_, err := g.run(ctx, command{gitDir: at, args: []string{"init", "--quiet", "--bare", "--template=", "--initial-branch=none"}})
	return err
}

// update fetches the newest commit of the default branch and puts its files in place.
func (g *Git) update(ctx context.Context, remote *campaign.Remote, dir string) (campaign.Base, error) {
	at := gitDir(dir)
	if err := unlock(at); err != nil {
		return campaign.Base{}, err
	}
	base, err := g.fetchBase(ctx, remote, at)
	if err != nil {
		return campaign.Base{}, err
	}
	used, err := size(at)
	if err != nil {
		return campaign.Base{}, err
	}
	most := cmp.Or(remote.MaxBytes, defaultBytes)
	if used > most {
		return campaign.Base{}, tooLarge(most)
	}
	return base, g.write(ctx, at, base.Commit, dir, most-used)
}

// fetchBase fetches the newest commit of the default branch, if it is not there.
func (g *Git) fetchBase(ctx context.Context, remote *campaign.Remote, at string) (campaign.Base, error) {
	listed, err := g.list(ctx, at, remote)
	if err != nil {
		return campaign.Base{}, err
	}
	if listed.headCommit == "" {
		return campaign.Base{}, fmt.Errorf("%w: its default branch has no commit", campaign.ErrEmpty)
	}
	if listed.head == "" {
		return campaign.Base{}, fmt.Errorf("%w: it has no default branch", campaign.ErrUnfit)
	}
	if err := g.checkBranch(ctx, at, listed.head); err != nil {
		return campaign.Base{}, fmt.Errorf("%w: default branch: %w", campaign.ErrHostile, err)
	}
	base := campaign.Base{Branch: listed.head}
	have, _ := g.resolve(ctx, at, baseRef)
	if have != listed.headCommit {
		if err := g.fetch(ctx, remote, at, []string{"--depth=1"}, "+refs/heads/"+listed.head+":"+baseRef); err != nil {
			return campaign.Base{}, err
		}
	}
	base.Commit, err = g.resolve(ctx, at, baseRef)
	return base, err
}

// fetch fetches refs with no more than what is asked for.
func (g *Git) fetch(ctx context.Context, remote *campaign.Remote, at string, flags []string, refspecs ...string) error {
	url, more, err := address(remote, "upload-pack")
	if err != nil {
		return err
	}
	args := append([]string{"fetch", "--quiet", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--update-shallow", "--force"}, flags...)
	args = append(append(append(args, more...), "--", url), refspecs...)
	_, err = g.run(ctx, command{gitDir: at, args: args, remote: remote, room: cmp.Or(remote.MaxBytes, defaultBytes)})
	return err
}

// resolve returns the commit that a ref or a hash stands for.
func (g *Git) resolve(ctx context.Context, at, rev string) (string, error) {
	out, err := g.run(ctx, command{gitDir: at, args: []string{"rev-parse", "--verify", "--quiet", "--end-of-options", rev + "^{commit}"}})
	if err != nil {
		return "", err
	}
	hash := strings.TrimSpace(string(out))
	if !isHash(hash) {
		return "", fmt.Errorf("git rev-parse printed %q", clean(hash, nil))
	}
	return hash, nil
}

// unlock removes what commands that were killed have left: nobody else works in the clone.
func unlock(at string) error {
	return filepath.WalkDir(at, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			if errors.Is(err, fs.ErrNotExist) {
				return nil
			}
			return err
		}
		if d.IsDir() {
			return nil
		}
		base := d.Name()
		if strings.HasSuffix(base, ".lock") || strings.HasPrefix(base, "tmp_") || strings.HasPrefix(base, indexName) {
			return os.Remove(name)
		}
		return nil
	})
}

// clear removes everything in a directory but one name.
func clear(dir, but string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if e.Name() == but {
			continue
		}
		if err := removeAll(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// removeAll removes a tree in which directories may have been made unreadable.
func removeAll(name string) error {
	if err := os.RemoveAll(name); err == nil || !errors.Is(err, fs.ErrPermission) {
		return err
	}
	_ = filepath.WalkDir(name, func(name string, d fs.DirEntry, err error) error {
		if d != nil && d.IsDir() {
			_ = os.Chmod(name, 0o700)
		}
		return nil
	})
	return os.RemoveAll(name)
}

// size is how much the files below a directory take.
func size(dir string) (int64, error) {
	var sum int64
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // git removes what it is done with
		}
		if err != nil || d.IsDir() {
			return err
		}
		if info, err := d.Info(); err == nil {
			sum += info.Size()
		}
		return nil
	})
	return sum, err
}

func tooLarge(most int64) error {
	return fmt.Errorf("%w: the clone takes more than %d MB", campaign.ErrTooLarge, most>>20)
}
