package main

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/tools/go/analysis/unitchecker"

	"github.com/ctxmend/ctxmend/analyzers"
	"github.com/ctxmend/ctxmend/rules"
)

// calledByGo reports whether the arguments are those of the go command, which runs the programs of go vet -vettool and
// go fix -fixtool: -V=full and -flags ask what the program is, and a file *.cfg, after flags, describes a package.
func calledByGo(args []string) bool {
	if len(args) == 1 && (args[0] == "-V=full" || args[0] == "-flags") {
		return true
	}
	if len(args) == 0 || !strings.HasSuffix(args[len(args)-1], ".cfg") {
		return false
	}
	return !slices.ContainsFunc(args[:len(args)-1], func(a string) bool { return !strings.HasPrefix(a, "-") })
}

// vettool answers the go command, and ends the process. A configuration file is not read: the go command caches what it is
// told of a package, and would not notice that the file has changed. Flags are part of what it goes by.
func vettool(args []string, all []*rules.Rule) {
	level := levelFlag(rules.Safe)
	flag.Var(&level, "level", "suggest fixes that are at least this certain: safe or review")
	provable := analyzers.Provable(all)
	last := args[len(args)-1]
	if last == "-flags" {
		unitchecker.Main(analyzers.Make(analyzers.Options{Known: all, Rules: provable})...)
	}
	offered, running := chosen(provable, args)
	unitchecker.Main(analyzers.Make(analyzers.Options{
		Known: all, Rules: offered, Running: running,
		Level: (*rules.Applicability)(&level), FactsOnly: factsOnly(last), Named: true,
	})...)
}

// chosen returns the rules that flags may name and, of these, those that flags select, by go vet's own reckoning: any
// -NAME chooses only such, otherwise -NAME=false leaves one out. Rules that are off by default run only when named.
func chosen(all []*rules.Rule, args []string) (offered, running []*rules.Rule) {
	named := map[string]bool{}
	only := false
	for _, a := range args {
		name, value, given := strings.Cut(strings.TrimLeft(a, "-"), "=")
		if name == rules.IgnoreRule || isRule(all, name) {
			on, err := strconv.ParseBool(value)
			named[name] = !given || err == nil && on
			only = only || named[name]
		}
	}
	for _, r := range all {
		on, mentioned := named[r.Name]
		if r.Default || mentioned {
			offered = append(offered, r)
		}
		if on || !mentioned && !only && r.Default {
			running = append(running, r)
		}
	}
	return offered, running
}

func isRule(all []*rules.Rule, name string) bool {
	return slices.ContainsFunc(all, func(r *rules.Rule) bool { return r.Name == name })
}

// factsOnly reports whether the go command wants no findings of the package that a file describes: it is only imported
// by those that were named. A file that cannot be read is for unitchecker to complain of.
func factsOnly(name string) bool {
	data, err := os.ReadFile(name)
	if err != nil {
		return false
	}
	var cfg unitchecker.Config
	return json.Unmarshal(data, &cfg) == nil && cfg.VetxOnly
}

// levelFlag is a flag whose value is safe or review.
type levelFlag rules.Applicability

func (l *levelFlag) String() string { return string(*l) }

func (l *levelFlag) Set(s string) error {
	switch level := rules.Applicability(s); level {
	case rules.Safe, rules.Review:
		*l = levelFlag(level)
		return nil
	}
	return errors.New("want safe or review")
}
