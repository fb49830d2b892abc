package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/ctxmend/ctxmend/patches/report"
)

// baselineFlags name the file of the findings that are known already.
type baselineFlags struct{ read, write string }

func (b *baselineFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&b.read, "baseline", "", "leave out the findings that this `file` names")
	cmd.Flags().StringVar(&b.write, "write-baseline", "", "write the findings to this `file` for --baseline, and list none")
}

func (b *baselineFlags) check() error {
	if b.read != "" && b.write != "" {
		return &usageError{message: "--baseline and --write-baseline exclude each other", next: "--write-baseline alone replaces the file by all there is now"}
	}
	return nil
}

// readBaseline reads the file before any work is done; nil when none is asked for. As other names of files
// on the command line, it is relative to the directory that -C names.
func (a *app) readBaseline(flags *baselineFlags) (*report.Baseline, error) {
	if flags.read == "" {
		return nil, nil
	}
	data, err := os.ReadFile(a.inDir(flags.read))
	if err != nil {
		return nil, fmt.Errorf("--baseline: %w; --write-baseline makes the file", err)
	}
	b, err := report.ReadBaseline(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("--baseline: %s: %w; --write-baseline makes it anew", flags.read, err)
	}
	return b, nil
}

// inDir returns a name as seen from the directory that -C names.
func (a *app) inDir(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(a.dir, name)
}

func (a *app) writeBaseline(flags *baselineFlags, r *report.Report) error {
	var data bytes.Buffer
	b := r.Baseline()
	if err := b.WriteJSON(&data); err != nil {
		return err
	}
	if err := os.WriteFile(a.inDir(flags.write), data.Bytes(), 0o644); err != nil {
		return fmt.Errorf("--write-baseline: %w", err)
	}
	a.note("%s written to %s", plural(len(b.Findings), "finding"), flags.write)
	return nil
}

// leaveOut takes the known findings out of the report and says so.
func (a *app) leaveOut(r *report.Report, known *report.Baseline) {
	if known == nil {
		return
	}
	n, gone := r.Without(known)
	switch {
	case gone > 0:
		a.note("%s of the baseline left out; %d of it there no more, --write-baseline takes them out", plural(n, "finding"), gone)
	case n > 0:
		a.note("%s of the baseline left out", plural(n, "finding"))
	}
}
