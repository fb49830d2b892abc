/*
Ctxmend finds misuse of context.Context in Go programs and rewrites whole
programs to mend it.

Usage:

	ctxmend check [packages]     list findings
	ctxmend diff  [packages]     print what fix would change, as a unified diff
	ctxmend fix   [packages]     write the fixes in place
	ctxmend hook                 check, or mend with --fix, what is staged in git
	ctxmend undo                 take back the last fix
	ctxmend keys  [packages]     print the census of context keys
	ctxmend graph [packages]     show how contexts travel: where they are born, handed on, lost
	ctxmend explain [RULE]       print a rule's documentation
	ctxmend config check|print   check or print the configuration
	ctxmend version              print the version
	ctxmend completion SHELL     print a completion script
	ctxmend man                  print the manual page

Packages are named as for the go command; none means ./..., and in a workspace
all its modules. They choose which findings are reported and fixed. The program
is always read whole, because a key can be changed only where everybody who uses
it is known, and a fix edits wherever it must.

# Exit codes

	0    check: no findings; diff, fix, undo and the others: it worked
	1    failure; no file was changed
	2    the arguments, or the configuration file, are wrong
	3    check, hook: there are findings, with --since and in hook new ones; diff --exit-code: the diff is not empty
	130  interrupted; no file was changed

Exit codes do not depend on the format. Packages with type errors are named on
standard error and do not make a run fail; nothing that touches them is edited.

# Output

Results go to standard output; progress, notes and errors to standard error.
With --format json, check, diff and fix print one document:

	{"version":1,
	 "findings":[{"rule","message","file","line","column","end_line","end_column",
	   "key","applicability","status","unit",
	   "blocker":{"reason","message","file","line"},
	   "related":[{"file","line","message"}],"fingerprint"}],
	 "units":[{"id","rule","title","applicability","status","files"}],
	 "summary":{"findings","fixable","blocked","fixed","files_changed"},
	 "patch"}

Status is fixable, blocked, fixed, manual or suppressed. Files are relative to
the directory worked in and have slashes. Arrays are never null; blocker is null
unless the status is blocked; patch is there for diff only. The summary counts
findings without suppressed ones. A fingerprint stays when lines above its finding come and go.

Other formats are for other programs: jsonl has one JSON document on each line, findings, then units with
their edits, notes and what was checked, then the summary; sarif is SARIF 2.1.0 as GitHub code scanning reads
it; github writes annotations of GitHub Actions; rdjson is for reviewdog, with suggestions where a fix is one
run of lines that nobody else changes; checkstyle is XML. sarif and github name files from the top of the
git working tree.

The formats of keys and graph are their own: table or text, json, dot for Graphviz, mermaid for Markdown, svg, a
picture that needs no other program, and html, one file with the picture, all findings and their diffs side by
side, that can be searched and filtered and asks no network. The JSON of graph is

	{"version":1,
	 "functions":[{"id","name","package","file","line","context","source","entry","outside"}],
	 "calls":[{"from","to","context","goroutine","places":[{"file","line","column","callee"}]}],
	 "births":[{"function","place","lost"}],
	 "losses":[{"function","context","place","fresh","outside","way":[{"from","to","place"}],"rule","status","message"}]}

where context of a call is handed, fresh or none, and a loss has a rule when a finding lies at its place.

Names in a diff are relative to the top of the git working tree, as in git's own
diffs, so that git apply finds the files from anywhere inside it; without one, they are
relative to the directory worked in.

# Configuration

The nearest file .ctxmend.yaml, from the directory worked in up to the top of the
repository, sets what no flag does, and more: levels and exclusions of single rules, files that
are generated, and functions whose doings cannot be read. --config names another file, --no-config
does without. ctxmend config --help shows all that it may hold, docs/ctxmend.schema.json is its schema for editors.

# Suppression

A comment

	//ctxmend:ignore RULE reason

on a line, above it, or in the documentation of a declaration keeps a rule from
reporting there, and ctxmend from editing there. ctxmend explain ignore says more.

# In go vet and go fix

As the program of go vet -vettool and go fix -fixtool, ctxmend is run by the go command, once for each package, with
arguments that nobody types: -V=full, -flags, or the name of a file *.cfg. Each rule that one package can
prove has a flag of its name; -level says which fixes may be made, safe or review. Fixes stay within one
function; what needs the whole program names the command to run.

# Campaigns

ctxmend campaign carries fixes to many repositories, as campaign.yaml says; ctxmend campaign --help shows all that the file may
hold. plan changes nothing anywhere, run opens pull requests and can be killed at any time, status, sync and close
follow, and worker shares the work on PostgreSQL. The JSON of plan, run, sync, status and close is

	{"version":1,"campaign","mode",
	 "repositories":[{"name","state","reason","waits","branch","commit","first","last","notes","changes":[...],"left":[findings]}],
	 "summary":{"repositories","analysed","skipped","failed","pending","changes","planned","red","open","merged","closed",
	            "foreign","withdrawn","unanswered","findings_before","findings_now"}}

with changes of the form {"shard","state","reason","waits","title","branch","number","url","checks","approved",
"changes_requested","conflicts","units","files","verified","diff","body"}.

# Environment

	CTXMEND_CACHE  directory of the undo journals and of a campaign's clones (default ctxmend in the user's cache directory)
	CTXMEND_QUEUE  database of campaigns, where no --queue names one
	NO_COLOR       when not empty, --color auto means never

The go command is run with the environment as it is: GOFLAGS, GOWORK and the
others mean what they always mean. GOFLAGS=-overlay is refused, since the files are
then not what is built; with GOFLAGS=-mod=mod the go command itself may write go.mod.

# Limits

Only what can be seen can be proved. A key that code outside the modules worked
on uses, that is computed at run time, or that a framework's own store may hold
is reported as blocked, with the place. Files that are generated, vendored, use
cgo or are symbolic links are read but never edited, and go.mod is never edited.
*/
package main
