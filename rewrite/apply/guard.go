package apply

import (
	"bytes"
	"fmt"
	"strings"
)

// guard checks a rendering against the edits that were asked for, by looking at the bytes
// alone: what no edit covers must be there, in order, and so must every comment.
func (f *fileJob) guard(res *rendering, roots []*edit) error {
	oldAt, newAt := 0, 0
	for i := 0; i <= len(roots); i++ {
		oldTo, newTo := len(f.src), len(res.out)
		if i < len(roots) {
			oldTo, newTo = roots[i].start, res.placed[i].start
		}
		if oldTo < oldAt || newTo < newAt || !bytes.Equal(f.src[oldAt:oldTo], res.out[newAt:newTo]) {
			return fmt.Errorf("%s: bytes outside the edits changed; nothing is written, please report this", f.at(oldAt))
		}
		if i < len(roots) {
			oldAt, newAt = roots[i].end, res.placed[i].end
		}
	}
	return f.guardComments(res, roots)
}

// guardComments checks that all comments of which an edit takes nothing away are in the result.
func (f *fileJob) guardComments(res *rendering, roots []*edit) error {
	toks, err := scan(res.out, false)
	if err != nil {
		return fmt.Errorf("%s does not scan after the edits: %w", f.file.Rel, err)
	}
	have := make(map[string]int)
	for _, t := range toks {
		if isComment(t.id) {
			have[t.id]++
		}
	}
	old, err := scan(f.src, false)
	if err != nil {
		return fmt.Errorf("%s does not scan: %w", f.file.Rel, err)
	}
	next := 0
	for _, t := range old {
		if !isComment(t.id) {
			continue
		}
		for next < len(roots) && roots[next].end <= t.start {
			next++
		}
		if !preserved(roots[next:], t.start, t.end) {
			continue
		}
		if have[t.id]--; have[t.id] < 0 {
			return fmt.Errorf("%s: the edit would swallow this comment", f.at(t.start))
		}
	}
	return nil
}

func isComment(id string) bool { return strings.HasPrefix(id, "//") || strings.HasPrefix(id, "/*") }

// preserved reports whether sorted edits leave [start,end) as a whole in the result.
func preserved(edits []*edit, start, end int) bool {
	for _, e := range edits {
		if e.start >= end {
			break
		}
		if e.end > start && !(e.keeps(start, end) && preserved(e.inner, start, end)) {
			return false
		}
	}
	return true
}
