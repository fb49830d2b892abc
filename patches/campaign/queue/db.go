package queue

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // PostgreSQL, as "pgx"
	"github.com/riverqueue/river/riverdriver"
	"github.com/riverqueue/river/riverdriver/riverdatabasesql"
	"github.com/riverqueue/river/riverdriver/riversqlite"
	"github.com/riverqueue/river/rivermigrate"
	_ "modernc.org/sqlite" // as "sqlite"
)

// A DB is the database of some campaigns.
type DB struct {
	sql      *sql.DB
	driver   riverdriver.Driver[*sql.Tx]
	postgres bool
}

// tables are what is kept besides River's own tables. Times are milliseconds since 1970, documents JSON.
var tables = []string{
	`CREATE TABLE IF NOT EXISTS ctxmend_campaign (
		name TEXT PRIMARY KEY, mode TEXT NOT NULL, config TEXT NOT NULL, dir TEXT NOT NULL, turn BIGINT NOT NULL)`,
	`CREATE TABLE IF NOT EXISTS ctxmend_repository (
		campaign TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, version BIGINT NOT NULL, doc TEXT NOT NULL,
		PRIMARY KEY (campaign, name))`,
	`CREATE TABLE IF NOT EXISTS ctxmend_change (
		campaign TEXT NOT NULL, repository TEXT NOT NULL, shard TEXT NOT NULL, state TEXT NOT NULL, version BIGINT NOT NULL,
		doc TEXT NOT NULL, content BYTEA,
		PRIMARY KEY (campaign, repository, shard))`,
	`CREATE TABLE IF NOT EXISTS ctxmend_claim (
		job BIGINT PRIMARY KEY, worker TEXT NOT NULL, until BIGINT NOT NULL)`,
}

// Open opens a database, and makes it what this version needs: postgres://..., or the name of a file.
func Open(ctx context.Context, name string) (*DB, error) {
	db, err := connect(name)
	if err != nil {
		return nil, err
	}
	if err := db.migrate(ctx); err != nil {
		db.sql.Close()
		return nil, fmt.Errorf("the campaign's database: %w", withoutPassword(err, name))
	}
	return db, nil
}

// IsPostgres tells whether a database lies on a PostgreSQL server.
func IsPostgres(name string) bool {
	return strings.HasPrefix(name, "postgres://") || strings.HasPrefix(name, "postgresql://")
}

func connect(name string) (*DB, error) {
	if IsPostgres(name) {
		pool, err := sql.Open("pgx", name)
		if err != nil {
			return nil, withoutPassword(err, name)
		}
		return &DB{sql: pool, driver: riverdatabasesql.New(pool), postgres: true}, nil
	}
	// It holds code of repositories that may be private, for nobody else on this machine to read. SQLite gives the files beside it the same mode.
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := file.Close(); err != nil {
		return nil, err
	}
	// The path is escaped for the URL that SQLite takes: it may hold ? and %.
	pool, err := sql.Open("sqlite", "file:"+(&url.URL{Path: name}).EscapedPath()+"?_txlock=immediate&_pragma=busy_timeout(30000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)")
	if err != nil {
		return nil, err
	}
	pool.SetMaxOpenConns(1) // SQLite has one writer at a time; so it waits here, and not by failing
	return &DB{sql: pool, driver: riversqlite.New(pool)}, nil
}

// withoutPassword takes the password of a database's address out of an error.
func withoutPassword(err error, name string) error {
	u, parseErr := url.Parse(name)
	if parseErr != nil || u.User == nil {
		return err
	}
	if password, ok := u.User.Password(); ok && password != "" && strings.Contains(err.Error(), password) {
		return errors.New(strings.ReplaceAll(err.Error(), password, "(hidden)"))
	}
	return err
}

// Close closes it.
func (db *DB) Close() error { return db.sql.Close() }

// migrationLock keeps processes that start together from making the same tables.
const migrationLock = 0x637478 // "ctx"

func (db *DB) migrate(ctx context.Context) error {
	if db.postgres {
		conn, err := db.sql.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", migrationLock); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", migrationLock)
	}
	for _, statement := range tables {
		if _, err := db.sql.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	migrator, err := rivermigrate.New(db.driver, &rivermigrate.Config{Logger: quiet})
	if err != nil {
		return err
	}
	for try := 0; ; try++ {
		_, err = migrator.Migrate(ctx, rivermigrate.DirectionUp, nil)
		if err == nil || db.postgres || try == 5 {
			return err
		}
		// Another process makes them in the same file just now.
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// in runs a function in a transaction.
func (db *DB) in(ctx context.Context, do func(tx *sql.Tx) error) error {
	tx, err := db.sql.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	if err := do(tx); err != nil {
		_ = tx.Rollback()
		return err
	}
	return tx.Commit()
}
