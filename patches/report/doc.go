// Package report prints what a run found and did. It turns findings and units
// into one plain document, [Report], and writes that document as text for
// people and as JSON for scripts; a further format is a further function over
// the same document. It also prints the census of keys as a table, JSON and
// graphs, and colours unified diffs.
//
// Nothing here looks at syntax or types, and nothing depends on the order of
// maps, the clock or the terminal's width: equal documents print equal bytes.
package report
