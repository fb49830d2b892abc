package campaign

import (
	"bufio"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// Owners say who owns the files of a repository: the content of CODEOWNERS.
type Owners struct {
	lines []ownerLine
}

type ownerLine struct {
	pattern *regexp.Regexp
	owners  []string
}

// ownerFiles are where forges look for it, in their order.
var ownerFiles = []string{".github/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/CODEOWNERS", ".forgejo/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS"}

// maxOwners is the size that GitHub reads as well.
const maxOwners = 3 << 20

// readOwners reads the CODEOWNERS of a clone; without one nobody owns anything. A link, which might lead out
// of the clone, is not followed.
func readOwners(dir string) Owners {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return Owners{}
	}
	defer root.Close()
	for _, name := range ownerFiles {
		info, err := root.Lstat(filepath.FromSlash(name))
		if err != nil || !info.Mode().IsRegular() || info.Size() > maxOwners {
			continue
		}
		f, err := root.Open(filepath.FromSlash(name))
		if err != nil {
			continue
		}
		data, err := io.ReadAll(io.LimitReader(f, maxOwners))
		f.Close()
		if err == nil {
			return parseOwners(data)
		}
	}
	return Owners{}
}

// section is a heading of GitLab's, with owners for the lines below that name none: [Backend][2] @team.
var section = regexp.MustCompile(`^\^?\[[^\]]+\](?:\[\d+\])?\s*(.*)$`)

func parseOwners(data []byte) Owners {
	var o Owners
	var inherited []string
	lines := bufio.NewScanner(bytes.NewReader(data))
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if i := strings.Index(line, " #"); i >= 0 {
			line = line[:i]
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if m := section.FindStringSubmatch(line); m != nil {
			inherited = strings.Fields(m[1])
			continue
		}
		fields := ownerFields(line)
		owners := fields[1:]
		if len(owners) == 0 {
			owners = inherited
		}
		if p := ownerPattern(fields[0]); p != nil {
			o.lines = append(o.lines, ownerLine{p, owners})
		}
	}
	return o
}

// ownerFields splits a line at spaces that no backslash precedes.
func ownerFields(line string) []string {
	const space = "\x00"
	fields := strings.Fields(strings.ReplaceAll(line, `\ `, space))
	for i := range fields {
		fields[i] = strings.ReplaceAll(fields[i], space, " ")
	}
	return fields
}

// ownerPattern translates a pattern, which is one of .gitignore without its negations and classes.
func ownerPattern(p string) *regexp.Regexp {
	anchored := strings.Contains(strings.TrimSuffix(p, "/"), "/")
	p = strings.TrimPrefix(p, "/")
	var b strings.Builder
	b.WriteString("^")
	if !anchored {
		b.WriteString("(?:.*/)?")
	}
	for i := 0; i < len(p); i++ {
		switch {
		case strings.HasPrefix(p[i:], "**/"):
			b.WriteString("(?:.*/)?")
			i += 2
		case strings.HasPrefix(p[i:], "**"):
			b.WriteString(".*")
			i++
		case p[i] == '*':
			b.WriteString("[^/]*")
		case p[i] == '?':
			b.WriteString("[^/]")
		default:
			b.WriteString(regexp.QuoteMeta(p[i : i+1]))
		}
	}
	switch {
	case strings.HasSuffix(p, "/"):
		b.WriteString(".*")
	case strings.HasSuffix(p, "/*"):
		// docs/* owns files of docs, and none further down.
	default:
		b.WriteString("(?:/.*)?")
	}
	b.WriteString("$")
	re, err := regexp.Compile(b.String())
	if err != nil {
		return nil // not UTF-8: it names no file
	}
	return re
}

// Of returns the owners of some files together, sorted. The last line that matches a file counts.
func (o Owners) Of(files []string) []string {
	var all []string
	for _, f := range files {
		for _, line := range slices.Backward(o.lines) {
			if line.pattern.MatchString(f) {
				all = append(all, line.owners...)
				break
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
