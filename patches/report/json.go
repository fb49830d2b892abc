package report

import (
	"encoding/json"
	"io"
)

// WriteJSON writes the report as one JSON document. An error is one of w's.
func (r *Report) WriteJSON(w io.Writer) error { return writeJSON(w, r) }

// writeJSON indents, because people read these documents too, and leaves <, >
// and & alone, because they are not meant for web pages.
func writeJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
