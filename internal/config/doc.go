// Package config reads .ctxmend.yaml: what a repository has decided about ctxmend, once for everybody who
// runs it there. It knows the form of the file, and nothing of rules or programs: names of rules are given to it, and
// what it returns are values with the places they stand at. A mistake is an [Error] with that place; one file may have
// several, and all are told at once.
package config
