package main

import (
	_ "embed"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

func (a *app) manCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "man",
		Short: "Print the manual page",
		Long: `Man prints the manual page in the form that man reads: ctxmend man > /usr/local/share/man/man1/ctxmend.1, or
ctxmend man | man -l - to look at it. It says what --help and go doc say.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprint(a.stdout, manual(cmd.Root()))
			return err
		},
	}
}

// contract is the package documentation, whose sections the manual repeats.
//
//go:embed doc.go
var contract string

// manual writes the manual page of a command with all below it.
func manual(root *cobra.Command) string {
	m := &manPage{}
	m.macro("TH", "CTXMEND", "1", "", "ctxmend", "User Commands")
	m.macro("SH", "NAME")
	m.text(strings.Replace(root.Short, root.Name()+" ", root.Name()+` \- `, 1))
	m.macro("SH", "SYNOPSIS")
	m.macro("B", root.Name())
	m.text("COMMAND [FLAGS] [PACKAGES]")
	m.macro("SH", "DESCRIPTION")
	m.prose(root.Long)
	m.macro("SH", "COMMANDS")
	m.commands(root)
	m.macro("SH", "FLAGS OF EVERY COMMAND")
	m.flags(root.PersistentFlags())
	for _, s := range sections(contract) {
		m.macro("SH", strings.ToUpper(s.title))
		m.prose(s.text)
	}
	return m.b.String()
}

// A manPage is a page in the making.
type manPage struct{ b strings.Builder }

// roff takes from text what means something to roff.
var roff = strings.NewReplacer(`\`, `\e`, "-", `\-`, "'", `\(aq`, "`", `\(ga`, "^", `\(ha`, "~", `\(ti`)

// macro writes a request with its arguments.
func (m *manPage) macro(name string, args ...string) {
	m.b.WriteString("." + name)
	for _, arg := range args {
		m.b.WriteString(` "` + strings.ReplaceAll(roff.Replace(arg), `"`, `\(dq`) + `"`)
	}
	m.b.WriteByte('\n')
}

// text writes lines that are filled. Those that begin with a dot or a quote would be requests.
func (m *manPage) text(text string) {
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if !strings.HasPrefix(line, `\-`) && !strings.Contains(line, ` \- `) {
			line = roff.Replace(line)
		}
		if strings.HasPrefix(line, ".") {
			line = `\&` + line
		}
		m.b.WriteString(line + "\n")
	}
}

// prose writes paragraphs; what is indented, or shows a file, stays as it is.
func (m *manPage) prose(text string) {
	first := true
	for para := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		verbatim := strings.HasPrefix(para, "\t") || strings.Contains(para, ":\n  ") || strings.HasPrefix(para, "version: ")
		switch {
		case verbatim:
			if !first {
				m.macro("PP")
			}
			m.macro("nf")
			for line := range strings.Lines(para) {
				line = roff.Replace(strings.TrimPrefix(strings.TrimRight(line, "\n"), "\t"))
				m.b.WriteString(`\&` + line + "\n")
			}
			m.macro("fi")
		default:
			if !first {
				m.macro("PP")
			}
			m.text(para)
		}
		first = false
	}
}

// commands writes a section for each command that does something.
func (m *manPage) commands(parent *cobra.Command) {
	for _, cmd := range parent.Commands() {
		if !cmd.IsAvailableCommand() || cmd.Name() == "help" {
			continue
		}
		m.macro("SS", strings.TrimPrefix(cmd.UseLine(), "ctxmend "))
		long := cmd.Long
		if long == "" {
			long = cmd.Short + "."
		}
		m.prose(long)
		m.flags(cmd.LocalNonPersistentFlags())
		if cmd.Name() != "completion" { // whose shells differ in nothing but how to install what they print
			m.commands(cmd)
		}
	}
}

// flags writes a list of flags.
func (m *manPage) flags(flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		name, usage := pflag.UnquoteUsage(f)
		head := "--" + f.Name
		if f.Shorthand != "" {
			head = "-" + f.Shorthand + ", " + head
		}
		if name != "" {
			head += " " + name
		}
		m.macro("TP")
		m.macro("B", head)
		if def := f.DefValue; def != "" && def != "[]" && def != "0" && def != "false" {
			usage += " (default " + def + ")"
		}
		m.text(usage)
	})
}

// A section is a part of the package documentation.
type section struct{ title, text string }

// sections returns the parts of a package comment that have a heading.
func sections(doc string) []section {
	var list []section
	for part := range strings.SplitSeq("\n"+doc, "\n# ") {
		title, text, ok := strings.Cut(part, "\n")
		if !ok || strings.Contains(title, "/*") || title == "" {
			continue
		}
		text, _, _ = strings.Cut(text, "\n*/")
		list = append(list, section{title, text})
	}
	return list
}
