package report

import (
	"bytes"
	"go/token"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
	"unicode/utf16"

	"github.com/ctxmend/ctxmend/rules"
	"github.com/ctxmend/ctxmend/rules/program"
)

// Version is the version of the JSON documents. It changes when a field
// changes its meaning or goes away, not when one is added.
const Version = 1

// A Report is what a run found and did. Its JSON form is a contract with
// scripts: arrays are never null, files are slash-separated and relative to the
// directory worked in.
type Report struct {
	Version  int       `json:"version"`
	Findings []Finding `json:"findings"`
	Units    []Unit    `json:"units"`
	Summary  Summary   `json:"summary"`
	// Patch is the unified diff; nil except for the diff command.
	Patch *string `json:"patch,omitempty"`
	// Levels are those that the configuration gives single rules: manual, where nothing of a rule is mended, safe or review. For text only.
	Levels map[string]string `json:"-"`
}

// A Finding is one misuse at one place. Lines and columns count from 1, columns in bytes.
type Finding struct {
	Rule          string    `json:"rule"`
	Message       string    `json:"message"`
	File          string    `json:"file"`
	Line          int       `json:"line"`
	Column        int       `json:"column"`
	EndLine       int       `json:"end_line"`
	EndColumn     int       `json:"end_column"`
	Key           string    `json:"key"`
	Applicability string    `json:"applicability"`
	Status        string    `json:"status"`
	Unit          string    `json:"unit"`
	Blocker       *Blocker  `json:"blocker"`
	Related       []Related `json:"related"`
	// Fingerprint names the finding in a way that lines which come and go above it do not change.
	Fingerprint string `json:"fingerprint"`
	// Note says what the fix does; for text only.
	Note string `json:"-"`
	// KeyID tells keys apart that look alike; for text only.
	KeyID string `json:"-"`
	// Source is the line of source the finding begins in, without its line
	// end; "" when it is not known. For text only.
	Source string `json:"-"`

	// Where is the import path of the package with the file's base name; it is part of the fingerprint.
	Where string `json:"-"`
	// UnitColumn and UnitEndColumn are the columns in code units of UTF-16, LineHash is what GitHub knows the line by.
	UnitColumn    int    `json:"-"`
	UnitEndColumn int    `json:"-"`
	LineHash      string `json:"-"`
}

// A Blocker says why a finding or a unit cannot be fixed, and where that lies.
type Blocker struct {
	Reason  string `json:"reason"`
	Message string `json:"message"`
	// File is "" when the reason lies at no single place.
	File string `json:"file"`
	Line int    `json:"line"`
	// Column is for text only.
	Column int `json:"-"`
}

// A Related place belongs to a finding. Message says what happens there:
// "read here", "written here"; text puts the places for "here".
type Related struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
	// Column and Test are for text only.
	Column int  `json:"-"`
	Test   bool `json:"-"`
	// UnitColumn is the column in code units of UTF-16.
	UnitColumn int `json:"-"`
}

// A Unit is the smallest set of edits that land together.
type Unit struct {
	ID            string   `json:"id"`
	Rule          string   `json:"rule"`
	Title         string   `json:"title"`
	Applicability string   `json:"applicability"`
	Status        string   `json:"status"`
	Files         []string `json:"files"`
	// Notes tell choices made, and Blocker why the unit is blocked; for text only.
	Notes   []string `json:"-"`
	Blocker *Blocker `json:"-"`
	// Choice says, for all units alike, what was chosen because of what the program does already, or was asked for.
	Choice string `json:"-"`
	// Edits are the places that change; for lines of JSON only.
	Edits []Edit `json:"-"`
}

// An Edit is a place that a unit changes: lines that are replaced, or a file that gets a declaration.
type Edit struct {
	File string `json:"file"`
	// Line and EndLine are 0 where a declaration is added.
	Line    int `json:"line"`
	EndLine int `json:"end_line"`
}

// A Summary counts findings. Suppressed ones are not counted, and fixed ones
// are not counted as fixable.
type Summary struct {
	Findings int `json:"findings"`
	Fixable  int `json:"fixable"`
	Blocked  int `json:"blocked"`
	Fixed    int `json:"fixed"`
	// FilesChanged is the number of files written, or for a diff to be written.
	FilesChanged int `json:"files_changed"`
}

// New makes the report of findings and units, in the order given. filesChanged
// is the number of files written or to be written.
func New(findings []*rules.Finding, units []Unit, filesChanged int) *Report {
	r := &Report{
		Version:  Version,
		Findings: make([]Finding, 0, len(findings)),
		Units:    make([]Unit, 0, len(units)),
		Summary:  Summary{FilesChanged: filesChanged},
	}
	known := &lines{hashes: map[*program.File][]string{}, columns: map[spot]int{}}
	for _, f := range findings {
		r.Findings = append(r.Findings, newFinding(f, known))
		r.Summary.count(f.Status)
	}
	r.fingerprint()
	for _, u := range units {
		u.Files = append([]string{}, u.Files...)
		r.Units = append(r.Units, u)
	}
	return r
}

func (s *Summary) count(status rules.Status) {
	if status == rules.Suppressed {
		return
	}
	s.Findings++
	switch status {
	case rules.Fixable:
		s.Fixable++
	case rules.Blocked:
		s.Blocked++
	case rules.Fixed:
		s.Fixed++
	}
}

// lines keeps what was learnt of lines: all findings on a key are related to the same places, which may stand in a long line.
type lines struct {
	hashes  map[*program.File][]string
	columns map[spot]int // in code units of UTF-16
}

// A spot is an offset in a file.
type spot struct {
	file   *program.File
	offset int
}

// newFinding makes the printable form of a finding. What it takes to know of lines is put into known.
func newFinding(f *rules.Finding, known *lines) Finding {
	start, end := position(f.File, f.Pos), position(f.File, f.End)
	if end.Line == 0 {
		end = start
	}
	out := Finding{
		Rule:          f.Rule,
		Message:       f.Message,
		File:          rel(f.File),
		Line:          start.Line,
		Column:        start.Column,
		EndLine:       end.Line,
		EndColumn:     end.Column,
		Key:           f.Key,
		KeyID:         f.KeyID,
		Applicability: string(f.Applicability),
		Status:        string(f.Status),
		Unit:          f.Unit,
		Blocker:       NewBlocker(f.Blocker),
		Related:       make([]Related, 0, len(f.Related)),
		Note:          f.Note,
		Source:        sourceLine(f.File, start),
		UnitColumn:    known.unitColumn(f.File, start),
		UnitEndColumn: known.unitColumn(f.File, end),
		LineHash:      lineHash(f.File, start.Line, known.hashes),
	}
	if f.File != nil && f.File.PkgPath != "" {
		out.Where = f.File.PkgPath + "/" + filepath.Base(f.File.Name)
	}
	if out.Note == "" && f.Fix != nil {
		out.Note = f.Fix.Title
	}
	for _, r := range f.Related {
		out.Related = append(out.Related, newRelated(r, known))
	}
	sort.SliceStable(out.Related, func(i, j int) bool {
		a, b := out.Related[i], out.Related[j]
		if a.File != b.File {
			return a.File < b.File
		}
		return a.Line < b.Line || a.Line == b.Line && a.Column < b.Column
	})
	return out
}

func newRelated(r rules.Related, known *lines) Related {
	pos := position(r.File, r.Pos)
	return Related{
		File:    rel(r.File),
		Line:    pos.Line,
		Column:  pos.Column,
		Message: r.Message,
		Test:    r.File != nil && r.File.Test,

		UnitColumn: known.unitColumn(r.File, pos),
	}
}

// NewBlocker makes the printable form of a blocker; nil for nil.
func NewBlocker(b *rules.Blocker) *Blocker {
	if b == nil {
		return nil
	}
	out := &Blocker{Reason: b.Reason, Message: b.Message}
	if b.Where != "" {
		out.File, out.Line, out.Column = splitPlace(b.Where)
		return out
	}
	pos := position(b.File, b.Pos)
	out.Line, out.Column = pos.Line, pos.Column
	if b.File != nil {
		out.File = b.File.Shown()
	}
	return out
}

// splitPlace parts "file:line:column", of which the numbers may be missing.
// A colon inside the file name survives because only trailing numbers are taken.
func splitPlace(where string) (file string, line, column int) {
	var numbers []int
	file = where
	for len(numbers) < 2 {
		i := strings.LastIndexByte(file, ':')
		if i < 0 {
			break
		}
		n, err := strconv.Atoi(file[i+1:])
		if err != nil {
			break
		}
		file, numbers = file[:i], append([]int{n}, numbers...)
	}
	switch len(numbers) {
	case 1:
		return file, numbers[0], 0
	case 2:
		return file, numbers[0], numbers[1]
	}
	return file, 0, 0
}

// position returns the unadjusted position of pos in f, the zero position when
// there is none: //line directives must not move a finding into a file that
// nobody can edit.
func position(f *program.File, pos token.Pos) token.Position {
	if f == nil || f.Tok == nil || !pos.IsValid() {
		return token.Position{}
	}
	base := f.Tok.Base()
	if int(pos) < base || int(pos) > base+f.Tok.Size() {
		return token.Position{}
	}
	return f.Tok.PositionFor(pos, false)
}

func rel(f *program.File) string {
	if f == nil {
		return ""
	}
	return f.Rel
}

// unitColumn returns the column of a position in code units of UTF-16, as SARIF and editors count them.
func (l *lines) unitColumn(f *program.File, pos token.Position) int {
	begin := pos.Offset - (pos.Column - 1)
	if f == nil || pos.Line == 0 || begin < 0 || pos.Offset > len(f.Src) {
		return pos.Column
	}
	n, ok := l.columns[spot{f, pos.Offset}]
	if ok {
		return n
	}
	n = 1
	for _, r := range string(f.Src[begin:pos.Offset]) {
		n += utf16.RuneLen(r)
	}
	l.columns[spot{f, pos.Offset}] = n
	return n
}

// lineHash returns what GitHub knows a line by.
func lineHash(f *program.File, line int, hashes map[*program.File][]string) string {
	if f == nil || len(f.Src) == 0 {
		return ""
	}
	list, ok := hashes[f]
	if !ok {
		list = lineHashes(utf16.Encode([]rune(string(f.Src))))
		hashes[f] = list
	}
	if line < 1 || line > len(list) {
		return ""
	}
	return list[line-1]
}

// sourceLine returns the line of f that start lies in.
func sourceLine(f *program.File, start token.Position) string {
	if f == nil || start.Line == 0 || start.Offset > len(f.Src) {
		return ""
	}
	begin := start.Offset - (start.Column - 1)
	if begin < 0 || begin > len(f.Src) {
		return ""
	}
	line, _, _ := bytes.Cut(f.Src[begin:], []byte("\n"))
	return strings.TrimSuffix(string(line), "\r")
}
