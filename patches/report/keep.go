package report

import (
	"bytes"
	"encoding/gob"
)

// A keptFinding is a finding with what only this package knows of it.
type keptFinding struct {
	Finding                   shownFinding
	Where                     string
	UnitColumn, UnitEndColumn int
	LineHash                  string
}

// shownFinding is a Finding without its methods.
type shownFinding Finding

// GobEncode encodes all of a finding.
func (f Finding) GobEncode() ([]byte, error) {
	var buf bytes.Buffer
	err := gob.NewEncoder(&buf).Encode(keptFinding{shownFinding(f), f.where, f.unitColumn, f.unitEndColumn, f.lineHash})
	return buf.Bytes(), err
}

// GobDecode is the inverse of GobEncode.
func (f *Finding) GobDecode(data []byte) error {
	var kept keptFinding
	if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&kept); err != nil {
		return err
	}
	*f = Finding(kept.Finding)
	f.where, f.unitColumn, f.unitEndColumn, f.lineHash = kept.Where, kept.UnitColumn, kept.UnitEndColumn, kept.LineHash
	f.Related = append([]Related{}, f.Related...)
	return nil
}

// Fill makes lists that are null empty, as a report that was decoded needs it.
func (r *Report) Fill() {
	r.Findings = append([]Finding{}, r.Findings...)
	r.Units = append([]Unit{}, r.Units...)
	for i := range r.Units {
		r.Units[i].Files = append([]string{}, r.Units[i].Files...)
	}
}
