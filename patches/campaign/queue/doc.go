// Package queue keeps what is known of campaigns in a database, and has their steps done by jobs of River in the
// same database: a file of SQLite for one machine, PostgreSQL for any number of processes on any number of them.
// The statements of this package are the same for both.
//
// A job is one step of one repository or change. What a step has found out is stored in the transaction that
// completes its job and adds those that follow, so that a process may be killed at any time: either the step is
// stored, or its job is still there and done again. A process holds its jobs by claims that it renews; those of
// one that no longer does are taken over. A process that was only slow finds that out when it wants to store, and
// stores nothing.
package queue
