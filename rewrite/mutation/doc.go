// Package mutation breaks ctxmend on purpose, in some seventy small ways, and sees whether the tests notice.
//
// Each mutation replaces a text that occurs once in one file, and names the hazard that this models and the tests that are
// to notice. That the texts and the tests are still there is an ordinary test. Trying them takes a build and a test run each:
//
//	go test ./rewrite/mutation -mutate -timeout 0 -v
//	go test ./rewrite/mutation -mutate -run 'TestMutations/store' -mutate.record -v
//
// The narrowest tests are tried first, then all scenarios about keys and of the planner, then the oracle. One that survives
// shows what is not tested: it is worth a scenario. README.md is the table of what noticed each when it was last tried; -mutate.record
// writes it.
package mutation
