// Package results keeps what runs have found, so that a run on which nothing has changed need not look again. An entry
// is a file of its own, written beside its place and renamed, with a digest of its content: what was torn or damaged is not there.
package results

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// maxBytes and maxEntries bound what is kept; the entries that were of no use for longest go first.
	maxBytes   = 256 << 20
	maxEntries = 256
	// maxAge is how long an entry that is of no use is kept.
	maxAge = 30 * 24 * time.Hour
	// maxEntry bounds what one entry is when it is read.
	maxEntry = 1 << 30
)

// suffix ends the names of entries.
const suffix = ".result"

// magic begins every entry, and changes with what entries are.
const magic = "ctxmend result 1\n"

// A Cache is a directory of entries.
type Cache struct {
	// Dir is where they lie; it need not exist.
	Dir string
}

// Key names an entry by everything that its content is made for.
func Key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// Get reads an entry into a value, and reports whether there was one. An entry that is damaged is removed.
func (c *Cache) Get(key string, into any) bool {
	name := c.name(key)
	data, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	if decode(data, into) != nil {
		_ = os.Remove(name) // else it is written again
		return false
	}
	return true
}

// Used notes that an entry was of use now.
func (c *Cache) Used(key string, now time.Time) { _ = os.Chtimes(c.name(key), now, now) }

// Put writes an entry, and removes others when there are too many.
func (c *Cache) Put(key string, value any, now time.Time) error {
	data, err := encode(value)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(c.Dir, "tmp-")
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.name(key))
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	c.Used(key, now)
	return c.prune(now)
}

// Usage tells how many entries there are, and how many bytes they take.
func (c *Cache) Usage() (entries int, bytes int64, err error) {
	list, err := c.list()
	for _, e := range list {
		bytes += e.Size()
	}
	return len(list), bytes, err
}

// Clean removes all entries, and what writers that were killed have left.
func (c *Cache) Clean() error {
	list, err := c.list()
	for _, e := range list {
		err = errors.Join(err, c.remove(e))
	}
	return errors.Join(err, c.sweep(func(fs.FileInfo) bool { return true }))
}

func (c *Cache) name(key string) string { return filepath.Join(c.Dir, key+suffix) }

// list returns the entries, those of use last first.
func (c *Cache) list() ([]fs.FileInfo, error) {
	names, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	var list []fs.FileInfo
	for _, d := range names {
		if info, err := d.Info(); err == nil && strings.HasSuffix(d.Name(), suffix) && info.Mode().IsRegular() {
			list = append(list, info)
		}
	}
	slices.SortStableFunc(list, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	return list, err
}

// prune removes what is too old or too much.
func (c *Cache) prune(now time.Time) error {
	list, err := c.list()
	var total int64
	for i, e := range list {
		total += e.Size()
		if i > 0 && (i >= maxEntries || total > maxBytes || now.Sub(e.ModTime()) > maxAge) {
			err = errors.Join(err, c.remove(e))
		}
	}
	return errors.Join(err, c.sweep(func(f fs.FileInfo) bool { return now.Sub(f.ModTime()) > time.Hour }))
}

// sweep removes files that writers have left, where old says so.
func (c *Cache) sweep(old func(fs.FileInfo) bool) error {
	left, err := filepath.Glob(filepath.Join(c.Dir, "tmp-*"))
	for _, name := range left {
		if info, statErr := os.Lstat(name); statErr == nil && old(info) {
			err = errors.Join(err, os.Remove(name))
		}
	}
	return err
}

// remove removes an entry; somebody else may have done so.
func (c *Cache) remove(e fs.FileInfo) error {
	if err := os.Remove(filepath.Join(c.Dir, e.Name())); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func encode(value any) ([]byte, error) {
	var body bytes.Buffer
	zip, err := gzip.NewWriterLevel(&body, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(gob.NewEncoder(zip).Encode(value), zip.Close()); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(body.Bytes())
	return slices.Concat([]byte(magic), sum[:], body.Bytes()), nil
}

var errDamaged = errors.New("the entry is damaged")

func decode(data []byte, into any) error {
	rest, ok := bytes.CutPrefix(data, []byte(magic))
	if !ok || len(rest) < sha256.Size {
		return errDamaged
	}
	sum, body := rest[:sha256.Size], rest[sha256.Size:]
	if sha256.Sum256(body) != [sha256.Size]byte(sum) {
		return errDamaged
	}
	zip, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return err
	}
	return gob.NewDecoder(io.LimitReader(zip, maxEntry)).Decode(into)
}
