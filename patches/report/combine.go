package report

// Add appends what another report says of another part of the repository.
func (r *Report) Add(other *Report) {
	r.Findings = append(r.Findings, other.Findings...)
	r.Units = append(r.Units, other.Units...)
	r.Summary.Findings += other.Summary.Findings
	r.Summary.Fixable += other.Summary.Fixable
	r.Summary.Blocked += other.Summary.Blocked
	r.Summary.Fixed += other.Summary.Fixed
	r.Summary.FilesChanged += other.Summary.FilesChanged
}
