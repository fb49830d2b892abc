// Package oracle holds the differential test of the promise that a safe fix keeps
// behaviour. It is test code only.
//
// A seeded generator writes small programs of several packages, with tests, that store
// and look up context values under keys in every spelling and print what each look-up
// sees: presence, dynamic type and value. Every program goes through the pipeline; the
// result must compile, print the same, and leave nothing for a second run.
//
//	go test ./rewrite/oracle                                 a few hundred programs
//	go test ./rewrite/oracle -oracle.n 5000 -oracle.seed 1   as many as one likes
//	go test ./rewrite/oracle -oracle.time 10m                for as long as one likes
//	go test ./rewrite/oracle -oracle.only 4711 -oracle.keep  one program, kept on disk
//
// A program is a list of atoms, each with random numbers of its own, so that an atom can be
// left out without changing the others: a failure is reported with the smallest
// program found by leaving out atoms.
package oracle
