// Package oracle holds the differential test of the promise that a safe fix keeps
// behaviour. It is test code only.
//
// A seeded generator writes small programs of several packages, with tests, that store
// and look up context values under keys in every spelling and print what each look-up
// sees: presence, dynamic type and value. Every program goes through the pipeline; the
// result must compile, print the same, and leave nothing for a second run.
//
//	go test ./rewrite/oracle                                 a hundred programs, and the lists below
//	go test ./rewrite/oracle -oracle.n 5000 -oracle.seed 1   as many as one likes
//	go test ./rewrite/oracle -oracle.time 10m                for as long as one likes
//	go test ./rewrite/oracle -oracle.only 4711 -oracle.keep  one program, kept on disk
//	go test ./rewrite/oracle -oracle.reason edit -v          which units are blocked for a reason
//
// With -v the report counts fixed and blocked units for every hazard; at least half of all
// units must be fixed at level safe.
//
// Besides random programs, lists are tried entry by entry: unusual spellings of keys, look-ups and stores
// (TestExotics), other uses of a key's name (TestOtherUses), kinds of stored values under
// every way of reading them (TestStoredValues). A new hazard is best added there first.
//
// The compiler and the linker are called directly, many programs to a binary: the go command would
// take most of the time. Programs whose packages import each other through their in-package
// tests, which only the go command's test variants allow, are built and run by it; -oracle.go does so for all.
//
// A program is a list of atoms, each with random numbers of its own, so that an atom can be
// left out without changing the others: a failure is reported with the smallest
// program found by leaving out atoms.
package oracle
