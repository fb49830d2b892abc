package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/ctxmend/ctxmend/internal/config"
)

func (a *app) configCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "config",
		Short: "Check or print the configuration",
		Long: `A file .ctxmend.yaml holds for its directory and all below. The nearest one counts, from the directory worked in
up to the top of the repository; files are not merged. Flags beat it. This is what it may hold, all of it optional:

` + config.Example(),
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			names := []string{"check", "print", "schema"}
			if len(args) == 0 {
				return &usageError{message: "config: say what to do with it", next: "ctxmend config check or ctxmend config print"}
			}
			return &usageError{message: fmt.Sprintf("unknown command %q", "config "+args[0]), next: didYouMean(args[0], names, "ctxmend config --help lists the commands")}
		},
	}
	cmd.AddCommand(a.configCheckCommand(), a.configPrintCommand(), a.configSchemaCommand())
	return cmd
}

func (a *app) configCheckCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check",
		Short: "Say what is wrong with the configuration file",
		Long: `Check reads the configuration file and says what is wrong with it, with the line and what was probably meant.

The exit code is 0 when the file is right, or there is none, 1 when it cannot be read and 2 when something is wrong with it.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			file, err := a.readConfig()
			if err != nil {
				return err
			}
			if file == nil {
				a.note("no %s; the defaults hold", config.Names[0])
				return nil
			}
			a.note("%s is right", a.relative(file.Name))
			return nil
		},
	}
}

func (a *app) configSchemaCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "schema",
		Short: "Print the JSON schema of the configuration file, for editors",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := a.stdout.Write(config.Schema(ruleNames(a.rules)))
			return err
		},
	}
}

func (a *app) configPrintCommand() *cobra.Command {
	var flags runFlags
	cmd := &cobra.Command{
		Use:   "print",
		Short: "Print the settings that hold, and where each comes from",
		Long: `Print prints every setting as it holds here, as a configuration file, with the place it comes from: the file's
line, a flag, or the default. It takes the flags of check, diff and fix to show what they would change.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error { return a.configPrint(&flags) },
	}
	flags.add(cmd)
	return cmd
}

func (a *app) configPrint(flags *runFlags) error {
	if _, err := a.options(flags, nil); err != nil {
		return err
	}
	p := &configPrinter{app: a, flags: flags, file: flags.config}
	p.print()
	_, err := fmt.Fprint(a.stdout, p.out.String())
	return err
}

// A configPrinter writes the settings that hold as a configuration file.
type configPrinter struct {
	app   *app
	flags *runFlags
	file  *config.File
	out   strings.Builder
}

func (p *configPrinter) print() {
	if p.file == nil {
		fmt.Fprintf(&p.out, "# no %s: defaults and flags\n", config.Names[0])
	} else {
		fmt.Fprintf(&p.out, "# %s\n", p.app.relative(p.file.Name))
	}
	p.line(0, "version", "1", "")
	p.setting(0, "level")
	p.rules()
	p.given("exclude")
	p.given("generated")
	p.section("keys", "keys.style", "keys.package", "keys.accessors")
	p.setting(0, "api")
	p.section("goroutines", "goroutines.context", "goroutines.starts", "goroutines.joins")
	p.entries("forwarders")
	p.entries("stores")
	p.section("build", "build.tags", "build.platforms", "build.tests")
}

// commentColumn is where the origins stand, if there is room.
const commentColumn = 40

func (p *configPrinter) line(indent int, name, value, origin string) {
	text := strings.Repeat("  ", indent) + name + ":"
	if value != "" {
		text += " " + value
	}
	if origin != "" {
		text = fmt.Sprintf("%-*s # %s", commentColumn, text, origin)
	}
	p.out.WriteString(text + "\n")
}

// origin says where a setting comes from.
func (p *configPrinter) origin(path, flag string) string {
	if f := p.flags.set.Lookup(flag); flag != "" && f != nil && f.Changed {
		return "--" + flag
	}
	if v, ok := p.file.Value(path); ok {
		return p.app.relative(p.file.Name) + fmt.Sprintf(":%d:%d", v.Line, v.Column)
	}
	return "default"
}

// setting prints one that a flag makes as well, as it holds.
func (p *configPrinter) setting(indent int, path string) {
	i := slices.IndexFunc(configSettings, func(s configSetting) bool { return s.path == path })
	flag := configSettings[i].flag
	f := p.flags.set.Lookup(flag)
	value := f.Value.String()
	if list, ok := f.Value.(pflag.SliceValue); ok {
		value = flowList(list.GetSlice())
	} else if value == "" {
		value = `""`
	}
	p.line(indent, lastName(path), value, p.origin(path, flag))
}

// given prints a list that only the file makes.
func (p *configPrinter) given(path string) {
	v, _ := p.file.Value(path)
	p.line(strings.Count(path, "."), lastName(path), flowList(v.Words), p.origin(path, ""))
}

func (p *configPrinter) section(name string, paths ...string) {
	p.line(0, name, "", "")
	for _, path := range paths {
		if slices.ContainsFunc(configSettings, func(s configSetting) bool { return s.path == path }) {
			p.setting(1, path)
		} else {
			p.given(path)
		}
	}
}

// rules prints every rule, whether it runs, and what else the file says about it.
func (p *configPrinter) rules() {
	p.line(0, "rules", "", "")
	chosen, _ := p.flags.selected(p.app.rules) // checked before
	for _, rule := range p.app.rules {
		on := fmt.Sprint(slices.Contains(chosen, rule))
		origin := p.ruleOrigin(rule.Name)
		path := "rules." + rule.Name
		if !slices.ContainsFunc(p.file.Paths(), func(s string) bool { return strings.HasPrefix(s, path+".") }) {
			p.line(1, rule.Name, on, origin)
			continue
		}
		p.line(1, rule.Name, "", "")
		p.line(2, "on", on, origin)
		if v, ok := p.file.Value(path + ".level"); ok {
			p.line(2, "level", v.Words[0], p.origin(path+".level", ""))
		}
		if _, ok := p.file.Value(path + ".exclude"); ok {
			p.given(path + ".exclude")
		}
	}
}

// ruleOrigin says what switched a rule on or off.
func (p *configPrinter) ruleOrigin(name string) string {
	switch {
	case slices.Contains(p.flags.skip, name):
		return "--skip-rules"
	case len(p.flags.only) > 0:
		return "--rules"
	}
	for _, path := range []string{"rules." + name, "rules." + name + ".on"} {
		if _, ok := p.file.Value(path); ok {
			return p.origin(path, "")
		}
	}
	return "default"
}

// entries prints a list of mappings, of which only the file can have any.
func (p *configPrinter) entries(path string) {
	v, ok := p.file.Value(path)
	if !ok || len(v.Words) == 0 {
		p.line(0, path, "[]", "default")
		return
	}
	p.line(0, path, "", p.origin(path, ""))
	for i := range v.Words {
		dash := "- "
		prefix := fmt.Sprintf("%s[%d].", path, i+1)
		for _, name := range config.Fields(path) {
			field, ok := p.file.Value(prefix + name)
			if !ok {
				continue
			}
			value := flowList(field.Words)
			if !config.IsList(path, name) {
				value = config.Quote(field.Words[0])
			}
			p.out.WriteString("  " + dash + name + ": " + value + "\n")
			dash = "  "
		}
	}
}

func lastName(path string) string { return strings.TrimPrefix(filepath.Ext("."+path), ".") }

// flowList writes words as a list on one line.
func flowList(words []string) string {
	var quoted []string
	for _, w := range words {
		quoted = append(quoted, config.Quote(w))
	}
	return "[" + strings.Join(quoted, ", ") + "]"
}
