// Package rules holds the vocabulary of what is wrong with a program and what is wanted
// about it: rules, findings, fixes and intents. A rule is a witness, not a surgeon: it reports
// what it sees in the census and says what it would have done in terms of objects and syntax,
// never of text. The planner decides.
package rules
