// Package travel knows the ways of contexts through a program: where they are born, which function hands them on to
// which, and where they are lost. It puts call graph and flow together into one graph for pictures and reports; it
// judges nothing. Whether a loss is a misuse is for the rules to say, which look closer.
//
// # Functions
//
// A function of the graph is a declaration of the world, or a function literal that is given a context of its own, such as
// a handler. Other literals belong to the function around them. Code outside the world is one function for each package.
// Only functions that have to do with contexts are in the graph: they get one, make one, hand one on, or stand between
// one that has a context and one that needs it. Tests and generated files are left out.
//
// # Losses
//
// A context is lost where code that has one starts from a fresh one, or calls what takes none although something further down
// does make a fresh one, or calls a function of a library whose twin would take it. Contexts that may have ended where
// they would be used are not missed there.
package travel
