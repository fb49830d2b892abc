package queue

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/ctxmend/ctxmend/patches/campaign"
)

// ErrNoCampaign means that the database does not know a campaign of that name.
var ErrNoCampaign = errors.New("there is no such campaign in the database")

// errLost means that somebody else has stored the same repository or change meanwhile.
var errLost = errors.New("it was changed by another process meanwhile")

// A querier is a transaction or the database itself.
type querier interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// A Stored campaign is what a process needs in order to work on it.
type Stored struct {
	Name   string
	Mode   campaign.Mode
	Config string // campaign.yaml
	Dir    string // where that lay
}

// Campaigns returns all there are, by name.
func (db *DB) Campaigns(ctx context.Context) ([]Stored, error) {
	return all(ctx, db.sql, func(row scanner, s *Stored) error { return row.Scan(&s.Name, &s.Mode, &s.Config, &s.Dir) },
		`SELECT name, mode, config, dir FROM ctxmend_campaign ORDER BY name`)
}

// Campaign returns one.
func (db *DB) Campaign(ctx context.Context, name string) (Stored, error) {
	return stored(ctx, db.sql, name)
}

func stored(ctx context.Context, q querier, name string) (Stored, error) {
	s := Stored{Name: name}
	err := q.QueryRowContext(ctx, `SELECT mode, config, dir FROM ctxmend_campaign WHERE name = $1`, name).Scan(&s.Mode, &s.Config, &s.Dir)
	if errors.Is(err, sql.ErrNoRows) {
		return s, fmt.Errorf("%w: %s", ErrNoCampaign, name)
	}
	return s, err
}

// Load returns all of a campaign, the changes without their content, in the order of the targets.
func (db *DB) Load(ctx context.Context, name string) ([]*campaign.Repository, []*campaign.Change, error) {
	rows, err := loadAll(ctx, db.sql, name)
	return rows.repositories, rows.changes, err
}

// Content loads the content of a change.
func (db *DB) Content(ctx context.Context, name string, c *campaign.Change) error {
	var packed []byte
	err := db.sql.QueryRowContext(ctx, `SELECT content FROM ctxmend_change WHERE campaign = $1 AND repository = $2 AND shard = $3`, name, c.Repository, c.Shard).Scan(&packed)
	if err != nil {
		return err
	}
	c.Content, err = unpack(packed)
	return err
}

// rows are repositories and changes with the versions they have in the database.
type rows struct {
	repositories []*campaign.Repository
	changes      []*campaign.Change
	versions     map[any]int64 // by *Repository and *Change
}

func loadAll(ctx context.Context, q querier, name string) (*rows, error) {
	l := &rows{versions: map[any]int64{}}
	return l, errors.Join(
		l.addRepositories(ctx, q, `SELECT version, doc FROM ctxmend_repository WHERE campaign = $1`, name),
		l.addChanges(ctx, q, `SELECT version, doc, NULL FROM ctxmend_change WHERE campaign = $1`, name),
	)
}

// loadOne loads a repository and its changes, with their content.
func loadOne(ctx context.Context, q querier, name, repository string) (*rows, error) {
	l := &rows{versions: map[any]int64{}}
	err := errors.Join(
		l.addRepositories(ctx, q, `SELECT version, doc FROM ctxmend_repository WHERE campaign = $1 AND name = $2`, name, repository),
		l.addChanges(ctx, q, `SELECT version, doc, content FROM ctxmend_change WHERE campaign = $1 AND repository = $2`, name, repository),
	)
	if err == nil && len(l.repositories) == 0 {
		err = fmt.Errorf("%s: %w", repository, sql.ErrNoRows)
	}
	return l, err
}

func (l *rows) addRepositories(ctx context.Context, q querier, query string, args ...any) error {
	list, err := all(ctx, q, func(row scanner, r **campaign.Repository) error {
		*r = &campaign.Repository{}
		var version int64
		var doc []byte
		if err := row.Scan(&version, &doc); err != nil {
			return err
		}
		l.versions[*r] = version
		return json.Unmarshal(doc, *r)
	}, query, args...)
	slices.SortFunc(list, func(a, b *campaign.Repository) int {
		return cmp.Or(cmp.Compare(a.Order, b.Order), cmp.Compare(a.Name, b.Name))
	})
	l.repositories = list
	return err
}

func (l *rows) addChanges(ctx context.Context, q querier, query string, args ...any) error {
	list, err := all(ctx, q, func(row scanner, c **campaign.Change) error {
		*c = &campaign.Change{}
		var version int64
		var doc, packed []byte
		if err := row.Scan(&version, &doc, &packed); err != nil {
			return err
		}
		l.versions[*c] = version
		if err := json.Unmarshal(doc, *c); err != nil {
			return err
		}
		var err error
		(*c).Content, err = unpack(packed)
		return err
	}, query, args...)
	order := map[string]int{}
	for _, r := range l.repositories {
		order[r.Name] = r.Order
	}
	slices.SortFunc(list, func(a, b *campaign.Change) int {
		return cmp.Or(cmp.Compare(order[a.Repository], order[b.Repository]), cmp.Compare(a.Repository, b.Repository), cmp.Compare(a.Shard, b.Shard))
	})
	l.changes = list
	return err
}

// saveRepository stores a repository that has not been changed since it was loaded, or is new.
func (l *rows) saveRepository(ctx context.Context, q querier, name string, r *campaign.Repository) error {
	doc, err := json.Marshal(r)
	if err != nil {
		return err
	}
	version, ok := l.versions[r]
	if !ok {
		return one(q.ExecContext(ctx, `INSERT INTO ctxmend_repository (campaign, name, state, version, doc) VALUES ($1, $2, $3, 1, $4) ON CONFLICT DO NOTHING`,
			name, r.Name, string(r.State), string(doc)))
	}
	return one(q.ExecContext(ctx, `UPDATE ctxmend_repository SET state = $1, version = version + 1, doc = $2 WHERE campaign = $3 AND name = $4 AND version = $5`,
		string(r.State), string(doc), name, r.Name, version))
}

// saveChange is the same for a change. Content that was not loaded stays as it is.
func (l *rows) saveChange(ctx context.Context, q querier, name string, c *campaign.Change) error {
	doc, err := json.Marshal(c)
	if err != nil {
		return err
	}
	packed, err := pack(c.Content)
	if err != nil {
		return err
	}
	version, ok := l.versions[c]
	if !ok {
		return one(q.ExecContext(ctx, `INSERT INTO ctxmend_change (campaign, repository, shard, state, version, doc, content) VALUES ($1, $2, $3, $4, 1, $5, $6) ON CONFLICT DO NOTHING`,
			name, c.Repository, c.Shard, string(c.State), string(doc), packed))
	}
	return one(q.ExecContext(ctx, `UPDATE ctxmend_change SET state = $1, version = version + 1, doc = $2, content = COALESCE($3, content)
		WHERE campaign = $4 AND repository = $5 AND shard = $6 AND version = $7`,
		string(c.State), string(doc), packed, name, c.Repository, c.Shard, version))
}

// one makes sure that a statement has changed one row.
func one(res sql.Result, err error) error {
	if err != nil {
		return err
	}
	n, err := res.RowsAffected()
	if err == nil && n != 1 {
		err = errLost
	}
	return err
}

type scanner interface{ Scan(into ...any) error }

// all reads the rows of a query.
func all[T any](ctx context.Context, q querier, scan func(scanner, *T) error, query string, args ...any) ([]T, error) {
	found, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	var list []T
	for found.Next() {
		var v T
		if err := scan(found, &v); err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, found.Err()
}

func pack(c *campaign.Content) ([]byte, error) {
	if c == nil {
		return nil, nil
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if err := json.NewEncoder(w).Encode(c); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

func unpack(packed []byte) (*campaign.Content, error) {
	if len(packed) == 0 {
		return nil, nil
	}
	r, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, err
	}
	var c campaign.Content
	if err := json.NewDecoder(r).Decode(&c); err != nil {
		return nil, err
	}
	return &c, nil
}
