package campaign

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/ctxmend/ctxmend/patches"
)

// planMark is a file that tells a directory of ours from one that somebody else needs.
const planMark = ".ctxmend-campaign"

// ErrForeignDirectory means that the directory a plan is to be written to has something else in it.
var ErrForeignDirectory = errors.New("the directory is not empty and was not written by ctxmend")

// WriteFiles writes what a plan would do to a directory, in the place of an earlier plan: report.html, report.json, and for each
// change its diff and the body of its pull request. The changes of the report need their content.
func (r *Report) WriteFiles(dir string) error {
	if err := clearPlan(dir); err != nil {
		return err
	}
	used := map[string]bool{}
	for i := range r.Repositories {
		repo := &r.Repositories[i]
		for j := range repo.Changes {
			c := &repo.Changes[j]
			if c.content == nil || c.State == ChangeObsolete {
				continue
			}
			base := unused(used, filepath.Join(slug(repo.Name), shardFile(c.Shard)))
			c.Diff, c.Body = filepath.ToSlash(base+".diff"), filepath.ToSlash(base+".md")
			diff, err := c.content.Diff()
			if err != nil {
				return fmt.Errorf("%s: %w", repo.Name, err)
			}
			if err := writeFile(dir, c.Diff, diff); err != nil {
				return err
			}
			if err := writeFile(dir, c.Body, []byte("# "+c.Title+"\n\n"+c.content.Body)); err != nil {
				return err
			}
		}
	}
	var page, doc bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		return err
	}
	if err := r.WriteJSON(&doc); err != nil {
		return err
	}
	return errors.Join(writeFile(dir, "report.html", page.Bytes()), writeFile(dir, "report.json", doc.Bytes()))
}

func shardFile(key string) string {
	if s := slug(key); s != "" {
		return s
	}
	return "change"
}

// unused returns the name, or the name with a number: different repositories and shards may have the same slug.
func unused(used map[string]bool, name string) string {
	try := name
	for n := 2; used[try]; n++ {
		try = fmt.Sprintf("%s-%d", name, n)
	}
	used[try] = true
	return try
}

// clearPlan makes an empty directory, or empties one that an earlier plan was written to.
func clearPlan(dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if len(entries) > 0 {
		if _, err := os.Lstat(filepath.Join(dir, planMark)); err != nil {
			return fmt.Errorf("%s: %w", dir, ErrForeignDirectory)
		}
		for _, e := range entries {
			if e.Name() == planMark {
				continue // last: an interrupted run can be taken up
			}
			if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
				return err
			}
		}
	}
	return writeFile(dir, planMark, []byte("ctxmend campaign plan writes here, and removes what it wrote before\n"))
}

func writeFile(dir, name string, data []byte) error {
	path := filepath.Join(dir, filepath.FromSlash(name))
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return err
	}
	return os.WriteFile(path, data, 0o666)
}

// Diff is the change as git apply takes it.
func (c *Content) Diff() ([]byte, error) {
	set := c.set()
	var b bytes.Buffer
	err := set.Unified(&b)
	return b.Bytes(), err
}

// set is the change as a patch set below a root that does not exist: it is shown and never written.
func (c *Content) set() *patches.Set {
	root := filepath.Join(string(filepath.Separator), "repository")
	set := &patches.Set{Root: root, Roots: []string{root}, Base: root}
	for _, f := range c.Changes {
		set.Files = append(set.Files, &patches.File{Name: filepath.Join(root, filepath.FromSlash(f.Name)), Rel: f.Name, Old: f.Before, New: f.After})
	}
	return set
}
