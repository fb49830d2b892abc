package sandbox

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// seed returns the directory with what the go command makes of the standard library, made by a command of our own when it is not
// there; "" where none is kept, or it cannot be made.
func (b *Bubblewrap) seed(ctx context.Context) (string, error) {
	b.seeding.Lock()
	defer b.seeding.Unlock()
	if b.Seeds == "" {
		return "", nil
	}
	key := sha256.Sum256([]byte(b.golang.GOROOT + "\x00" + b.golang.GOVERSION + "\x00" + b.standard))
	seed := filepath.Join(b.Seeds, fmt.Sprintf("%s-%x", b.golang.GOVERSION, key[:4]))
	if _, err := os.Stat(seed); err == nil {
		return seed, nil
	}
	if err := os.MkdirAll(b.Seeds, 0o700); err != nil {
		return "", err
	}
	made, err := os.MkdirTemp(b.Seeds, ".making-")
	if err != nil {
		return "", err
	}
	defer removeAll(made)
	dir, err := os.MkdirTemp("", "ctxmend-sandbox-")
	if err != nil {
		return "", err
	}
	defer removeAll(dir)
	result, err := b.run(ctx, campaign.SandboxCommand{Dir: dir, Args: []string{"go", "build", b.standard}, Cache: made, Time: time.Hour}, "")
	if err == nil && !result.OK {
		b.Seeds = "" // it would not be made at the next try
	}
	if err != nil || !result.OK {
		return "", err
	}
	if err := os.Rename(made, seed); err != nil && !errors.Is(err, fs.ErrExist) {
		if _, there := os.Stat(seed); there != nil { // another process may have been first
			return "", err
		}
	}
	return seed, nil
}

// plant makes a build cache of links to the files of a seed, as they are seen from inside of the sandbox, where nobody can write to them.
func plant(seed, cache string) error {
	if _, err := os.Lstat(filepath.Join(cache, "00")); err == nil {
		return nil // a command before this one had it planted
	}
	return filepath.WalkDir(seed, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(seed, name)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if rel == "." {
				return nil
			}
			return os.Mkdir(filepath.Join(cache, rel), 0o700)
		}
		if filepath.Dir(rel) == "." {
			return nil // when it was last tidied up, and what it is
		}
		return os.Symlink(filepath.Join(insideSeed, rel), filepath.Join(cache, rel))
	})
}
