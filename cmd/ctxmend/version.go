package main

import (
	"encoding/json"
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

func (a *app) versionCommand() *cobra.Command {
	format := newChoice("text", "text", "json")
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version and how it was built",
		Long: `Version prints the version, the commit if it is known, and the Go version that built the program. With --format json it prints
{"version","revision","time","modified","go","os","arch"}: revision is the commit, "" when the build does not know it, time the commit's
time, and modified tells whether files were changed since.`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			b := buildInfo()
			if format.value == "json" {
				enc := json.NewEncoder(a.stdout)
				enc.SetEscapeHTML(false)
				return enc.Encode(b)
			}
			_, err := fmt.Fprintln(a.stdout, b)
			return err
		},
	}
	cmd.Flags().Var(&format, "format", "print text or json")
	return cmd
}

// A build is what a program knows of how it was built.
type build struct {
	Version string `json:"version"`
	// Revision, Time and Modified come from the version control system; a build by go install from the module proxy has none.
	Revision string `json:"revision"`
	Time     string `json:"time"`
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	OS       string `json:"os"`
	Arch     string `json:"arch"`
}

func (b build) String() string {
	text := "ctxmend " + b.Version
	if b.Revision != "" {
		text += " (commit " + b.Revision[:min(len(b.Revision), 12)]
		if b.Time != "" {
			text += " of " + b.Time
		}
		if b.Modified {
			text += ", modified"
		}
		text += ")"
	}
	return fmt.Sprintf("%s %s %s/%s", text, b.Go, b.OS, b.Arch)
}

// releaseVersion is set by the linker for released binaries, which are built from a working tree.
var releaseVersion string

// buildInfo reads what the go command recorded.
func buildInfo() build {
	b := build{Version: "(unknown)", Go: runtime.Version(), OS: runtime.GOOS, Arch: runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	switch v := info.Main.Version; {
	case releaseVersion != "":
		b.Version = releaseVersion
	case v != "" && v != "(devel)":
		b.Version = v
	default:
		b.Version = "devel"
	}
	return b
}

// version returns the module's version as go install recorded it, and for a
// build from a working tree the commit.
func version() string {
	b := buildInfo()
	if b.Version != "devel" || b.Revision == "" {
		return b.Version
	}
	v := "devel-" + b.Revision[:min(len(b.Revision), 12)]
	if b.Modified {
		v += "+dirty"
	}
	return v
}
