package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/pflag"

	"github.com/ctxmend/ctxmend/internal/config"
	"github.com/ctxmend/ctxmend/rewrite"
	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// A configError is what is wrong with a configuration file, line by line.
type configError struct {
	// name is the file as the user would name it.
	name  string
	wrong config.Errors
}

func (e *configError) Error() string {
	var lines []string
	for _, w := range e.wrong {
		line := e.name + ":" + w.Error()
		if w.Word != "" {
			if near := didYouMean(w.Word, w.Known, ""); near != "" {
				line += "; " + near
			}
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// A configSetting is a setting of the file that a flag makes as well, and beats.
type configSetting struct{ path, flag string }

var configSettings = []configSetting{
	{"level", "level"},
	{"keys.style", "key-style"},
	{"keys.package", "key-package"},
	{"keys.accessors", "accessors"},
	{"api", "api"},
	{"goroutines.context", "goroutines"},
	{"build.tags", "tags"},
	{"build.platforms", "platforms"},
	{"build.tests", "tests"},
}

// readConfig returns the configuration that holds for the directory worked in, nil when there is none.
func (a *app) readConfig() (*config.File, error) {
	name := a.configFile
	if a.noConfig {
		return nil, nil
	}
	if name == "" {
		dir, err := a.workDir()
		if err != nil {
			return nil, err
		}
		if name, err = config.Find(dir); err != nil || name == "" {
			return nil, err
		}
	}
	name, err := filepath.Abs(a.inDir(name))
	if err != nil {
		return nil, err
	}
	f, err := config.Read(name, ruleNames(a.rules))
	var wrong config.Errors
	if errors.As(err, &wrong) {
		return nil, &configError{a.relative(name), wrong}
	} else if err != nil {
		return nil, fmt.Errorf("cannot read the configuration: %w", err)
	}
	return f, nil
}

// configure lets the file decide what no flag does.
func (f *runFlags) configure(file *config.File) error {
	f.config = file
	if file == nil {
		return nil
	}
	for _, s := range configSettings {
		v, ok := file.Value(s.path)
		flag := f.set.Lookup(s.flag)
		if !ok || flag == nil || flag.Changed {
			continue
		}
		var err error
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			err = list.Replace(v.Words)
		} else {
			err = flag.Value.Set(v.Words[0])
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.path, err)
		}
	}
	return nil
}

// on tells whether a rule runs that no flag asks for.
func (r *ruleFlags) on(rule *rules.Rule) bool {
	if r.config != nil {
		if on := r.config.Rules[rule.Name].On; on != nil {
			return *on
		}
	}
	return rule.Default
}

// told adds to the options what only the file can say.
func (f *runFlags) told(opts *rewrite.Options) {
	if f.config == nil {
		return
	}
	opts.Levels = f.levels()
	opts.Excluded = excluded(f.config)
	opts.Load.Hints = hints(f.config)
}

// levels are those of single rules. A level asked for by flag bounds them: they may stay below it.
func (f *runFlags) levels() map[string]rules.Applicability {
	asked := f.set.Lookup("level")
	levels := map[string]rules.Applicability{}
	for name, rule := range f.config.Rules {
		switch {
		case rule.Level == "":
		case rule.Level == "report":
			levels[name] = rules.Manual
		case asked != nil && asked.Changed && f.level.value == string(rules.Safe):
			levels[name] = rules.Safe
		default:
			levels[name] = rules.Applicability(rule.Level)
		}
	}
	return levels
}

// excluded tells of which files a rule says nothing.
func excluded(file *config.File) func(string, *program.File) bool {
	everyRule := config.Match(file.Exclude)
	one := map[string]func(string) bool{}
	for name, rule := range file.Rules {
		one[name] = config.Match(rule.Exclude)
	}
	below := belowConfig(file)
	return func(rule string, f *program.File) bool {
		name, below := below(f.Name)
		return below && (everyRule(name) || one[rule] != nil && one[rule](name))
	}
}

// belowConfig returns a function that names files relative to the directory of the configuration, with slashes, if they lie
// below it. The program may have been read by way of a symbolic link, or by that link's target.
func belowConfig(file *config.File) func(name string) (string, bool) {
	dirs := []string{filepath.Dir(file.Name)}
	if real, err := filepath.EvalSymlinks(dirs[0]); err == nil && real != dirs[0] {
		dirs = append(dirs, real)
	}
	return func(name string) (string, bool) {
		for _, dir := range dirs {
			if rel, err := filepath.Rel(dir, name); err == nil && filepath.IsLocal(rel) {
				return filepath.ToSlash(rel), true
			}
		}
		return "", false
	}
}

// hints are what the file tells about the program.
func hints(file *config.File) program.Hints {
	below, generated := belowConfig(file), config.Match(file.Generated)
	h := program.Hints{
		Generated: func(name string) bool {
			rel, ok := below(name)
			return ok && generated(rel)
		},
		Starts: texts(file.Goroutines.Starts),
		Joins:  texts(file.Goroutines.Joins),
	}
	for _, f := range file.Forwarders {
		h.Forwarders = append(h.Forwarders, program.Forwarder{Func: string(f.Func), Key: f.Key - 1, Writes: f.As == "writer"})
	}
	for _, s := range file.Stores {
		for _, m := range s.Set {
			h.Forwarders = append(h.Forwarders, methodsNamed(s.Type, m, true)...)
		}
		for _, m := range s.Get {
			h.Forwarders = append(h.Forwarders, methodsNamed(s.Type, m, false)...)
		}
	}
	return h
}

// methodsNamed are the methods of a type that a name may mean: one of the type, or of a pointer to it.
func methodsNamed(typ config.TypeName, method config.MethodName, writes bool) []program.Forwarder {
	var list []program.Forwarder
	for _, name := range methodNames(typ, method) {
		list = append(list, program.Forwarder{Func: name, Writes: writes})
	}
	return list
}

func methodNames(typ config.TypeName, method config.MethodName) []string {
	return []string{fmt.Sprintf("(%s).%s", typ, method), fmt.Sprintf("(*%s).%s", typ, method)}
}

func texts[T ~string](list []T) []string {
	var out []string
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

// noteUnknown names the functions and methods of the file that the program does not have, though it has their packages: they
// are misspelled, or gone. What belongs to other packages may be there for other programs.
func (a *app) noteUnknown(file *config.File, prog *program.Program) {
	if file == nil {
		return
	}
	missing := func(what, path string, names ...string) {
		known := false
		for _, name := range names {
			obj, has := prog.Lookup(name)
			if obj != nil {
				return
			}
			known = known || has
		}
		if known {
			v, _ := file.Value(path)
			a.note("%s:%d:%d: the program has no %s %s", a.relative(file.Name), v.Line, v.Column, what, names[len(names)-1])
		}
	}
	for i, name := range file.Goroutines.Starts {
		missing("function", fmt.Sprintf("goroutines.starts[%d]", i+1), string(name))
	}
	for i, name := range file.Goroutines.Joins {
		missing("function", fmt.Sprintf("goroutines.joins[%d]", i+1), string(name))
	}
	for i, f := range file.Forwarders {
		missing("function", fmt.Sprintf("forwarders[%d].func", i+1), string(f.Func))
	}
	for i, s := range file.Stores {
		for j, m := range s.Set {
			missing("method", fmt.Sprintf("stores[%d].set[%d]", i+1, j+1), methodNames(s.Type, m)...)
		}
		for j, m := range s.Get {
			missing("method", fmt.Sprintf("stores[%d].get[%d]", i+1, j+1), methodNames(s.Type, m)...)
		}
	}
}
