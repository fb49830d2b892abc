// Package oracle holds the differential test of the promise that a safe fix keeps
// behaviour, and that others change what they announce. It is test code only.
//
// A seeded generator writes small programs of several packages, with tests, that store
// and look up context values under keys in every spelling and print what each look-up
// sees: presence, dynamic type and value. Every program goes through the pipeline; the
// result must compile, print the same, and leave nothing for a second run.
//
//	go test ./rewrite/oracle                                 some programs of both kinds, and the lists below
//	go test ./rewrite/oracle -run Flow -oracle.time 1h       only those about the flow of contexts
//	go test ./rewrite/oracle -oracle.n 5000 -oracle.seed 1   as many as one likes
//	go test ./rewrite/oracle -oracle.time 10m                for as long as one likes
//	go test ./rewrite/oracle -oracle.all                     the lists in all their combinations
//	go test ./rewrite/oracle -oracle.only 4711 -oracle.keep  one program, kept on disk
//	go test ./rewrite/oracle -oracle.reason edit -v          which units are blocked for a reason
//
// With -v the report counts fixed and blocked units for every hazard, rule and reason. At least half of the keys of
// built-in type must be fixed at level safe, and half of the maps that should become structs.
//
// # Level review
//
// Fixes for review may change what a program prints, as they say: a forgotten reader finds its value, a key parted from
// others no longer meets them, a field of a map that is not there is zero. Every line that is printed names the atom that
// printed it, and the generator knows which atoms have a mistake that such a fix mends. It writes the program a second
// time without the mistakes. At level review each group of lines of such an atom has to be what it was or what the
// mended program prints; all other lines have to be what they were. Where the generator cannot know (a key made at run time
// may be the one that got a type, assertions were made to agree) the lines of that key's atoms are free, and no others.
//
// A second run has to find nothing, with one exception at level review: halves and values of a key that only now is known to be told
// from all others, where nothing in the first run said that they wait for its type. A third run has to find nothing.
//
// # The flow of contexts
//
// TestFlow tries programs of another kind: functions in every form, methods of interfaces with several implementations, functions in
// variables, fields, maps and types, generic ones, literals, goroutines that are waited for or not, timers, handlers of net/http, files
// of other build configurations, initialisers, that hand contexts on, derive them, lose them, or take none. All fixes for that are for review, and all of them change what is printed. What may change is known by place:
//
//   - Beside each context goes a *probe.At, which fixes leave alone. It knows how the context in scope was derived (a value
//     stored, an end that may come), and at which numbered places it was lost: Born(id) where a fresh one is made instead, Less(id) where
//     a function is called that takes none, Stale, Grow, Escape.
//   - Every line prints the way that the program came, this knowledge, and what the context itself says: the values of three keys, whether it
//     has ended, whether it has a deadline.
//   - The findings of a run name the places that are mended, by the line on which they stand. Without mended places the knowledge tells
//     exactly what the program prints before. With them it tells what the result has to print: a mended Born is the context in scope, one of
//     them where there are several; WithoutCancel of it in a goroutine, by --goroutines and by whether the goroutine is really waited
//     for; Grow is what there was before the loop; and so on. Only below a call that handed no context on may there still be
//     a fresh one: callers that no context reaches make it.
//   - Places named Keep must never be mended: deferred code, sync.Once, what runs when a context has ended or before main, functions
//     that only clean up or call their twin; literals that are stored, unless one of them gets a parameter for the sake of another place.
//   - Lines without a context, arguments and results among them, must come in the same order with the same text. What runs beside
//     other code is compared by its way.
//
// A second run has to find nothing, without exception. Of each rule's units at least half must be fixed.
//
// # Lists
//
// Besides random programs, lists are tried entry by entry: unusual spellings of keys, look-ups and stores
// (TestExotics), other uses of a key's name (TestOtherUses), kinds of stored values under
// every way of reading them (TestStoredValues), ways to store and read a map (TestRecords), dead stores, unchecked reads, rows of
// values and halves of keys (TestShapes). A new hazard is best added there first; the random programs draw from most of these lists as well.
//
// The compiler and the linker are called directly, many programs to a binary: the go command would
// take most of the time. Programs whose packages import each other through their in-package
// tests, which only the go command's test variants allow, are built and run by it; -oracle.go does so for all.
//
// A program is a list of atoms, each with random numbers of its own, so that an atom can be
// left out without changing the others: a failure is reported with the smallest
// program found by leaving out atoms.
package oracle
