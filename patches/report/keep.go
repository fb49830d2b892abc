package report

// Fill makes lists that are null empty: a report that was decoded does not tell the one from the other, and those that are printed
// are never null.
func (r *Report) Fill() {
	r.Findings = append([]Finding{}, r.Findings...)
	for i := range r.Findings {
		r.Findings[i].Related = append([]Related{}, r.Findings[i].Related...)
	}
	r.Units = append([]Unit{}, r.Units...)
	for i := range r.Units {
		r.Units[i].Files = append([]string{}, r.Units[i].Files...)
	}
}
